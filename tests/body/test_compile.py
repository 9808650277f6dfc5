"""The kernel as one compiled graph; in a fresh process, since run-time shape checks do not compile."""

import subprocess
import sys

SCRIPT = """
import torch
from rhobin.body.ik import hybrik
from rhobin.body.load import load_bodies
from rhobin.geometry.rotation import rotvec_to_rotmat

def check(name, function, *inputs, backend="eager"):
    compiled = torch.compile(function, fullgraph=True, backend=backend)
    torch.testing.assert_close(compiled(*inputs), function(*inputs), rtol=1e-4, atol=1e-4)
    print(name)

torch.manual_seed(0)
bodies = load_bodies(genders=("male", "female"))
body = bodies["male"]
theta = rotvec_to_rotmat(0.3 * torch.randn(2, 52, 3))
beta, trans, gender = torch.randn(2, 10), torch.randn(2, 3), torch.tensor([1, 0])
rest = body.rest29(beta)
joints = body.joints29(body.kinematics(theta, beta, trans), beta)
twist = torch.randn(2, 23, 2)
check("solver", lambda *x: hybrik(*x, adaptive=True, knuckles=True), joints, rest, twist)
check("mixed", lambda *x: bodies(*x).verts, theta, beta, trans, gender)

theta.requires_grad_()
total = lambda t: body(t, beta, trans).verts.square().sum()
loss = torch.compile(total, fullgraph=True, backend="aot_eager")
found, expected = (torch.autograd.grad(f(theta), theta)[0] for f in (loss, total))
torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-2)
print("gradient")

joints.requires_grad_()
for root in ("fit", "spine"):
    solve = lambda j: hybrik(j, rest, twist, adaptive=True, root=root)[..., 0].sum()
    loss = torch.compile(solve, fullgraph=True, backend="aot_eager")
    found, expected = (torch.autograd.grad(f(joints), joints)[0] for f in (loss, solve))
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
    print("solver's gradient")
"""


def test_one_graph_holds_solver_kinematics_and_skinning():
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", SCRIPT], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    assert len(done.stdout.splitlines()) == 5
