"""What a training step of BEV-HybrIK costs beside its bare network, and where posing a body spends its time.

    python benchmarks/bev_hybrik.py ROOT [--experiment bev_hybrik/synthetic] [--steps 30] [overrides ...]

The bare network is the forward and backward pass with the sum of all outputs as the loss, on one batch. Each
further row of the first table adds a part of the method. The second table lists what a batch spends in single
parts: the soft-argmax and inverse kinematics with their gradients, skinning as evaluation does it. Loader,
log and optimiser are not timed here; a run's own images a second have them all. Medians of interleaved
repetitions.
"""

from collections.abc import Callable
from typing import Any

import torch
from training_step import opened, timed

from rhobin.body.from_joints import pose_body
from rhobin.nets.images import normalized

BARE = "bare network"


def main() -> None:
    """Print the tables."""
    module, batch, repetitions = opened(__doc__, "bev_hybrik/synthetic")
    steps, parts = steps_of(module, batch), parts_of(module, batch)
    spent = timed(module, {**steps, **parts}, repetitions)
    for name in steps:
        print(f"  {name:<48} {1000 * spent[name]:7.1f} ms   {spent[name] / spent[BARE] - 1:+.1%}")
    print("parts of a batch, against the bare network's step")
    for name in parts:
        print(f"  {name:<48} {1000 * spent[name]:7.1f} ms   {spent[name] / spent[BARE]:.1%}")


def steps_of(module: Any, batch: Any) -> dict[str, Callable[[], None]]:
    """Training steps, each with all that comes before it."""

    def network() -> None:
        output = module.run_net(batch)
        parts = (*output.human, output.beta, output.twist, *output.bev)
        torch.stack([part.sum() for part in parts]).sum().backward()

    def losses(posing: bool) -> None:
        module.loss.posing = posing
        output = module.run_net(batch)
        terms = module.loss(output, batch)
        torch.stack([module.weights[name] * value for name, value in terms.items()]).sum().backward()

    return {
        BARE: network,
        "+ losses": lambda: losses(False),
        "+ those of the posed body": lambda: losses(True),
    }


def parts_of(module: Any, batch: Any) -> dict[str, Callable[[], None]]:
    """Single parts: what the network made is taken as given."""
    with torch.no_grad():
        features = module.net.backbone(normalized(batch.image))
    human = batch.target.human
    joints, beta, twist, zero = human.joints, human.beta, human.twist, torch.zeros_like(human.joints[:, 0])

    def read() -> None:
        keypoints = module.net.head(features)
        (keypoints.uvd.sum() + keypoints.sigma.sum()).backward()

    def posed() -> None:
        free, shape, turns = (x.clone().requires_grad_() for x in (joints, beta, twist))
        theta, places, _ = pose_body(free, shape, turns, batch.gender, module.bodies)
        (theta.sum() + places.sum()).backward()

    @torch.no_grad()
    def solved() -> None:
        pose_body(joints, beta, twist, batch.gender, module.bodies)

    @torch.no_grad()
    def skinned() -> None:
        module.bodies(human.theta, beta, zero, batch.gender)

    return {
        "heatmaps and their soft-argmax, both passes": read,
        "body by inverse kinematics, both passes": posed,
        "the same without gradients": solved,
        "skinning to vertices, without gradients": skinned,
    }


if __name__ == "__main__":
    main()
