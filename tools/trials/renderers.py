"""Compare Blender's renders with Embree's: masks, object coordinates, brightness, and a sheet to look at.

    python tools/trials/renderers.py --out runs/renderers.png

It needs the extra `blender`. It ends with status 1 where masks overlap by less than 0.99, or more than one
pixel in a thousand has coordinates that differ by more than 2 % of the size (rays that graze an inner
edge meet one side or the other).
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

LEAST_IOU, LARGEST_SHIFT, MOST_BEYOND = 0.99, 0.02, 0.001


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


def compare(embree: Picture, blender: Picture) -> dict[str, float]:
    """Mask IoU, distances of coordinates in object sizes, and ratio of brightness."""
    first, second = embree.mask > 0, blender.mask > 0
    both = first & second
    length = np.linalg.norm((embree.nocs[both].astype(float) - blender.nocs[both]) / NOCS_ONE, axis=1)
    return {
        "iou": both.sum() / (first | second).sum(),
        "mean": length.mean(),
        "largest": length.max(),
        "beyond": (length > LARGEST_SHIFT).mean(),
        "pixels": float((length > LARGEST_SHIFT).sum()),
        "brightness": blender.color[both].mean() / embree.color[both].mean(),
    }


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
    print(f"{'object':<17} least IoU  coordinates: mean  largest  pixels beyond 2 %  brightness")
    for name, template in load_templates().items():
        pairs = pictures(template, args.poses, args.size)
        found = [compare(*pair) for pair in pairs]
        of = {key: np.array([one[key] for one in found]) for key in found[0]}
        worst.append((of["iou"].min(), of["beyond"].max()))
        print(
            f"{name:<17} {of['iou'].min():9.5f} {of['mean'].mean():18.6f} {of['largest'].max():8.5f} "
            f"{of['pixels'].sum():18.0f} {of['brightness'].mean():11.2f}",
            flush=True,
        )
        rows.append(row(pairs, 96))
    args.out.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(args.out), np.vstack(rows))
    iou, beyond = min(w[0] for w in worst), max(w[1] for w in worst)
    print(f"all: least IoU {iou:.5f}, most pixels of a picture beyond 2 %: {beyond:.5f}; {args.out}")
    return int(iou < LEAST_IOU or beyond > MOST_BEYOND)


if __name__ == "__main__":
    sys.exit(main())
