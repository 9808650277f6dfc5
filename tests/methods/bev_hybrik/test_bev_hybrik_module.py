"""BEV-HybrIK learns a handful of people by heart."""

import pytest
import torch

from rhobin.body.joints import JOINTS24
from rhobin.metrics.human import human_errors

STEPS, RATE = 200, 5e-3


@pytest.fixture(scope="module")
def learnt(method, people):
    """A network that has seen eight people, and nobody else, two hundred times."""
    module = method()
    optimizer = torch.optim.AdamW(module.parameters(), lr=RATE)
    for step in range(STEPS):
        module.clock.batches = 100 * step // STEPS
        for group in optimizer.param_groups:
            group["lr"] = RATE * min(1.0, 2 * (1 - step / STEPS))
        optimizer.zero_grad()
        module.losses(module.run_net(people), people)["loss"].backward()
        torch.nn.utils.clip_grad_norm_(module.parameters(), 1.0)
        optimizer.step()
    return module.eval()


def test_eight_people_are_learnt_by_heart(learnt, people, assets):
    """MPJPE under 15 mm and MPJAE under 5 degrees, by the challenge's code."""
    predicted, true, bodies = learnt.predict(people).human, people.target.human, assets.bodies
    posed = [
        bodies.kinematics(body.theta, body.beta, body.trans, people.gender) for body in (predicted, true)
    ]
    arrays = [a[:, list(JOINTS24)] for body in posed for a in (body.joints, body.rotations)]
    errors = human_errors(*arrays)
    assert errors.mpjpe_mm.mean() < 15
    assert errors.angle_deg.mean() < 5
    depth = (predicted.joints[:, 0, 2] / true.joints[:, 0, 2] - 1).abs()
    assert depth.max() < 0.1


def test_uncertainty_is_told(learnt, people):
    sigma = learnt.predict(people).extras["joints_sigma_mm"]
    assert sigma.shape == (8, 29)
    assert ((sigma > 0) & (sigma < 4000)).all()


@pytest.mark.parametrize(("batches", "share"), [(0, 0), (30, 0), (55, 0.5), (80, 1), (100, 1)])
def test_true_centres_give_way_to_predicted_ones(method, batches, share):
    module = method()
    module.clock.batches = batches
    assert module.own_share == pytest.approx(share)


def test_what_is_taught_is_drawn_from_the_run_s_random_numbers(method, people):
    """Resume restores that state, so the same samples are taught again."""
    module = method()
    module.clock.batches = 55
    told = []

    def spy(image, place=None, teach=None):
        told.append(teach)
        return image

    module.net.forward = spy
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        module.run_net(people)
    assert torch.equal(told[0], told[1])
    assert not torch.equal(told[0], told[2])
    module.eval().run_net(people)
    assert told[3] is None


def test_mixed_precision_keeps_the_geometry(method, people):
    module = method().eval()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        output = module.run_net(people)
        losses = module.losses(output, people)
    assert output.human.uvd.dtype == output.bev.volume.dtype == output.place.dtype == torch.float32
    exact = module.losses(output, people)
    for name, value in losses.items():
        assert value.item() == pytest.approx(exact[name].item(), rel=1e-4), name
