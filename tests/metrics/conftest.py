"""Official inputs of the joint track as the product's types."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from joint_reference import nested

from rhobin.behave.ref import RefTemplate, SequenceAnnotation
from rhobin.body.load import load_body


@dataclass
class Reference:
    """Ground truth, templates and float64 bodies of the reference vectors."""

    annotations: dict
    templates: dict
    bodies: dict


def as_submission(flat: dict[str, np.ndarray]) -> dict:
    """Predictions as a results.pkl holds them."""
    return {
        sequence: {
            **record,
            "frames": [str(f) for f in record["frames"]],
            "gender": str(record.get("gender", "")),
        }
        for sequence, record in nested(flat).items()
    }


@pytest.fixture(scope="session")
def reference(oracle, oracle_folder) -> Reference:
    tree = nested(oracle("rhobin_ref"))
    annotations = {
        name: SequenceAnnotation(**{**a, "frames": [str(f) for f in a["frames"]], "gender": str(a["gender"])})
        for name, a in tree["annotations"].items()
    }
    templates = {
        name: RefTemplate(t["verts"], t["faces"], list(zip(t["sym_R"], t["sym_t"], strict=True)))
        for name, t in tree["templates"].items()
    }
    bodies = {gender: load_body(gender, oracle_folder, torch.float64) for gender in ("male", "female")}
    return Reference(annotations, templates, bodies)


@pytest.fixture(scope="session")
def predictions(oracle):
    """Reads a variant's predictions, a fresh copy each time."""
    return lambda variant: as_submission(oracle(f"rhobin_pred_{variant}"))


@pytest.fixture(scope="session")
def recorded_cases(oracle_folder) -> dict[str, dict]:
    """The official evaluator's recorded behaviour on edited joint submissions."""
    records = json.loads((oracle_folder / "rhobin_failure_cases.json").read_text())
    return {r["case"]: r for r in records if r.get("track") == "joint"}
