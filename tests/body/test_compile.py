"""The kernel as one compiled graph; in a fresh process, since run-time shape checks do not compile."""

import subprocess
import sys

SCRIPT = """
import torch
from rhobin.body.ik import hybrik
from rhobin.body.load import load_bodies
from rhobin.geometry.rotation import rotvec_to_rotmat

def check(name, function, *inputs):
    compiled = torch.compile(function, fullgraph=True, backend="aot_eager")
    for found, expected in zip(compiled(*inputs), function(*inputs), strict=True):
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)
    print(name)

torch.manual_seed(0)
bodies = load_bodies()
body = bodies["male"]
theta = rotvec_to_rotmat(0.3 * torch.randn(3, 52, 3)).requires_grad_()
beta, trans, gender = torch.randn(3, 10), torch.randn(3, 3), torch.tensor([1, 0, 2])
rest = body.rest29(beta)
joints = body.joints29(body.kinematics(theta, beta, trans), beta).detach()
twist = torch.randn(3, 23, 2)
for options in ({}, {"adaptive": True}, {"root": "spine"}, {"knuckles": True}):
    check(f"hybrik {options}", lambda *x, o=options: [hybrik(*x, **o)], joints, rest, twist)
check("kinematics", lambda *x: [body.kinematics(*x).joints], theta, beta, trans)
check("verts", lambda *x: [body(*x).verts], theta, beta, trans)
check("mixed", lambda *x: [bodies(*x).verts], theta, beta, trans, gender)

def gradient(theta):
    return torch.autograd.grad(body(theta, beta, trans).verts.square().sum(), theta)[0]

loss = torch.compile(lambda t: body(t, beta, trans).verts.square().sum(), fullgraph=True, backend="aot_eager")
found = torch.autograd.grad(loss(theta), theta)[0]
torch.testing.assert_close(found, gradient(theta), rtol=1e-4, atol=1e-2)
print("gradient")
"""


def test_one_graph_holds_solver_kinematics_and_skinning():
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", SCRIPT], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    assert len(done.stdout.splitlines()) == 8
