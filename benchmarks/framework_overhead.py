"""What Lightning and this project's callbacks add to a training step: a run's own steps beside bare ones.

    python benchmarks/framework_overhead.py data/behave_synthetic --steps 200 --threads 1

A run of `khor/synthetic` is trained as `train.py` does, with its callbacks and log. After each of its steps
the same batch is given to a copy of the network in a bare loop: forward, losses, backward, clipping,
optimiser. So both see the same machine, memory and caches. Loading is timed apart; with `--skipped 200` only
epochs are timed whose views were decoded before. Times are medians of wall clock and, for a busy machine, of
processor time.
"""

from __future__ import annotations

import argparse
import copy
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from statistics import median
from typing import Any

import pytorch_lightning as pl
import torch

from rhobin.engine import fit as fitting
from rhobin.engine.compose import compose_config

PARTS = ("loading", "bare step", "framework's step")


class Beside(pl.Callback):
    """After every step of a run, does the same step without a framework, and times both.

    Args:
        skipped: first steps that are not timed.
    """

    def __init__(self, skipped: int) -> None:
        self.skipped, self.steps = skipped, 0
        self.spent: dict[str, list[tuple[float, float]]] = defaultdict(list)
        self.began = clocks()

    def on_train_start(self, trainer: pl.Trainer, module: Any) -> None:
        """Copy what is trained."""
        self.twin = copy.deepcopy(module.net)
        self.twin.train()
        optimizer = trainer.optimizers[0]
        own = dict(zip(module.net.parameters(), self.twin.parameters(), strict=True))
        self.optimizer = object.__new__(type(optimizer))
        self.optimizer.__dict__ |= {key: value for key, value in vars(optimizer).items() if key != "step"}
        self.optimizer.state = defaultdict(dict)
        self.optimizer.param_groups = [
            {**group, "params": [own[p] for p in group["params"]]} for group in optimizer.param_groups
        ]
        self.began = clocks()

    def on_train_batch_start(self, *args: Any) -> None:
        """Loading ends here."""
        self.note("loading")

    def on_train_batch_end(self, trainer: pl.Trainer, module: Any, outputs: Any, batch: Any, i: int) -> None:
        """The framework's step ends here; do the bare one."""
        self.note("framework's step")
        self.bare(trainer, module, batch)
        self.note("bare step")
        self.steps += 1

    def bare(self, trainer: pl.Trainer, module: Any, batch: Any) -> None:
        """One step of the copy."""
        net = module.net
        module.net = self.twin
        try:
            losses = module.losses(module.run_net(batch), batch)
        finally:
            module.net = net
        self.optimizer.zero_grad()
        losses["loss"].backward()
        torch.nn.utils.clip_grad_norm_(self.twin.parameters(), trainer.gradient_clip_val or float("inf"))
        self.optimizer.step()
        losses["loss"].item()

    def note(self, part: str) -> None:
        """End a part and begin the next."""
        now = clocks()
        if self.steps >= self.skipped:
            self.spent[part].append((now[0] - self.began[0], now[1] - self.began[1]))
        self.began = clocks()


def clocks() -> tuple[float, float]:
    """Wall clock and processor time, seconds."""
    return time.perf_counter(), time.process_time()


def main() -> None:
    """Read the command line, train, print the table."""
    shown = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=shown)
    parser.add_argument("root", help="generated root")
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--skipped", type=int, help="first steps that are not timed (default: a tenth)")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("overrides", nargs="*", help="of the experiment khor/synthetic")
    args = parser.parse_intermixed_args()
    skipped = max(1, args.steps // 10) if args.skipped is None else args.skipped
    beside = Beside(skipped)
    build = fitting.build_callbacks
    fitting.build_callbacks = lambda *given: [*build(*given), beside]
    with tempfile.TemporaryDirectory() as folder:
        fitting.fit(
            compose_config(
                [
                    "experiment=khor/synthetic",
                    f"data.root={args.root}",
                    f"run_dir={Path(folder) / 'run'}",
                    f"threads={args.threads}",
                    f"trainer.max_steps={args.steps}",
                    "callbacks.views=0",
                    *args.overrides,
                ]
            )
        )
    print(f"\n| {args.steps - skipped} steps, {args.threads} threads | wall clock, ms | processor, ms |")
    print("|---|---|---|")
    medians = {part: [median(times) for times in zip(*beside.spent[part], strict=True)] for part in PARTS}
    for part, (wall, processor) in medians.items():
        print(f"| {part} | {1000 * wall:.2f} | {1000 * processor:.2f} |")
    loading, bare, ours = medians.values()
    wall, processor = (f"{100 * (one / other - 1):.1f} %" for one, other in zip(ours, bare, strict=True))
    print(f"\nThe framework adds {wall} by the wall clock, {processor} of processor time.")
    whole = (loading[0] + ours[0]) / bare[0]
    print(f"With loading a step takes {whole:.3f} times the bare one's time by the wall clock.")


if __name__ == "__main__":
    main()
