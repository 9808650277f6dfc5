"""`ensemble.json`: the members of an ensemble, their weights, and what stacking gained."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

import rhobin
from rhobin.ensemble.members import EnsembleError, Member
from rhobin.ensemble.parts import PARTS
from rhobin.ensemble.weights import Weights
from rhobin.files import write_json

SCHEMA = 2
ENSEMBLE = "ensemble.json"
_KEYS = ("members", "weights", "body_hash", "gain", "best")


def write_ensemble(
    folder: Path, members: list[Member], weights: Weights, facts: dict[str, Any]
) -> dict[str, Any]:
    """Write `ensemble.json`.

    Args:
        folder: the ensemble's.
        members: with their validation predictions.
        weights: of the members, in their order.
        facts: what else to keep: folds, gain, settings.

    Returns:
        What was written.
    """
    document = {
        "schema": SCHEMA,
        "rhobin": rhobin.__version__,
        "body": members[0].provenance.body,
        "body_hash": members[0].provenance.body_hash,
        "data_hash": members[0].provenance.data_hash,
        "members": [_told(member) for member in members],
        "weights": _weights(weights),
        **facts,
    }
    write_json(folder / ENSEMBLE, document, indent=2)
    return document


def read_ensemble(folder: Path) -> dict[str, Any]:
    """Read `ensemble.json`.

    Raises:
        FileNotFoundError: there is none.
        EnsembleError: it is damaged, or of another schema.
    """
    path = folder / ENSEMBLE
    again = f"Fit again: rhobin ensemble fit {folder} RUN ..."
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing. {again}")
    try:
        document = json.loads(path.read_bytes())
    except ValueError as error:
        raise EnsembleError(f"{path} is damaged ({error}). {again}") from error
    if document.get("schema") != SCHEMA or not set(_KEYS) <= document.keys():
        raise EnsembleError(f"{path}: expected schema {SCHEMA}, found {document.get('schema')}. {again}")
    return document


def weights_of(document: dict[str, Any]) -> Weights:
    """The weights of an ensemble."""
    told = document["weights"]
    whole = np.array(told["shape"])
    parts = told["parts"] or dict.fromkeys(PARTS, told["shape"])
    shape = np.array([parts[part] for part in PARTS])
    pull = np.inf if told["pull"] is None else told["pull"]
    return Weights(shape, np.array(told["turn"]), np.array(told["pelvis"]), whole, pull)


def _weights(weights: Weights) -> dict[str, Any]:
    own = np.isfinite(weights.pull)
    return {
        "shape": weights.whole.tolist(),
        "turn": weights.turn.tolist(),
        "pelvis": weights.pelvis.tolist(),
        "parts": dict(zip(PARTS, weights.shape.tolist(), strict=True)) if own else None,
        "pull": weights.pull if own else None,
    }


def _told(member: Member) -> dict[str, Any]:
    provenance = member.provenance
    return {
        "run": str(member.run),
        "title": provenance.title,
        "id": provenance.run,
        "checkpoint_hash": provenance.checkpoint_hash,
        "config_hash": provenance.config_hash,
        "predictions_hash": member.predictions_hash,
    }
