"""Samples a second of the data loader at 2048 x 1536, raw and prepared, beside one in the reference style.

    python benchmarks/loader.py [--views 192] [--samples 160] [--source ROOT] [--out FILE.json]

Makes its own data in a temporary folder: synthetic frames (or those of --source) enlarged to 2048 x 1536
with grain, about 230 kB a colour JPEG. Times are processor milliseconds of one process, so other
load matters little; every ratio comes from one run, whose loaders take turns batch by batch.

The reference does for each sample what the published loaders of this field do: decode image and both masks
whole, turn the image into a float32 frame and copy it (CONTHO), warp from there; for the object track read a
pickled crop of NOCS, paste it into a frame and warp that (GDR-Net). It is spared their posing of the body for
each sample and their blur. "bytes" keeps frames uint8, kinder than CONTHO; "frames" turns uint8 frames whole
before it crops, as loaders do that augment first. "raw, first epoch" sees its views first; later, the
boxes of masks are known. "in memory" is the prepared root with data.cache.kind=ram, after the first epoch.
All times end with a batch of normalised float32 images: ours leave the loader as bytes and are normalised on
the training device, which is timed here on the processor.
"""

import argparse
import gc
import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from loader_plain import STYLES, make_reference
from loader_root import make_root
from torch.utils.data import default_collate

from rhobin.data import dataset as samples
from rhobin.data import decoded
from rhobin.data.collate import collate
from rhobin.data.datamodule import BehaveDataModule
from rhobin.data.images import decode, outline
from rhobin.data.prepare import prepared as prepared_views
from rhobin.data.prepare.build import plan, prepare
from rhobin.data.prepare.prepared import read_prepared
from rhobin.data.prepare.recipe import Recipe
from rhobin.data.splits import available_splits
from rhobin.nets.images import normalized

BATCH = 16
REPEATS = 5
TRACKS: dict[str, dict[str, Any]] = {
    "joint (KHOR)": {"crop": "union", "targets": ["heatmaps"]},
    "object (G2DR)": {"crop": "object", "targets": ["heatmaps", "maps"]},
    "human (BEV-HybrIK)": {"crop": "person", "targets": ["heatmaps", "bev"]},
}
OPTIONS: dict[str, Any] = {
    "view": {"on_bad_sample": "skip"},
    "validation": {"fraction": 0},
    "targets": {"heatmaps": {"depth_range": 4.4}},
}
RECIPES = {"joint (KHOR)": Recipe(), "object (G2DR)": Recipe(around="object"), "human (BEV-HybrIK)": Recipe()}
TARGETS = {"raw": 3.0, "prepared": 10.0}


def main() -> None:
    """Make data, measure all tracks, print tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--views", type=int, default=192)
    parser.add_argument("--samples", type=int, default=160)
    parser.add_argument("--source", type=Path, help="synthetic root to enlarge instead of rendering one")
    parser.add_argument("--out", type=Path, help="also write the figures as JSON")
    args = parser.parse_args()
    cv2.setNumThreads(0)
    torch.set_num_threads(1)
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        root = make_root(Path(folder), args.views, args.source)
        for track, reads in TRACKS.items():
            out = Path(folder) / f"prepared-{RECIPES[track].around}"
            if not out.exists():
                found[f"prepare --around {RECIPES[track].around}"] = prepare_root(root, out, RECIPES[track])
            found[track] = measure_track(track, root, out, reads, args.samples)
        found["memory"] = measure_memory(Path(folder) / "prepared-union")
        found["index"] = measure_index(Path(folder) / "prepared-union", Path(folder) / "tiled")
    if args.out:
        args.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def prepare_root(root: Path, out: Path, recipe: Recipe) -> dict[str, float]:
    """Prepare once; returns cost and size a view."""
    todo = plan(list(available_splits(root).releases.values()), out, recipe)
    start = time.process_time()
    prepare(todo)
    each = (time.process_time() - start) / todo.views
    size = sum(p.stat().st_size for p in (out / "views").rglob("*") if p.is_file()) / todo.views
    print(f"prepare --around {recipe.around}: {1e3 * each:.1f} ms and {size / 1e3:.0f} kB a view")
    return {"ms": 1e3 * each, "kB": size / 1e3}


@dataclass
class Stages:
    """Exclusive processor seconds of the steps of a sample."""

    spent: dict[str, float]
    open: list[list[Any]]

    def wrap(self, stage: str, function: Callable) -> Callable:
        """The same function, counted."""

        def counted(*args: Any, **options: Any) -> Any:
            start = time.process_time()
            self.open.append([0.0])
            try:
                return function(*args, **options)
            finally:
                whole = time.process_time() - start
                inner = self.open.pop()[0]
                self.spent[stage] = self.spent.get(stage, 0.0) + whole - inner
                if self.open:
                    self.open[-1][0] += whole

        return counted


@contextmanager
def staged(dataset: Any) -> Iterator[Stages]:
    """Count where a dataset's time goes."""
    stages = Stages({}, [])
    places = [
        ("read", Path, "read_bytes"),
        ("read", prepared_views.PreparedRelease, "content"),
        ("decode", cv2, "imdecode"),
        ("decode", prepared_views, "unpack_masks"),
        ("boxes", decode, "mask_box"),
        ("outline", decoded, "outline_view"),
        ("cut", outline.Outline, "decode"),
        ("warp", samples, "warp_view"),
        ("planes", samples, "stack_planes"),
        ("targets", dataset, "labeller"),
        ("colour", dataset, "repainter"),
    ]
    before = [(owner, name, getattr(owner, name)) for _, owner, name in places]
    for stage, owner, name in places:
        setattr(owner, name, stages.wrap(stage, getattr(owner, name)))
    try:
        yield stages
    finally:
        for owner, name, function in before:
            setattr(owner, name, function)


def measure_track(track: str, root: Path, out: Path, reads: dict[str, Any], count: int) -> dict[str, Any]:
    """Milliseconds a sample of all loaders, in turns."""
    made = {}
    kinds = {
        "raw, first epoch": (root, "none"),
        "raw": (root, "none"),
        "prepared": (out, "none"),
        "in memory": (out, "ram"),
    }
    for kind, (folder, cache) in kinds.items():
        made[kind] = BehaveDataModule(
            folder, augment={}, workers=0, cache={"kind": cache}, reads=reads, **OPTIONS
        )
        made[kind].setup()
    for kind in ("raw", "prepared", "in memory"):
        visit_all(made[kind].train_dataset)
    loaders: dict[str, Any] = {kind: datamodule.train_dataset for kind, datamodule in made.items()}
    for style in STYLES:
        loaders[style] = make_reference(root, reads["crop"], root.parent / "nocs", style)
    usable = np.flatnonzero(loaders["raw"].faults.code == 0)
    warm_up, order = np.split(np.random.default_rng(0).permutation(usable)[: BATCH + count], [BATCH])
    spent = dict.fromkeys(loaders, 0.0)
    for turn, views in enumerate([warm_up, *np.split(order, range(BATCH, len(order), BATCH))]):
        for name, loader in loaders.items():
            start = time.process_time()
            if name in made:
                make_batch([loader[1, index] for index in views.tolist()])
            else:
                default_collate([loader[index] for index in views.tolist()])
            spent[name] += (time.process_time() - start) * (turn > 0)
    parts = {kind: where_time_goes(loaders[kind], order) for kind in made if kind != "raw, first epoch"}
    each = {name: 1e3 * seconds / len(order) for name, seconds in spent.items()}
    report(track, each, parts)
    return {"ms": each, "parts": parts}


def visit_all(dataset: Any) -> None:
    """What the first epoch does: note masks' boxes, prepare templates, fill the cache, find broken views."""
    for index in range(len(dataset)):
        dataset[(0, index)]


def make_batch(batch: list) -> tuple:
    """A batch of ours, and its images as float32 for the network."""
    merged = collate(batch)
    return merged, normalized(merged.image)


def collate_seconds(merge: Callable, batch: list) -> float:
    """Processor seconds of making one batch, from several in a row."""
    merge(batch)
    start = time.process_time()
    for _ in range(REPEATS):
        merge(batch)
    return (time.process_time() - start) / REPEATS


def where_time_goes(dataset: Any, order: np.ndarray) -> dict[str, float]:
    """Milliseconds a sample of each step."""
    chosen = [(1, int(index)) for index in order[: 2 * BATCH]]
    with staged(dataset) as stages:
        whole = time.process_time()
        made = [dataset[item] for item in chosen]
        whole = time.process_time() - whole
    parts = {stage: 1e3 * seconds / len(made) for stage, seconds in stages.spent.items()}
    parts["rest"] = 1e3 * whole / len(made) - sum(parts.values())
    batches = {"collate": collate, "collate and normalise": make_batch}
    return parts | {
        name: 1e3 * collate_seconds(merge, made[:BATCH]) / BATCH for name, merge in batches.items()
    }


def report(track: str, each: dict[str, float], parts: dict[str, dict[str, float]]) -> None:
    """Print one track."""
    heads = "".join(f"{'over ' + style.replace('reference, ', ''):>16}" for style in STYLES)
    print(f"\n{track}, 256 px\n  {'loader':<18}{'ms':>8}{'samples/s a core':>18}{heads}")
    for name, ms in each.items():
        ratios = "".join(f"{each[style] / ms:>15.1f}x" for style in STYLES)
        aim = f"   at least {TARGETS[name]:.0f} wanted" if name in TARGETS else ""
        print(f"  {name:<18}{ms:>8.2f}{1e3 / ms:>18.0f}{ratios}{aim}")
    for kind, stages in parts.items():
        said = ", ".join(f"{stage} {ms:.2f}" for stage, ms in stages.items())
        print(f"  where {kind} goes, ms: {said}")


def measure_memory(out: Path) -> list[float]:
    """Resident megabytes before and after each of three epochs, read in this process."""
    datamodule = BehaveDataModule(
        out, augment={}, workers=0, batch_size=BATCH, reads=TRACKS["joint (KHOR)"], **OPTIONS
    )
    datamodule.setup()
    loader = datamodule.train_dataloader()
    used = []
    for _ in range(3):
        for _ in loader:
            pass
        gc.collect()
        used.append(int(Path("/proc/self/statm").read_bytes().split()[1]) * 4096 / 1e6)
    print(f"\nresident memory after each of three epochs: {', '.join(f'{mb:.1f}' for mb in used)} MB")
    return used


def measure_index(out: Path, tiled: Path, views: int = 45_000) -> dict[str, float]:
    """Seconds to open an index of 45,000 views."""
    shutil.copytree(out, tiled, ignore=shutil.ignore_patterns("views"))
    folder = tiled / "index/train"
    times = -(-views // len(np.load(folder / "views_frame.npy")))
    for file in folder.glob("*.npy"):
        np.save(file, np.concatenate([np.load(file)] * times))
    templates = read_prepared(out, "train").templates
    wall, start = time.perf_counter(), time.process_time()
    release = read_prepared(tiled, "train", templates)
    spent, wall = time.process_time() - start, time.perf_counter() - wall
    print(
        f"index of {len(release.views.frame):,} views opens in {spent:.2f} s of processor time ({wall:.2f} s)"
    )
    return {"cpu_s": spent, "wall_s": wall}


if __name__ == "__main__":
    main()
