"""The npz files: SMPL-H's keys, small and exactly symmetric."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .skeleton import NAMES, PARENTS, mirror_order

WEIGHT_STEPS = 2048  # every multiple of 1/2048 up to one is a float16, so stored rows sum to one exactly


def quantise_weights(weights: np.ndarray, mirror: np.ndarray) -> np.ndarray:
    """(V, 52) float16 weights in steps of 1/2048 that sum to one and mirror exactly.

    What rounding leaves over goes to a vertex's heaviest joint, on the seam to its heaviest midline joint.
    """
    other = mirror_order(NAMES)
    seam = mirror == np.arange(len(mirror))
    middle = other == np.arange(len(other))
    steps = np.round(weights / weights.sum(1, keepdims=True) * WEIGHT_STEPS)
    heaviest = np.where(seam[:, None] & ~middle, 0.0, weights).argmax(1)
    steps[np.arange(len(steps)), heaviest] += WEIGHT_STEPS - steps.sum(1)
    right = mirror < np.arange(len(mirror))
    steps[right] = steps[mirror[right]][:, other]
    return (steps / WEIGHT_STEPS).astype(np.float16)


def pack(arrays: dict[str, np.ndarray], mirror: np.ndarray) -> dict[str, np.ndarray]:
    """The arrays as they are stored: small types, constants added; `arrays` are in float64."""
    half = ("shapedirs", "posedirs")
    single = ("v_template", "J_regressor", "hands_meanl", "hands_meanr")
    stored = {name: arrays[name].astype(np.float16) for name in half}
    stored |= {name: arrays[name].astype(np.float32) for name in single}
    stored["weights"] = quantise_weights(arrays["weights"], mirror)
    stored["f"] = arrays["f"].astype(np.uint16)
    stored["leaf_vertices"] = arrays["leaf_vertices"].astype(np.int64)
    stored["kintree_table"] = np.array([PARENTS, range(len(PARENTS))], dtype=np.int64)
    stored["hands_componentsl"] = stored["hands_componentsr"] = np.eye(45, dtype=np.float32)
    return stored


def write_model(path: Path, stored: dict[str, np.ndarray], gender: str, model_id: str) -> None:
    """Write one packed body as a compressed npz."""
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, **stored, gender=gender, model_id=model_id)
