"""Process time that each kind of augmentation adds to a sample, from decoded views in memory.

python benchmarks/augmentation.py ROOT [--size 256] [--samples 150]
"""

from __future__ import annotations

import argparse
import logging
import time
from pathlib import Path
from typing import Any

import torch

from rhobin.assets import Assets
from rhobin.behave.read import read_release
from rhobin.body.load import load_bodies
from rhobin.data.augment.draw import AugmentConfig
from rhobin.data.dataset import BehaveDataset
from rhobin.data.images.decode import BadSampleError
from rhobin.data.sections import read_section
from rhobin.data.settings import SampleConfig, ViewConfig
from rhobin.data.shared import ViewCache
from rhobin.data.targets.views import build_targets

PLAIN = {"scale": 0.0, "rotation_p": 0.0, "colour": 0.0}
KINDS: dict[str, dict[str, Any]] = {
    "nothing": {},
    "scale and roll": {"scale": 0.2, "rotation_p": 0.6},
    "shift and truncation": {"shift": 0.25, "truncate_p": 1.0},
    "channel jitter": {"colour": 0.2},
    "colour set of G2DR": {"colour_set": "g2dr", "colour_p": 1.0},
    "background: rooms": {"background_p": 1.0},
    "background: plain": {"background_p": 1.0, "background_from": "plain"},
    "background: noise": {"background_p": 1.0, "background_from": "noise"},
    **{
        f"occluder: {kind}": {"occluder": {"p": 1.0, "kinds": [kind], "count": 1}}
        for kind in ("object", "person", "template", "rectangle", "patch")
    },
}


def main() -> None:
    """Print a line for each kind."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", type=Path)
    parser.add_argument("--size", type=int, default=256, help="input size, pixels (default: 256)")
    parser.add_argument("--samples", type=int, default=150, help="samples timed of each kind (default: 150)")
    parser.add_argument("--views", type=int, default=600, help="views kept in memory (default: 600)")
    args = parser.parse_args()
    torch.set_num_threads(1)
    logging.disable(logging.WARNING)  # of views that cannot be used
    release = read_release(args.root, "train")
    targets = build_targets(release, Assets.of(load_bodies(), release.templates))
    config = SampleConfig(ViewConfig(args.size, on_bad_sample="skip"))
    rows = torch.arange(0, len(release.views.frame), max(1, len(release.views.frame) // args.views)).numpy()
    cache = ViewCache(len(rows), 4096)
    widest = AugmentConfig(shift=0.25, truncate_p=1.0)
    fill(BehaveDataset(release, targets, rows, config, widest, 0, cache))
    costs = {}
    for name, values in KINDS.items():
        augment = read_section(AugmentConfig, "data.augment", {**PLAIN, **values})
        dataset = BehaveDataset(release, targets, rows, config, augment, 0, cache)
        costs[name] = min(cost(dataset, args.samples) for _ in range(2))
        added = costs[name] - costs["nothing"]
        print(f"{name:22} {costs[name]:6.2f} ms a sample, {added:+6.2f}")


def fill(dataset: BehaveDataset) -> None:
    """Decode every view once."""
    for index in range(len(dataset)):
        try:
            dataset.view(index)
        except BadSampleError:
            continue


def cost(dataset: BehaveDataset, samples: int) -> float:
    """Milliseconds of process time a sample."""
    for index in range(5):
        dataset[(0, index)]
    start = time.process_time()
    for number in range(samples):
        dataset[(1, number * 7 % len(dataset))]
    return 1000 * (time.process_time() - start) / samples


if __name__ == "__main__":
    main()
