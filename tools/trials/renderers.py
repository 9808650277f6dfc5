"""Compare Blender's renders with Embree's: masks, object coordinates, brightness, and a sheet to look at.

    python tools/trials/renderers.py --out runs/renderers.png

It needs the extra `blender`. It ends with status 1 where masks overlap by less than 0.99 or coordinates
differ by more than 2 % of the object's size.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np

from rhobin.behave.renders import NOCS_ONE
from rhobin.objects.load import load_templates
from rhobin.objects.template import Template
from rhobin.synthetic.renders.blender import BlenderRenderer
from rhobin.synthetic.renders.embree import EmbreeRenderer
from rhobin.synthetic.renders.look import draw_look
from rhobin.synthetic.renders.picture import Picture
from rhobin.synthetic.renders.poses import posed_views, stream

LEAST_IOU, LARGEST_SHIFT = 0.99, 0.02


def pictures(template: Template, poses: int, size: int) -> list[tuple[Picture, Picture]]:
    """Both renderers' pictures of the same poses."""
    views = posed_views(template, "uniform", 0, size, range(poses))
    made = []
    for kind in (EmbreeRenderer, BlenderRenderer):
        renderer = kind(template)
        made.append([])
        for index in range(poses):
            rng = stream(0, template.name, index, 1)
            look = draw_look(rng, views.t[index])
            made[-1].append(renderer.render(views.R[index], views.t[index], views.K[index], size, look, rng))
    return list(zip(*made, strict=True))


def compare(embree: Picture, blender: Picture) -> tuple[float, float, float, float]:
    """Mask IoU, largest and mean distance of coordinates in object sizes, ratio of brightness."""
    first, second = embree.mask > 0, blender.mask > 0
    both = first & second
    apart = (embree.nocs[both].astype(float) - blender.nocs[both]) / NOCS_ONE
    length = np.linalg.norm(apart, axis=1)
    ratio = blender.color[both].mean() / embree.color[both].mean()
    return both.sum() / (first | second).sum(), length.max(), length.mean(), ratio


def row(pairs: list[tuple[Picture, Picture]], width: int) -> np.ndarray:
    """Colour of both renderers, and coordinates of both, pose by pose."""
    tiles = []
    for pair in pairs:
        colors = [cv2.resize(p.color, (width, width), interpolation=cv2.INTER_AREA) for p in pair]
        nocs = [(p.nocs[..., ::-1] // 256).astype(np.uint8) for p in pair]
        tiles += colors + [cv2.resize(n, (width, width), interpolation=cv2.INTER_NEAREST) for n in nocs]
    return np.hstack(tiles)


def main() -> int:
    """Measure, print a table, write the sheet."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("runs/renderers.png"))
    parser.add_argument("--poses", type=int, default=5)
    parser.add_argument("--size", type=int, default=256)
    args = parser.parse_args()
    rows, worst = [], []
    print(f"{'object':<18} least IoU  largest and mean coordinate shift  brightness")
    for name, template in load_templates().items():
        pairs = pictures(template, args.poses, args.size)
        found = np.array([compare(*pair) for pair in pairs])
        iou, largest = found[:, 0].min(), found[:, 1].max()
        worst.append((iou, largest))
        print(
            f"{name:<18} {iou:9.5f}  {largest:.5f}  {found[:, 2].mean():.6f}  {found[:, 3].mean():.2f}",
            flush=True,
        )
        rows.append(row(pairs, 96))
    args.out.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(args.out), np.vstack(rows))
    iou, largest = min(w[0] for w in worst), max(w[1] for w in worst)
    print(f"all: least IoU {iou:.5f}, largest coordinate shift {largest:.5f}; {args.out}")
    return int(iou < LEAST_IOU or largest > LARGEST_SHIFT)


if __name__ == "__main__":
    sys.exit(main())
