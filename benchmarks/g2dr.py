"""What a training step of G2DR costs beside its bare networks.

    python benchmarks/g2dr.py ROOT [--experiment g2dr/synthetic] [--steps 30] [overrides ...]

The bare networks are the forward and backward pass of the pose network, and those of the discriminator on
true and predicted coordinates, with sums as losses, on one batch. Each further row adds a part of the method:
losses, choice of symmetry, adversarial losses with their running balance. Loader, log and optimisers are not
timed here; a run's own images a second have them all. Medians of interleaved repetitions.
"""

from collections.abc import Callable
from typing import Any

import torch
from training_step import opened, timed

BARE = "bare networks"


def main() -> None:
    """Print the table."""
    module, batch, steps = opened(__doc__, "g2dr/synthetic")
    spent = timed(module, parts_of(module, batch), steps)
    for name, seconds in spent.items():
        print(f"  {name:<42} {1000 * seconds:7.1f} ms   {seconds / spent[BARE] - 1:+.1%}")


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
