"""What the benchmarks of a training step share: an opened experiment, and medians of repetitions."""

import argparse
import time
from collections.abc import Callable, Mapping
from statistics import median
from typing import Any

import torch

from rhobin.data.collate import collate
from rhobin.engine.build import build_clock, build_datamodule, build_module
from rhobin.engine.compose import compose_config


def opened(about: str, experiment: str) -> tuple[Any, Any, int]:
    """Module in training mode, batch and repetitions that the command line asks for; prints a heading.

    Args:
        about: the script's docstring.
        experiment: the default one.
    """
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", help="generated root")
    parser.add_argument("--experiment", default=experiment)
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("overrides", nargs="*")
    args = parser.parse_intermixed_args()
    torch.set_num_threads(args.threads)
    config = compose_config([f"experiment={args.experiment}", f"data.root={args.root}", *args.overrides])
    datamodule = build_datamodule(config)
    module = build_module(config, datamodule.assets).train()
    module.clock = build_clock(config)
    dataset = datamodule.train_dataset
    batch = collate([dataset[i] for i in range(config.data.batch_size)])
    size = config.data.view.input_size
    print(f"{args.experiment}, batches of {len(batch)} at {size} px, {args.threads} threads")
    return module, batch, args.steps


def timed(module: Any, parts: Mapping[str, Callable[[], None]], steps: int) -> dict[str, float]:
    """Median seconds of each part over interleaved repetitions."""
    spent: dict[str, list[float]] = {name: [] for name in parts}
    for _ in range(steps):
        for name, part in parts.items():
            module.zero_grad()
            began = time.perf_counter()
            part()
            spent[name].append(time.perf_counter() - began)
    return {name: median(times) for name, times in spent.items()}
