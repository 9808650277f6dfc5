"""Challenge files on disk: the official folder layout, other people's results, and both editions' formats."""

from __future__ import annotations

import hashlib
import pickle
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rhobin.behave.ref import RefTemplate, SequenceAnnotation, read_ref
from rhobin.behave.write import write_bytes
from rhobin.body.model import BodyModel
from rhobin.metrics.submission import SubmissionError
from rhobin.pickles import load_pickle
from rhobin.reports.score import scoring_bodies

GENDERS = ("male", "female")
_IMAGE_KEYS = {
    "pose": "poses",
    "betas": "betas",
    "trans": "trans",
    "obj_rot": "obj_rots",
    "obj_trans": "obj_trans",
    "vertices": "smpl_verts",
}
_SEQUENCE_KEYS = {value: key for key, value in _IMAGE_KEYS.items()}


@dataclass(frozen=True)
class Challenge:
    """Ground truth and body models.

    Attributes:
        annotations: by sequence name.
        templates: by object name.
        bodies: float64 body models by gender.
        body: where they come from.
        ref_hash: SHA-256 of ``ref.pkl``.
    """

    annotations: dict[str, SequenceAnnotation]
    templates: dict[str, RefTemplate]
    bodies: dict[str, BodyModel]
    body: str
    ref_hash: str


def read_challenge(folder: Path, body: Path | None = None) -> Challenge:
    """Read the official ``ref`` folder.

    Args:
        folder: holds ``ref.pkl`` and, usually, ``SMPLH_male.pkl`` and ``SMPLH_female.pkl``.
        body: folder of body models; None for those in `folder`, or the stand-in where there are none.

    Returns:
        Ground truth and body models.

    Raises:
        FileNotFoundError: a file is missing.
        ValueError: a file is malformed.
    """
    annotations, templates = read_ref(folder / "ref.pkl", centred=False)
    if body is None and any(path.name.lower().startswith("smplh") for path in folder.iterdir()):
        body = folder
    bodies = scoring_bodies(GENDERS, body)
    named = "stand-in" if body is None else ", ".join(sorted({b.model_id for b in bodies.values()}))
    return Challenge(annotations, templates, bodies, named, file_hash(folder / "ref.pkl"))


def read_submission(path: Path) -> dict[str, Any]:
    """Read results in any of the challenge's formats, without running code in them.

    Args:
        path: ``results.pkl`` of 2023 (by sequence; also the organisers' ``chore_joint.pkl``,
            ``chore_object.pkl`` and ``mocap_results.pkl``) or of 2024 (by image), or a zip of one.

    Returns:
        Predictions by sequence name, in the format of 2023.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is broken, carries code, or holds something else.
    """
    if not path.is_file():
        raise FileNotFoundError(f"no results at {path}: expected the challenge's results.pkl or its zip")
    content = _load_zip(path) if zipfile.is_zipfile(path) else load_pickle(path)
    if not isinstance(content, Mapping):
        raise SubmissionError(f"{path}: expected a dict of sequences, found {type(content).__name__}.")
    by_image = [
        k for k, v in content.items() if isinstance(v, Mapping) and "frames" not in v and _is_image(v)
    ]
    if not content or len(by_image) != len(content):
        return dict(content)
    return from_images(content, str(path))


def from_images(images: Mapping[str, Any], source: str = "results") -> dict[str, Any]:
    """Predictions by image (2024) as predictions by sequence (2023).

    Args:
        images: by image id, ``sequence/frame``.
        source: what to call the predictions in messages.

    Returns:
        By sequence name, frames sorted.

    Raises:
        SubmissionError: an id or a key does not fit.
    """
    groups: dict[str, dict[str, Mapping[str, Any]]] = {}
    for name, image in images.items():
        sequence, slash, frame = str(name).rpartition("/")
        if not slash:
            raise SubmissionError(f"{source}: image id {name!r}: expected SEQUENCE/FRAME.")
        groups.setdefault(sequence, {})[frame] = image
    return {name: _sequence(name, frames, source) for name, frames in sorted(groups.items())}


def to_images(results: Mapping[str, Any]) -> dict[str, dict[str, np.ndarray]]:
    """Predictions by sequence (2023) as predictions by image (2024), with ids ``sequence/frame``."""
    return {
        f"{sequence}/{frame}": {
            _SEQUENCE_KEYS[key]: np.asarray(values)[row]
            for key, values in record.items()
            if key in _SEQUENCE_KEYS
        }
        for sequence, record in results.items()
        for row, frame in enumerate(record["frames"])
    }


def write_zip(path: Path, content: Mapping[str, Any]) -> None:
    """Write a submission: a zip that holds ``results.pkl`` and nothing else; the same bytes each time."""
    with tempfile.TemporaryDirectory() as folder:
        packed = Path(folder) / "results.zip"
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            entry = zipfile.ZipInfo("results.pkl", date_time=(2023, 1, 1, 0, 0, 0))
            archive.writestr(entry, pickle.dumps(dict(content), protocol=4), zipfile.ZIP_DEFLATED)
        write_bytes(path, packed.read_bytes())


def file_hash(path: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _is_image(record: Mapping[str, Any]) -> bool:
    return bool(set(record) & {"pose", "obj_rot", "vertices"})


def _load_zip(path: Path) -> Any:
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name.endswith(".pkl")]
        if names != ["results.pkl"]:
            raise SubmissionError(f"{path}: expected a zip with results.pkl, found {names or 'no pickle'}.")
        with tempfile.TemporaryDirectory() as folder:
            unpacked = Path(folder) / "results.pkl"
            unpacked.write_bytes(archive.read("results.pkl"))
            return load_pickle(unpacked)


def _sequence(name: str, frames: Mapping[str, Mapping[str, Any]], source: str) -> dict[str, Any]:
    order = sorted(frames)
    record: dict[str, Any] = {"frames": order}
    for key in sorted(set().union(*frames.values()) & set(_IMAGE_KEYS)):
        absent = next((frame for frame in order if key not in frames[frame]), None)
        if absent is not None:
            raise SubmissionError(f"{source}: image {name}/{absent}: key {key!r} is missing.")
        try:
            record[_IMAGE_KEYS[key]] = np.stack([np.asarray(frames[frame][key]) for frame in order])
        except ValueError as error:
            raise SubmissionError(f"{source}: sequence {name}: key {key!r}: {error}.") from error
    return record
