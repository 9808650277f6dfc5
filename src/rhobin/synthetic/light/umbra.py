"""Where a lamp's view is covered by people and objects: which surface points need shadow rays at all."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from rhobin.synthetic.light.shading import Light, seen_from

CELLS = 56
GAP = 0.035
"""Metres: no point of a surface is farther than this from the nearest probe."""


@dataclass(frozen=True)
class Umbra:
    """Cells of a lamp's view that may be darkened.

    Attributes:
        low: (2,) view coordinates of the first cell's corner.
        cell: width of a cell in the same coordinates.
        dark: (rows, columns) uint8, 1 where something may stand between.
    """

    low: np.ndarray
    cell: float
    dark: np.ndarray

    @classmethod
    def of(cls, light: Light, probes: np.ndarray) -> Umbra:
        """The umbra and penumbra of surfaces given by probes at most `GAP` apart.

        Args:
            light: the lamp.
            probes: (N, 3) points on the surfaces, metres.
        """
        view = seen_from(light, probes)
        near = max(float(view[2].min()), 0.3)
        far = near + 4.0
        half = float(np.hypot(np.linalg.norm(light.u), np.linalg.norm(light.v)))
        margin = half * (1 / near - 1 / far) + GAP / near
        low, high = view[:2].min(axis=1) - margin, view[:2].max(axis=1) + margin
        cell = float((high - low).max()) / CELLS
        columns, rows = np.ceil((high - low) / cell).astype(int) + 1
        dark = np.zeros((rows, columns), np.uint8)
        i, j = ((view[:2] - low[:, None]) / cell).astype(np.int32)
        dark[j, i] = 1
        reach = int(np.ceil(margin / cell)) + 1
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
        return cls(low.astype(np.float32), cell, cv2.dilate(dark, disc))

    def covers(self, view: np.ndarray) -> np.ndarray:
        """Which of the points (2, N), in the lamp's view, need shadow rays: their indices."""
        i = (view[0] - self.low[0]) * np.float32(1 / self.cell)
        j = (view[1] - self.low[1]) * np.float32(1 / self.cell)
        rows, columns = self.dark.shape
        inside = np.flatnonzero((i >= 0) & (i < columns) & (j >= 0) & (j < rows))
        return inside[self.dark[j[inside].astype(np.int32), i[inside].astype(np.int32)] > 0]
