"""Procedural irregularity: smooth noise and hashed cells."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

NOISE_SIZE = 1024


@lru_cache(maxsize=1)
def noise_table() -> np.ndarray:
    """(1024, 1024) periodic smooth noise with several octaves, mean 0, about +-1."""
    rng = np.random.default_rng(50)
    total = np.zeros((NOISE_SIZE, NOISE_SIZE), np.float32)
    for octave, cells in enumerate((16, 32, 64, 128, 256)):
        coarse = rng.standard_normal((cells, cells)).astype(np.float32)
        wrapped = np.pad(coarse, 2, mode="wrap")
        side = NOISE_SIZE * (cells + 4) // cells
        start = 2 * NOISE_SIZE // cells
        fine = cv2.resize(wrapped, (side, side), interpolation=cv2.INTER_CUBIC)
        total += fine[start : start + NOISE_SIZE, start : start + NOISE_SIZE] * 0.6**octave
    return np.clip(total / (2.0 * total.std()), -1.5, 1.5)


def noise(u: np.ndarray, v: np.ndarray, cells_per_metre: float) -> np.ndarray:
    """Smooth noise at coordinates in metres; `cells_per_metre` of its coarsest octave."""
    step = cells_per_metre * NOISE_SIZE / 16
    i = (u * step).astype(np.int32) & (NOISE_SIZE - 1)
    j = (v * step).astype(np.int32) & (NOISE_SIZE - 1)
    return noise_table()[i, j]


def cell_hash(i: np.ndarray, j: np.ndarray) -> np.ndarray:
    """A number in [0, 1) for every integer cell, without visible pattern."""
    mixed = (i.astype(np.int64) * 73856093) ^ (j.astype(np.int64) * 19349663)
    mixed = (mixed ^ (mixed >> 13)) * 1274126177
    return ((mixed ^ (mixed >> 16)) & 0xFFFF).astype(np.float32) / 65536.0
