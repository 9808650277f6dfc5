"""What a training step of G2DR costs beside its bare networks.

    python benchmarks/g2dr.py ROOT [--experiment g2dr/synthetic] [--steps 30] [overrides ...]

The bare networks are the forward and backward pass of the pose network, and those of the discriminator on
true and predicted coordinates, with sums as losses, on one batch. Each further row adds a part of the method:
losses, choice of symmetry, adversarial losses with their running balance. Loader, log and optimisers are not
timed here; a run's own images a second have them all. Medians of interleaved repetitions.
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

BARE = "bare networks"


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
    bare = median(spent[BARE])
    size = config.data.view.input_size
    print(f"{args.experiment}, batches of {len(batch)} at {size} px, {args.threads} threads")
    for name, times in spent.items():
        print(f"  {name:<42} {1000 * median(times):7.1f} ms   {median(times) / bare - 1:+.1%}")


def parts_of(module: Any, batch: Any) -> dict[str, Callable[[], None]]:
    """What is timed, each with all that comes before it."""
    maps = batch.target.maps

    def duel_of(output: Any) -> Any:
        if module.gan is None:
            return 0.0
        fake = output.nocs.detach().requires_grad_()
        scores = torch.cat(module.gan.scores(fake, maps.nocs, maps.amodal)).sum()
        (push,) = torch.autograd.grad(scores, fake, retain_graph=True)
        return scores + (output.nocs * push).sum()

    def pose_network() -> None:
        output = module.run_net(batch)
        torch.stack([part.sum() for part in output if part is not None]).sum().backward()

    def networks() -> None:
        output = module.run_net(batch)
        sums = torch.stack([part.sum() for part in output if part is not None]).sum()
        (sums + duel_of(output)).backward()

    def with_losses() -> None:
        output = module.run_net(batch)
        (module.losses_of(output, batch)["loss"] + duel_of(output)).backward()

    def with_symmetry() -> None:
        output = module.run_net(batch)
        (module.losses(output, batch)["loss"] + duel_of(output)).backward()

    def whole() -> None:
        output = module.run_net(batch)
        told = module.in_best_frame(output, batch)
        losses, true = module.losses_of(output, told), told.target.maps
        duel = module.gan(output.nocs, losses["nocs"], module.weights["nocs"], true.nocs, true.amodal)
        (losses["loss"] + duel.surrogate + duel.discriminator).backward()

    parts = {
        "bare pose network": pose_network,
        BARE: networks,
        "+ losses": with_losses,
        "+ choice of symmetry": with_symmetry,
    }
    return parts if module.gan is None else {**parts, "+ adversarial losses and their balance": whole}


if __name__ == "__main__":
    main()
