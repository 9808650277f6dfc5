"""A raw root of full-size frames for the loader's benchmark."""

import json
import shutil
from pathlib import Path

import cv2
import numpy as np

from rhobin.behave.layout import KINECTS, SYNTHETIC
from rhobin.behave.writers.files import read_image
from rhobin.behave.writers.tree import COLOR_QUALITY, MASK_QUALITY
from rhobin.synthetic.build import build_dataset
from rhobin.synthetic.plan import plan_dataset

WIDTH, HEIGHT = 2048, 1536


def make_root(folder: Path, views: int, source: Path | None) -> Path:
    """A raw root of `views` training views at full size."""
    root = folder / "raw"
    small = source or folder / "small"
    if source is None:
        plans = plan_dataset("demo", 0, max(1, views // 4 // 12))
        chosen = [[plan for plan in plans if plan.split == split] for split in ("train", "test")]
        build_dataset(small, chosen[0][:12] + chosen[1][:1], {"benchmark": True}, 640, 2, meshes=False)
    split = json.loads((small / "split.json").read_bytes())
    root.mkdir()
    for name in ("calibs", "objects"):
        shutil.copytree(small / name, root / name)
    if (small / SYNTHETIC).is_file():
        shutil.copy(small / SYNTHETIC, root)
    train = spread(split["train"], 12)
    test = split["test"][:1]
    sizes: list[int] = []
    for name in [*train, *test]:
        keep = 1 if name in test else max(1, views // 4 // len(train))
        folders = sorted(p for p in (small / "sequences" / name).iterdir() if p.is_dir())
        for frame in folders[:keep]:
            target = root / "sequences" / name / frame.name
            shutil.copytree(frame, target, ignore=shutil.ignore_patterns("*.jpg", "*.ply"))
            sizes += [enlarge_view(frame, target, kinect) for kinect in KINECTS]
        shutil.copy(small / "sequences" / name / "info.json", root / "sequences" / name)
    (root / "split.json").write_text(json.dumps({"train": train, "test": test}), encoding="utf-8")
    print(f"{len(sizes)} views of {WIDTH} x {HEIGHT}, {np.mean(sizes) / 1e3:.0f} kB a colour JPEG")
    return root


def spread(names: list[str], count: int) -> list[str]:
    """Evenly spread names."""
    return [names[i] for i in np.linspace(0, len(names) - 1, min(count, len(names))).astype(int)]


def enlarge_view(source: Path, target: Path, kinect: int) -> int:
    """Write one view at full size; returns the bytes of its colour JPEG."""
    color = read_image(source / f"k{kinect}.color.jpg")
    color = cv2.resize(color, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    rng = np.random.default_rng(kinect)
    grain = cv2.resize(rng.normal(0, 1.2, (HEIGHT // 2, WIDTH // 2, 1)).astype(np.float32), (WIDTH, HEIGHT))
    color = np.clip(color + grain[..., None], 0, 255).astype(np.uint8)
    cv2.imwrite(str(target / f"k{kinect}.color.jpg"), color, [cv2.IMWRITE_JPEG_QUALITY, COLOR_QUALITY - 12])
    for name in ("person_mask", "obj_rend_mask"):
        small = read_image(source / f"k{kinect}.{name}.jpg", cv2.IMREAD_GRAYSCALE)
        mask = cv2.resize(small, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC) > 127
        cv2.imwrite(
            str(target / f"k{kinect}.{name}.jpg"),
            mask * np.uint8(255),
            [cv2.IMWRITE_JPEG_QUALITY, MASK_QUALITY],
        )
    return (target / f"k{kinect}.color.jpg").stat().st_size
