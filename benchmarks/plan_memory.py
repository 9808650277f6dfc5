"""Compares the peak memory that `rhobin plan` tells with what real trainings of the small presets take.

    python benchmarks/plan_memory.py ROOT [khor/synthetic ...] [--batch 256]

ROOT is a generated root, such as of `rhobin synth --size tiny`. Each preset is measured twice, each time in
a process of its own, since the CPU's allocator tells no peak:

- counted: `fit` as train.py calls it; the real tensors of each of ten steps are counted as they come and go.
- resident: no counting. Steps of 2 views come first, so that everything is imported and built. Then by how
  much resident memory grows at the peak of steps of `--batch` views, so many that tensors dominate. The
  plan's figure is its peak of that batch less its peak of 2 views. glibc hands back at once what is freed,
  so gaps count for little; what is no tensor, such as oneDNN's workspaces, counts.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from omegaconf import DictConfig
from pytorch_lightning import Callback

from rhobin.data.collate import collate
from rhobin.engine.build import build_datamodule, build_module
from rhobin.engine.compose import compose_config
from rhobin.engine.planning.footprint import footprint
from rhobin.engine.planning.rehearsal import quiet, train
from rhobin.engine.planning.scales import Scales

PRESETS = ("khor/synthetic", "khor/synthetic_long", "g2dr/synthetic", "bev_hybrik/synthetic")
STEPS, FEW, MIB = 10, 2, 2**20
HAND_BACK = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}


def main() -> None:
    """Print two rows for each preset."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("root", help="generated root")
    parser.add_argument("presets", nargs="*", default=list(PRESETS))
    parser.add_argument("--batch", type=int, default=256, help="views of `resident` (default: 256)")
    parser.add_argument("--one", choices=MEASURES, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        print(json.dumps(MEASURES[args.one](config_of(args.presets[0], args.root), args.batch)))
        return
    print("| preset | views | plan MiB | real MiB | plan / real | |\n|---|---|---|---|---|---|")
    for preset in args.presets:
        own, views, more = in_child("planned", preset, args.root, args.batch)
        for name, batch, plan in (("counted", views, own), ("resident", args.batch, more)):
            (real,) = in_child(name, preset, args.root, args.batch)
            told = f"{plan / MIB:.1f} | {real / MIB:.1f} | {plan / real:.2f}"
            print(f"| {preset} | {batch} | {told} | {name} |", flush=True)


def in_child(measure: str, preset: str, root: str, batch: int) -> list[int]:
    """One measurement in a process of its own."""
    line = [sys.executable, __file__, root, preset, "--one", measure, "--batch", str(batch)]
    surroundings = {**os.environ, **(HAND_BACK if measure == "resident" else {})}
    done = subprocess.run(line, stdout=subprocess.PIPE, text=True, check=True, env=surroundings)
    return json.loads(done.stdout.splitlines()[-1])


def config_of(preset: str, root: str) -> DictConfig:
    """The preset on a root, with ten steps and nothing scored."""
    short = [f"trainer.max_steps={STEPS}", "callbacks.views=0"]
    place = [f"data.root={root}", "data.validation.by=sequence", "data.validation.fraction=0"]
    return compose_config([f"experiment={preset}", *short, *place])


def planned(config: DictConfig, batch: int) -> list[int]:
    """Bytes of the preset's batch, its views, and by how much more `batch` views take than a few."""
    found, own = footprint(config, config.trainer.precision), config.data.batch_size
    return [found.memory(own), own, found.memory(batch) - found.memory(FEW)]


def counted(config: DictConfig, batch: int) -> list[int]:
    """Bytes of tensors at the peak of a real run's steps."""
    import rhobin.engine.fit as engine

    scales, build = Scales(config.trainer.accumulate_grad_batches), engine.build_callbacks
    engine.build_callbacks = lambda *args: [*build(*args), scales]
    with tempfile.TemporaryDirectory() as folder:
        config.run_dir = folder
        engine.fit(config)
    return [max(peak.total for peak in scales.peaks)]


def resident(config: DictConfig, batch: int) -> list[int]:
    """Bytes that the process grows by from steps of a few views to the peak of steps of a batch."""
    data = build_datamodule(config)
    module = build_module(config, data.assets)
    views = data.train_dataset
    samples = [views[index] for index in range(min(batch, len(views)))]
    with quiet():
        train(config, module, [collate(samples[:FEW])] * 3, Callback())
        Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")  # the peak begins anew
        before = status("VmRSS")
        many = collate([samples[i % len(samples)] for i in range(batch)])
        train(config, module, [many] * 3, Callback())
    return [status("VmHWM") - before]


def status(name: str) -> int:
    """Bytes that Linux tells of this process."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))


MEASURES = {"planned": planned, "counted": counted, "resident": resident}

if __name__ == "__main__":
    main()
