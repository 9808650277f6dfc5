"""Predictions on disk, tied to their origin.

`results.pkl` is what the challenge takes, `predictions.npz` what goes beyond it; `results.json` says where
both come from.
"""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from rhobin.body.chosen import STAND_IN, STAND_IN_NAME
from rhobin.files import write_bytes, write_json
from rhobin.pickles import load_pickle, read_npz
from rhobin.pickles.write import pickled
from rhobin.scoring.collect import Further

SCHEMA = 4
RESULTS, SIDECAR, FURTHER = "results.pkl", "results.json", "predictions.npz"
HELD_OUT = "validation"
"""Folder of a run that holds the same files of its validation views."""
AGAIN = "Predict again: python eval.py run=RUN force=true"


class StoreError(ValueError):
    """Stored predictions that are damaged, or belong to another run, config or data set."""


@dataclass(frozen=True)
class Provenance:
    """Where predictions come from; stored beside them.

    Attributes:
        method: name of the method: its row in tables.
        title: its name for people.
        run: name of the run.
        checkpoint: checkpoint file, relative to the run folder.
        checkpoint_hash: SHA-256 of that file.
        config_hash: hash of the run's config.
        data_hash: hash of the data set.
        protocol: name of the protocol the predictions are for.
        body: which body models the poses are of, as `rhobin.body.chosen.body_name` tells them.
        body_hash: of their files.
    """

    method: str
    title: str
    run: str
    checkpoint: str
    checkpoint_hash: str
    config_hash: str
    data_hash: str
    protocol: str
    body: str
    body_hash: str

    @property
    def asked_body(self) -> str | None:
        """What to ask for to have its body models again; None where only the user knows the folder."""
        return STAND_IN if self.body == STAND_IN_NAME else None


def write_results(
    folder: Path, results: dict[str, dict[str, Any]], provenance: Provenance, further: Further | None = None
) -> None:
    """Write `results.pkl`, `predictions.npz` where there is more, and `results.json` with the checksums.

    Args:
        folder: the run folder.
        results: predictions by sequence name.
        provenance: where they come from.
        further: what goes beyond the challenge's format.
    """
    content = pickled(results)
    sidecar = {
        "schema": SCHEMA,
        **asdict(provenance),
        "results_hash": hashlib.sha256(content).hexdigest(),
        "frames": sum(len(record["frames"]) for record in results.values()),
    }
    write_bytes(folder / RESULTS, content)
    if further is not None:
        sidecar["predictions_hash"] = _write_further(folder, further)
    write_json(folder / SIDECAR, sidecar, indent=2)


def replace_further(folder: Path, further: Further) -> None:
    """Write `predictions.npz` again, for the results that lie beside it.

    Raises:
        FileNotFoundError: there are no results.
        StoreError: they are of another schema.
    """
    sidecar = _read_sidecar(folder)
    write_json(folder / SIDECAR, sidecar | {"predictions_hash": _write_further(folder, further)}, indent=2)


def read_results(folder: Path, expected: Provenance | None = None) -> tuple[dict[str, Any], Provenance]:
    """Read stored predictions, refusing those of another origin.

    Args:
        folder: the run folder.
        expected: the origin they must have; None takes any.

    Returns:
        Predictions by sequence name, and where they come from.

    Raises:
        FileNotFoundError: the pickle or its sidecar is missing.
        StoreError: schema, checksum or origin differ.
    """
    sidecar = _read_sidecar(folder)
    found = Provenance(**{field.name: str(sidecar[field.name]) for field in fields(Provenance)})
    if expected is not None:
        _refuse_other(folder / RESULTS, found, expected)
    _check_hash(folder / RESULTS, sidecar["results_hash"])
    return load_pickle(folder / RESULTS), found


def read_further(folder: Path) -> Further:
    """Read what a method predicted beyond the challenge's format.

    Args:
        folder: the run folder.

    Returns:
        Plain arrays, one row a view.

    Raises:
        FileNotFoundError: it or its sidecar is missing.
        StoreError: it is not the file that was written with the results.
    """
    sidecar, path = _read_sidecar(folder), folder / FURTHER
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing. {AGAIN}")
    _check_hash(path, sidecar.get("predictions_hash"))
    arrays = read_npz(path)
    return Further(arrays.pop("sequence"), arrays.pop("frame"), arrays)


def _write_further(folder: Path, further: Further) -> str:
    """Write `predictions.npz`; its SHA-256."""
    packed = io.BytesIO()
    named: dict[str, Any] = {"sequence": further.sequence, "frame": further.frame, **further.arrays}
    np.savez_compressed(packed, **named)
    write_bytes(folder / FURTHER, packed.getvalue())
    return hashlib.sha256(packed.getvalue()).hexdigest()


def _read_sidecar(folder: Path) -> dict[str, Any]:
    sidecar = folder / SIDECAR
    for file in (folder / RESULTS, sidecar):
        if not file.is_file():
            raise FileNotFoundError(
                f"No predictions: {file} is missing. Make them: python eval.py run={folder}"
            )
    content = json.loads(sidecar.read_bytes())
    if content.get("schema") != SCHEMA:
        raise StoreError(f"{sidecar}: expected schema {SCHEMA}, found {content.get('schema')}. {AGAIN}")
    absent = [f.name for f in fields(Provenance) if f.name not in content]
    if absent or "results_hash" not in content:
        raise StoreError(f"{sidecar}: keys are missing: {absent or ['results_hash']}.")
    return content


def _check_hash(path: Path, expected: str | None) -> None:
    if hashlib.sha256(path.read_bytes()).hexdigest() != expected:
        raise StoreError(
            f"{path} is not the file its sidecar {SIDECAR} describes (checksums differ). {AGAIN}"
        )


def _refuse_other(path: Path, found: Provenance, expected: Provenance) -> None:
    for field in fields(Provenance):
        have, want = getattr(found, field.name), getattr(expected, field.name)
        if have != want:
            raise StoreError(
                f"{path} has {field.name} {have!r}, expected {want!r}: results of different origin "
                f"are not mixed. {AGAIN}"
            )
