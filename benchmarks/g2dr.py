"""What a training step of G2DR costs beside its bare network.

    python benchmarks/g2dr.py ROOT [--experiment g2dr/synthetic] [--steps 30] [overrides ...]

The bare network is its forward and backward pass with a sum as the loss, on one batch. Each further row adds
a part: the losses, the choice of symmetry, the discriminator with its own passes. Loader, log and optimisers
are not timed here; a run's own images a second have them all. Medians of interleaved repetitions.
"""

import argparse
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import torch

from rhobin.data.collate import collate
from rhobin.engine.build import build_clock, build_datamodule, build_module
from rhobin.engine.preview import compose_config


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("root", help="generated root")
    parser.add_argument("--experiment", default="g2dr/synthetic")
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
    parts = parts_of(module, batch)
    spent: dict[str, list[float]] = {name: [] for name in parts}
    for _ in range(args.steps):
        for name, part in parts.items():
            module.zero_grad()
            began = time.perf_counter()
            part()
            spent[name].append(time.perf_counter() - began)
    bare = median(next(iter(spent.values())))
    size = config.data.view.input_size
    print(f"{args.experiment}, batches of {len(batch)} at {size} px, {args.threads} threads")
    for name, times in spent.items():
        print(f"  {name:<42} {1000 * median(times):7.1f} ms   {median(times) / bare - 1:+.1%}")


def parts_of(module: Any, batch: Any) -> dict[str, Callable[[], None]]:
    """What is timed, each with all that comes before it."""

    def bare() -> None:
        output = module.run_net(batch)
        torch.stack([part.sum() for part in output if part is not None]).sum().backward()

    def with_losses() -> None:
        output = module.run_net(batch)
        module.losses_of(output, batch)["loss"].backward()

    def with_symmetry() -> None:
        output = module.run_net(batch)
        module.losses(output, batch)["loss"].backward()

    def with_gan() -> None:
        output = module.run_net(batch)
        told = module.in_best_frame(output, batch)
        losses, maps = module.losses_of(output, told), told.target.maps
        duel = module.gan(output.nocs, losses["nocs"], module.weights["nocs"], maps.nocs, maps.amodal)
        (losses["loss"] + duel.surrogate + duel.discriminator).backward()

    parts = {"bare network": bare, "with losses": with_losses, "with the choice of symmetry": with_symmetry}
    return parts if module.gan is None else {**parts, "with the discriminator": with_gan}


if __name__ == "__main__":
    main()
