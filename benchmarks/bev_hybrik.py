"""What a training step of BEV-HybrIK costs beside its bare network, and where posing a body spends its time.

    python benchmarks/bev_hybrik.py ROOT [--experiment bev_hybrik/synthetic] [--steps 30] [overrides ...]

The bare network is the forward and backward pass with the sum of all outputs as the loss, on one batch. Each
further row of the first table adds a part of the method. The second table lists what a batch spends in single
parts: the soft-argmax and inverse kinematics with their gradients, skinning as evaluation does it. Loader,
log and optimiser are not timed here; a run's own images a second have them all. Medians of interleaved
repetitions.
"""

import argparse
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import torch

from rhobin.body.from_joints import pose_body
from rhobin.data.collate import collate
from rhobin.engine.build import build_clock, build_datamodule, build_module
from rhobin.engine.preview import compose_config
from rhobin.nets.images import normalized

BARE = "bare network"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("root", help="generated root")
    parser.add_argument("--experiment", default="bev_hybrik/synthetic")
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("overrides", nargs="*")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    config = compose_config([f"experiment={args.experiment}", f"data.root={args.root}", *args.overrides])
    datamodule = build_datamodule(config)
    module = build_module(config, datamodule).train()
    module.clock = build_clock(config)
    dataset = datamodule.train_dataset
    batch = collate([dataset[i] for i in range(config.data.batch_size)])
    steps, parts = steps_of(module, batch), parts_of(module, batch)
    spent: dict[str, list[float]] = {name: [] for name in (*steps, *parts)}
    for _ in range(args.steps):
        for name, part in {**steps, **parts}.items():
            module.zero_grad()
            began = time.perf_counter()
            part()
            spent[name].append(time.perf_counter() - began)
    bare, size = median(spent[BARE]), config.data.view.input_size
    print(f"{args.experiment}, batches of {len(batch)} at {size} px, {args.threads} threads")
    for name in steps:
        print(f"  {name:<48} {1000 * median(spent[name]):7.1f} ms   {median(spent[name]) / bare - 1:+.1%}")
    print("parts of a batch, against the bare network's step")
    for name in parts:
        print(f"  {name:<48} {1000 * median(spent[name]):7.1f} ms   {median(spent[name]) / bare:.1%}")


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
