"""Predictions on disk: `results.pkl` as the challenge takes it, and a sidecar that ties it to its origin."""

from __future__ import annotations

import hashlib
import json
import pickle
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from rhobin.behave.layout import TEST_KINECT
from rhobin.files import write_bytes, write_json
from rhobin.geometry.rotation import rotmat_to_rotvec
from rhobin.pickles import load_pickle
from rhobin.types import GENDERS, Prediction, SampleKey, map_tensors

SCHEMA = 1
_ARRAYS = ("poses", "betas", "trans", "obj_rots", "obj_trans", "obj_scales")


class StoreError(ValueError):
    """Stored predictions that are damaged, or belong to another run, config or data set."""


@dataclass(frozen=True)
class Provenance:
    """Where predictions come from; stored beside them.

    Attributes:
        method: name of the method.
        run: name of the run.
        checkpoint: checkpoint file, relative to the run folder.
        checkpoint_hash: SHA-256 of that file.
        config_hash: hash of the run's config.
        data_hash: hash of the data set.
        protocol: name of the protocol the predictions are for.
    """

    method: str
    run: str
    checkpoint: str
    checkpoint_hash: str
    config_hash: str
    data_hash: str
    protocol: str


def collect_results(
    predictions: Iterable[tuple[Prediction, Tensor, list[SampleKey]]],
) -> dict[str, dict[str, Any]]:
    """Gather batches of predictions in the challenge's layout.

    Args:
        predictions: prediction in the camera frame, gender indices (B,) and keys of each batch; views of
            kinect 1 only, as in the challenge.

    Returns:
        By sequence name: ``frames`` (list), ``gender``, ``poses`` (T, 156) axis-angle, ``betas``, ``trans``,
        ``obj_rots`` (T, 3, 3), ``obj_trans``, and ``obj_scales`` (T,) where a method predicts scale.

    Raises:
        ValueError: a view is not of kinect 1, a frame occurs twice, or a part is missing.
    """
    rows: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
    for prediction, gender, keys in predictions:
        arrays = _arrays(prediction)
        for i, key in enumerate(keys):
            if key.camera != TEST_KINECT:
                where = f"{key.sequence}/{key.frame}"
                raise ValueError(
                    f"{where}: the challenge's views are of kinect {TEST_KINECT}, not {key.camera}."
                )
            if key.frame in rows[key.sequence]:
                raise ValueError(f"{key.sequence}/{key.frame} was predicted twice.")
            row = {name: array[i] for name, array in arrays.items()}
            rows[key.sequence][key.frame] = row | {"gender": GENDERS[int(gender[i])]}
    return {sequence: _stack(frames) for sequence, frames in sorted(rows.items())}


def write_results(path: Path, results: dict[str, dict[str, Any]], provenance: Provenance) -> None:
    """Write `results.pkl` and, beside it, `results.json` with its origin and checksum.

    Args:
        path: where the pickle goes.
        results: predictions by sequence name.
        provenance: where they come from.
    """
    content = pickle.dumps(results, protocol=4)
    sidecar = {
        "schema": SCHEMA,
        **asdict(provenance),
        "results_hash": hashlib.sha256(content).hexdigest(),
        "frames": sum(len(record["frames"]) for record in results.values()),
    }
    write_bytes(path, content)
    write_json(sidecar_path(path), sidecar, indent=2)


def read_results(path: Path, expected: Provenance | None = None) -> tuple[dict[str, Any], Provenance]:
    """Read stored predictions, refusing those of another origin.

    Args:
        path: the pickle.
        expected: the origin they must have; None takes any.

    Returns:
        Predictions by sequence name, and where they come from.

    Raises:
        FileNotFoundError: the pickle or its sidecar is missing.
        StoreError: schema, checksum or origin differ.
    """
    sidecar = _read_sidecar(path)
    found = Provenance(**{field.name: str(sidecar[field.name]) for field in fields(Provenance)})
    if expected is not None:
        _refuse_other(path, found, expected)
    if hashlib.sha256(path.read_bytes()).hexdigest() != sidecar["results_hash"]:
        raise StoreError(
            f"{path} is not the file its sidecar {sidecar_path(path).name} describes (checksums differ). "
            "Predict again: python eval.py run=RUN force=true"
        )
    return load_pickle(path), found


def sidecar_path(path: Path) -> Path:
    """The JSON file beside a prediction file."""
    return path.with_suffix(".json")


def _read_sidecar(path: Path) -> dict[str, Any]:
    sidecar = sidecar_path(path)
    for file in (path, sidecar):
        if not file.is_file():
            raise FileNotFoundError(
                f"No predictions: {file} is missing. Make them: python eval.py run={path.parent}"
            )
    content = json.loads(sidecar.read_text())
    if content.get("schema") != SCHEMA:
        raise StoreError(f"{sidecar}: expected schema {SCHEMA}, found {content.get('schema')}.")
    absent = [f.name for f in fields(Provenance) if f.name not in content]
    if absent or "results_hash" not in content:
        raise StoreError(f"{sidecar}: keys are missing: {absent or ['results_hash']}.")
    return content


def _refuse_other(path: Path, found: Provenance, expected: Provenance) -> None:
    for field in fields(Provenance):
        have, want = getattr(found, field.name), getattr(expected, field.name)
        if have != want:
            raise StoreError(
                f"{path} has {field.name} {have!r}, expected {want!r}: results of different origin "
                "are not mixed. Predict again: python eval.py run=RUN force=true"
            )


def _arrays(prediction: Prediction) -> dict[str, np.ndarray]:
    if prediction.human is None or prediction.object is None:
        raise ValueError("A joint prediction needs a person and an object; the method gave only one of them.")
    human, thing = map_tensors(prediction.human, _plain), map_tensors(prediction.object, _plain)
    parts = {
        "poses": rotmat_to_rotvec(human.theta).flatten(1),
        "betas": human.beta,
        "trans": human.trans,
        "obj_rots": thing.R,
        "obj_trans": thing.t,
    }
    if thing.scale is not None and bool((thing.scale != 1).any()):
        parts["obj_scales"] = thing.scale
    return {name: part.numpy() for name, part in parts.items()}


def _plain(tensor: Tensor) -> Tensor:
    return tensor.detach().cpu().double()


def _stack(frames: dict[str, dict[str, Any]]) -> dict[str, Any]:
    names = sorted(frames)
    record: dict[str, Any] = {"frames": names, "gender": frames[names[0]]["gender"]}
    scaled = any("obj_scales" in row for row in frames.values())
    for key in _ARRAYS:
        if key != "obj_scales":
            record[key] = np.stack([frames[name][key] for name in names])
        elif scaled:
            record[key] = np.array([frames[name].get(key, 1.0) for name in names])
    return record
