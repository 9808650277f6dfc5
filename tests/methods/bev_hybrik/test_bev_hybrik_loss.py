"""BEV-HybrIK's losses: what is perfect costs nothing, and what is wrong pulls the right way."""

from dataclasses import replace

import torch
from people_batches import DEPTH_RANGE, perfect_output

from rhobin.methods.bev_hybrik.loss import STEEPEST, BevHybrikLoss, _clipped


def test_a_perfect_output_costs_nothing(assets, people):
    losses = BevHybrikLoss(assets.bodies, DEPTH_RANGE)(perfect_output(people), people)
    for name in ("offset", "joints", "depths", "beta", "twist"):
        assert losses[name] == 0, name
    for name in ("pose", "posed", "projected"):
        assert losses[name] < 2e-3, name
    assert losses["joints_laplace"] < 0


def test_losses_of_the_posed_body_wait(assets, people):
    loss = BevHybrikLoss(assets.bodies, DEPTH_RANGE)
    loss.posing = False
    waiting = loss(perfect_output(people), people)
    assert waiting["pose"] == waiting["posed"] == waiting["projected"] == 0


def test_the_posed_body_pulls_joints_and_twists(assets, people):
    """A small step down the gradient brings the rotations nearer to the truth."""
    torch.manual_seed(0)
    output = perfect_output(people)
    uvd = (output.human.uvd + 0.02 * torch.randn_like(output.human.uvd)).requires_grad_()
    twist = (output.twist + 0.3 * torch.randn_like(output.twist)).requires_grad_()
    loss = BevHybrikLoss(assets.bodies, DEPTH_RANGE)

    def pose(uvd, twist):
        changed = output._replace(human=output.human._replace(uvd=uvd), twist=twist)
        return loss(changed, people)["pose"]

    before = pose(uvd, twist)
    before.backward()
    for value in (uvd, twist):
        assert value.grad.abs().sum() > 0
    step = 1e-3 / max(uvd.grad.norm(), twist.grad.norm())
    after = pose((uvd - step * uvd.grad).detach(), (twist - step * twist.grad).detach())
    assert after < before


def test_gradients_of_bones_without_length_are_finite(assets, people):
    """Joints that coincide have no direction; their gradient is clipped, not passed on."""
    output = perfect_output(people)
    uvd = torch.zeros_like(output.human.uvd).requires_grad_()
    losses = BevHybrikLoss(assets.bodies, DEPTH_RANGE)(
        output._replace(human=output.human._replace(uvd=uvd)), people
    )
    (losses["pose"] + losses["posed"] + losses["projected"]).backward()
    assert torch.isfinite(uvd.grad).all()


def test_joints_at_the_camera_are_not_projected(assets, people):
    """A body lifted to the camera's plane has no pixels; the loss stays a number and knows the others."""
    human = people.target.human
    near = replace(human, joints=human.joints - human.joints[:, :1, 2:] * torch.tensor([0.0, 0, 1]))
    batch = replace(people, target=replace(people.target, human=near))
    losses = BevHybrikLoss(assets.bodies, DEPTH_RANGE)(perfect_output(people), batch)
    assert all(torch.isfinite(value) for value in losses.values())


def test_a_gradient_is_clipped_joint_by_joint():
    gradient = torch.zeros(4, 29, 3)
    gradient[0, 3] = torch.tensor([300.0, 400, 0])
    gradient[1, 5] = torch.tensor([0.0, 0, 0.01])
    gradient[2, 7] = torch.nan
    clipped = _clipped(gradient)
    most = STEEPEST / 4
    assert torch.allclose(clipped[0, 3], torch.tensor([0.6 * most, 0.8 * most, 0]))
    assert torch.equal(clipped[1], gradient[1])
    assert not clipped[2].any()
