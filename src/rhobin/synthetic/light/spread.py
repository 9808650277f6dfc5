"""Light found at few pixels, smoothed along each surface and brought to all pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rhobin.synthetic.light.shading import DITHER_FILTER


@dataclass(frozen=True)
class Grid:
    """Surface ids, points and normals of a grid of pixels."""

    surface: np.ndarray
    points: np.ndarray
    normals: np.ndarray


Tap = tuple[np.ndarray, np.ndarray, np.ndarray]


def _mixed(target: Grid, source: Grid, values: np.ndarray, taps: list[Tap]) -> np.ndarray:
    """Weighted means of `values` (on the source grid) over taps of the same, locally flat surface.

    A tap is source rows, source columns and weights; where no tap lies on the target's surface, the plain
    mean is taken.
    """
    total = np.zeros((*target.surface.shape, values.shape[-1]), np.float32)
    plain, weights = total.copy(), np.full(target.surface.shape, 1e-9, np.float32)
    for rows, columns, share in taps:
        at = np.ix_(np.clip(rows, 0, values.shape[0] - 1), np.clip(columns, 0, values.shape[1] - 1))
        apart = np.abs(np.einsum("hwk,hwk->hw", target.normals, source.points[at] - target.points))
        weight = (share * (source.surface[at] == target.surface)).astype(np.float32) * np.exp(-40 * apart)
        here = values[at]
        total += here * weight[..., None]
        plain += here * share[..., None].astype(np.float32)
        weights += weight
    return np.where(weights[..., None] > 0.02, total / weights[..., None], plain)


def spread(coarse: np.ndarray, fine: Grid) -> np.ndarray:
    """Smooth light along each surface and bring it to full resolution.

    Args:
        coarse: (ceil(H / 2), ceil(W / 2), C) light at every second pixel of the grid.
        fine: the grid.

    Returns:
        (H, W, C) light at every pixel.
    """
    half = Grid(fine.surface[::2, ::2], fine.points[::2, ::2], fine.normals[::2, ::2])
    rows, columns = (np.arange(n) for n in half.surface.shape)
    steps = list(zip(range(-2, 3), DITHER_FILTER, strict=True))
    taps = [(rows + dr, columns + dc, np.full((1, 1), wr * wc)) for dr, wr in steps for dc, wc in steps]
    smooth = _mixed(half, half, coarse, taps)
    v, u = (np.arange(n) / 2 for n in fine.surface.shape)
    taps = []
    for dr in (0, 1):
        for dc in (0, 1):
            i, j = v.astype(int) + dr, u.astype(int) + dc
            taps.append((i, j, (1 - np.abs(v - i))[:, None] * (1 - np.abs(u - j))))
    return _mixed(fine, half, smooth, taps)
