"""How people and objects darken the floor around them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rhobin.geometry.raycast import Scene
from rhobin.synthetic.light.shading import OPEN_RAYS, OPEN_REACH, openness

FLOOR_CELL = 0.05
FLOOR_MARGIN = 0.35


@dataclass(frozen=True)
class FloorShade:
    """How open the floor under two actors is to ambient light, on a grid.

    Attributes:
        origin: (2,) x and z of the first cell, metres.
        open: (rows along z, columns along x) in [0, 1]; 1 at the border.
    """

    origin: np.ndarray
    open: np.ndarray

    @classmethod
    def under(cls, scene: Scene, verts: np.ndarray) -> FloorShade:
        """Cast rays upwards from the floor around vertices (N, 3) of a scene."""
        low = verts.min(axis=0)[[0, 2]] - FLOOR_MARGIN
        high = verts.max(axis=0)[[0, 2]] + FLOOR_MARGIN
        columns, rows = np.ceil((high - low) / FLOOR_CELL).astype(int) + 1
        x, z = np.meshgrid(low[0] + FLOOR_CELL * np.arange(columns), low[1] + FLOOR_CELL * np.arange(rows))
        points = np.stack([x, np.zeros_like(x), z], axis=-1).reshape(-1, 3).astype(np.float32)
        up = np.tile(np.array([0, 1, 0], np.float32), (len(points), 1))
        grid = openness([scene], points, up, OPEN_RAYS, OPEN_REACH).reshape(rows, columns)
        grid[[0, -1]], grid[:, [0, -1]] = 1, 1
        return cls(low, _blur(grid))

    def covers(self, x: np.ndarray, z: np.ndarray) -> np.ndarray:
        """Indices of the floor points that lie over the grid."""
        rows, columns = self.open.shape
        low, high = self.origin, self.origin + FLOOR_CELL * np.array([columns - 1, rows - 1])
        return np.flatnonzero((x > low[0]) & (x < high[0]) & (z > low[1]) & (z < high[1]))

    def at(self, x: np.ndarray, z: np.ndarray) -> np.ndarray:
        """Openness of floor points, bilinear; 1 outside the grid."""
        column = (x - np.float32(self.origin[0])) * np.float32(1 / FLOOR_CELL)
        row = (z - np.float32(self.origin[1])) * np.float32(1 / FLOOR_CELL)
        column = np.clip(column, 0, self.open.shape[1] - 1.001)
        row = np.clip(row, 0, self.open.shape[0] - 1.001)
        i, j = row.astype(np.int32), column.astype(np.int32)
        a, b = row - i, column - j
        top = self.open[i, j] * (1 - b) + self.open[i, j + 1] * b
        bottom = self.open[i + 1, j] * (1 - b) + self.open[i + 1, j + 1] * b
        return top * (1 - a) + bottom * a


def _blur(grid: np.ndarray) -> np.ndarray:
    padded = np.pad(grid, 1, mode="edge")
    rows = 0.25 * padded[:-2] + 0.5 * padded[1:-1] + 0.25 * padded[2:]
    return (0.25 * rows[:, :-2] + 0.5 * rows[:, 1:-1] + 0.25 * rows[:, 2:]).astype(np.float32)
