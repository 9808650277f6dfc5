"""Compares the peak memory that `rhobin plan` tells with what real trainings of the small presets take.

    python benchmarks/plan_memory.py ROOT [khor/synthetic ...] [--batch 64]

ROOT is a generated root, such as of `rhobin synth --size tiny`. Each preset is measured twice, each time in
a process of its own: in `fit` as train.py calls it, where the real tensors of each of ten steps are counted
("counted"); and by the growth of the process's resident memory over what it had before the network was built,
in steps of a batch so large that tensors dominate ("resident"). The CPU's allocator tells no peak. What is no
tensor (oneDNN's copies and workspaces, gaps) is in `resident` alone.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig

PRESETS = ("khor/synthetic", "khor/synthetic_long", "g2dr/synthetic", "bev_hybrik/synthetic")
STEPS = 10
MIB = 2**20


def main() -> None:
    """Print a row for each preset."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("root", help="generated root")
    parser.add_argument("presets", nargs="*", default=list(PRESETS))
    parser.add_argument("--batch", type=int, default=64, help="views of a step for `resident` (default: 64)")
    parser.add_argument("--one", choices=MEASURES, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        print(json.dumps(MEASURES[args.one](config_of(args.presets[0], args.root, args.batch))))
        return
    print("| preset | views | plan MiB | real MiB | plan / real | measured by |\n|---|---|---|---|---|---|")
    for preset in args.presets:
        for name, views in (("counted", 0), ("resident", args.batch)):
            plan, real, batch = (in_child(one, preset, args.root, views) for one in ("plan", name, "views"))
            told = f"{plan / MIB:.1f} | {real / MIB:.1f} | {plan / real:.2f}"
            print(f"| {preset} | {batch} | {told} | {name} |", flush=True)


def in_child(measure: str, preset: str, root: str, batch: int) -> float:
    """One measurement in a process of its own."""
    line = [sys.executable, __file__, root, preset, "--one", measure, "--batch", str(batch)]
    done = subprocess.run(line, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def config_of(preset: str, root: str, batch: int) -> DictConfig:
    """The preset on a root, with ten steps and nothing scored; a batch of 0 is the preset's own."""
    from rhobin.engine.preview import compose_config

    own = [f"data.batch_size={batch}"] if batch else []
    short = [f"trainer.max_steps={STEPS}", "callbacks.views=0", "data.validation.fraction=0"]
    place = [f"data.root={root}", "data.validation.by=sequence", "data.cache.mb=1024"]
    return compose_config([f"experiment={preset}", *short, *place, *own])


def planned(config: DictConfig) -> int:
    """Bytes that the plan tells."""
    from rhobin.engine.planning.footprint import footprint

    return footprint(config, config.trainer.precision).memory(config.data.batch_size)


def counted(config: DictConfig) -> int:
    """Bytes of tensors at the peak of a real run's steps."""
    import rhobin.engine.fit as engine
    from rhobin.engine.planning.scales import Scales

    scales, build = Scales(config.trainer.accumulate_grad_batches), engine.build_callbacks
    engine.build_callbacks = lambda *args: [*build(*args), scales]
    with tempfile.TemporaryDirectory() as folder:
        config.run_dir = folder
        engine.fit(config)
    return max(peak.total for peak in scales.peaks)


def resident(config: DictConfig) -> int:
    """Bytes that the process grows by, from before the network is built to the peak of its steps."""
    from rhobin.data.collate import collate
    from rhobin.engine.build import build_datamodule, build_module
    from rhobin.engine.planning.rehearsal import quiet, train

    data = build_datamodule(config)
    views, size = data.train_dataset, config.data.batch_size
    samples = [views[index % len(views)] for index in range(size)]
    torch.nn.functional.conv2d(torch.zeros(8, 8, 32, 32), torch.zeros(8, 8, 3, 3))
    before = status("VmRSS")
    module = build_module(config, data.assets)
    with quiet():
        train(config, module, [collate(samples) for _ in range(3)], torch_callback())
    return status("VmHWM") - before


def torch_callback() -> Any:
    """A callback that does nothing."""
    from pytorch_lightning import Callback

    return Callback()


def views_of(config: DictConfig) -> int:
    """Views of a batch."""
    return config.data.batch_size


def status(name: str) -> int:
    """Bytes that Linux tells of this process."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))


MEASURES = {"plan": planned, "counted": counted, "resident": resident, "views": views_of}

if __name__ == "__main__":
    main()
