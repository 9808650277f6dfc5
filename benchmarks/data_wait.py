"""How long a training step waits for its batch: the loader of an experiment beside steps of a given length.

    rhobin prepare data/behave_synthetic data/behave_synthetic_prepared
    python benchmarks/data_wait.py data/behave_synthetic_prepared --step-ms 50 --workers 2

A step is a sleep, as if a GPU computed while this process is idle. Waits are by the wall clock, from the end
of a step to the batch; those of the first steps, in which loader processes start, are left out. Nothing is
kept in memory: every view is decoded every time, as in a training whose views do not fit.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np

from rhobin.engine.build import build_datamodule
from rhobin.engine.compose import compose_config


def main() -> None:
    """Read the command line, load, print the table."""
    shown = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=shown)
    parser.add_argument("root", help="dataset root, raw or prepared")
    parser.add_argument("--experiment", default="khor/synthetic")
    parser.add_argument("--step-ms", type=float, default=50.0)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--skipped", type=int, default=20, help="first steps that are not timed")
    parser.add_argument("--workers", type=int, default=2, help="loader processes")
    parser.add_argument("overrides", nargs="*", help="of the experiment")
    args = parser.parse_intermixed_args()
    given = [
        f"experiment={args.experiment}",
        f"data.root={args.root}",
        f"data.workers={args.workers}",
        "data.cache.kind=none",
        *args.overrides,
    ]
    datamodule = build_datamodule(compose_config(given))
    waits = waited(datamodule, args.steps, args.step_ms / 1000)[args.skipped :]
    step, share = 1000 * waits.mean() + args.step_ms, waits.mean() / (waits.mean() + args.step_ms / 1000)
    print("| step, ms | loader processes | wait, ms: mean | median | 95 % | largest | share of a step |")
    print("|---|---|---|---|---|---|---|")
    mean, half, most, worst = 1000 * np.array(
        [waits.mean(), np.median(waits), np.quantile(waits, 0.95), waits.max()]
    )
    print(
        f"| {step:.1f} | {args.workers} | {mean:.2f} | {half:.2f} | {most:.2f} | {worst:.2f} | {share:.1%} |"
    )


def waited(datamodule: Any, steps: int, seconds: float) -> np.ndarray:
    """How long each of so many steps waited for its batch, seconds."""
    waits: list[float] = []
    loader = datamodule.train_dataloader()
    while True:
        began = time.perf_counter()
        for _ in loader:
            waits.append(time.perf_counter() - began)
            if len(waits) == steps:
                return np.array(waits)
            time.sleep(seconds)
            began = time.perf_counter()


if __name__ == "__main__":
    main()
