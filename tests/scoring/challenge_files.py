"""The reference vectors as the official folder layout on disk."""

from __future__ import annotations

import json
import pickle
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from joint_reference import nested


def as_ref(flat: dict[str, np.ndarray]) -> dict[str, Any]:
    """The ground truth as ``ref.pkl`` holds it."""
    tree = nested(flat)
    annotations = {
        name: {**a, "gender": str(a["gender"]), "frames": [str(f) for f in a["frames"]]}
        for name, a in tree["annotations"].items()
    }
    for annotation in annotations.values():
        annotation["occ_ratios"] = list(annotation["occ_ratios"])
    templates = {
        name: {
            "verts": t["verts"],
            "faces": t["faces"],
            "symmetries": [
                {"R": R, "t": s.reshape(3, 1)} for R, s in zip(t["sym_R"], t["sym_t"], strict=True)
            ],
        }
        for name, t in tree["templates"].items()
    }
    return {"annotations": annotations, "templates": templates}


def as_results(flat: dict[str, np.ndarray]) -> dict[str, Any]:
    """Predictions as ``results.pkl`` holds them."""
    return {
        sequence: {
            **record,
            "frames": [str(f) for f in record["frames"]],
            "gender": str(record["gender"]),
        }
        for sequence, record in nested(flat).items()
    }


def write_layout(root: Path, ref: dict, results: Any, bodies: Path) -> Path:
    """Write ``ref/`` and ``res/``; the body models are the reference's stand-ins."""
    (root / "ref").mkdir(parents=True, exist_ok=True)
    (root / "res").mkdir(exist_ok=True)
    (root / "ref" / "ref.pkl").write_bytes(pickle.dumps(ref))
    (root / "res" / "results.pkl").write_bytes(pickle.dumps(results))
    for gender in ("male", "female"):
        target = root / "ref" / f"SMPLH_{gender}.npz"
        if not target.exists():
            shutil.copy(bodies / f"smplh_{gender}.npz", target)
    return root


def scored(out: Path, track: str) -> dict[str, Any]:
    """The only row of what `rhobin score` wrote."""
    return json.loads((out / "scores.json").read_text())["tracks"][track]["results"]
