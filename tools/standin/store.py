"""The npz files: SMPL-H's keys, small and exactly symmetric."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .skeleton import PARENTS

WEIGHT_STEPS = 2048  # every multiple of 1/2048 up to one is a float16, so stored rows sum to one exactly


def quantise_weights(weights: np.ndarray) -> np.ndarray:
    """(V, 52) float16 weights in steps of 1/2048 whose rows sum to one (largest remainders round up)."""
    scaled = weights / weights.sum(1, keepdims=True) * WEIGHT_STEPS
    steps = np.floor(scaled + 1e-9)
    missing = np.round(WEIGHT_STEPS - steps.sum(1)).astype(int)
    order = np.argsort(-(scaled - steps), axis=1, kind="stable")
    rank = np.argsort(order, axis=1, kind="stable")
    return ((steps + (rank < missing[:, None])) / WEIGHT_STEPS).astype(np.float16)


def write_model(path: Path, arrays: dict[str, np.ndarray], gender: str, model_id: str) -> None:
    """Write one body; `arrays` holds the SMPL-H arrays in float64."""
    half = ("shapedirs", "posedirs")
    single = ("v_template", "J_regressor", "hands_meanl", "hands_meanr")
    stored = {name: arrays[name].astype(np.float16) for name in half}
    stored |= {name: arrays[name].astype(np.float32) for name in single}
    stored["weights"] = quantise_weights(arrays["weights"])
    stored["f"] = arrays["f"].astype(np.uint16)
    stored["leaf_vertices"] = arrays["leaf_vertices"].astype(np.int64)
    stored["kintree_table"] = np.array([PARENTS, range(len(PARENTS))], dtype=np.int64)
    stored["hands_componentsl"] = stored["hands_componentsr"] = np.eye(45, dtype=np.float32)
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, **stored, gender=gender, model_id=model_id)
