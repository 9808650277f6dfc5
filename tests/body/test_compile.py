"""The kernel as one compiled graph; in a process of its own, since run-time shape checks do not compile."""

from commands import succeed

SCRIPT = """
import torch
from rhobin.body.ik import hybrik
from rhobin.body.load import load_bodies
from rhobin.geometry.rotation import rotvec_to_rotmat

def check(function, loss, argument, tolerance):
    # values, and gradients of a loss of them
    compiled = torch.compile(function, fullgraph=True, backend="aot_eager")
    found, expected = compiled(argument), function(argument)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
    found, expected = (torch.autograd.grad(loss(value), argument)[0] for value in (found, expected))
    assert expected.abs().max() > 0.1
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=tolerance)

torch.manual_seed(0)
bodies = load_bodies(genders=("male", "female"))
body = bodies["male"]
theta = rotvec_to_rotmat(0.3 * torch.randn(2, 52, 3))
beta, trans, gender = torch.randn(2, 10), torch.randn(2, 3), torch.tensor([1, 0])
rest = body.rest29(beta)
joints = body.joints29(body.kinematics(theta, beta, trans), beta)
twist = torch.randn(2, 23, 2)
posed = lambda t: bodies(t, beta, trans, gender).verts
check(posed, lambda verts: verts.square().sum(), theta.requires_grad_(), 1e-2)
for root, knuckles in (("fit", True), ("spine", False)):
    solve = lambda j: hybrik(j, rest, twist, adaptive=True, knuckles=knuckles, root=root)
    check(solve, lambda local: local[..., 0].sum(), joints.requires_grad_(), 1e-4)
"""


def test_one_graph_holds_solver_kinematics_and_skinning(tmp_path):
    script = tmp_path / "compiled.py"
    script.write_text(SCRIPT)
    succeed(str(script))
