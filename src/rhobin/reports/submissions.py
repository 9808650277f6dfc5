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

from rhobin.behave.ref import RefTemplate, SequenceAnnotation, read_ref
from rhobin.body.model import BodyModel
from rhobin.files import write_bytes
from rhobin.metrics.submission import SubmissionError
from rhobin.pickles import load_pickle
from rhobin.reports.images import from_images, is_by_image, is_image_ref, read_image_ref
from rhobin.reports.score import scoring_bodies

GENDERS = ("male", "female")


@dataclass(frozen=True)
class Challenge:
    """Ground truth and body models.

    Attributes:
        annotations: by sequence name.
        templates: by object name.
        bodies: float64 body models by gender.
        body: where they come from.
        ref_hash: SHA-256 of ``ref.pkl``.
        edition: 2023 (by sequence) or 2024 (by image; also that of 2025).
    """

    annotations: dict[str, SequenceAnnotation]
    templates: dict[str, RefTemplate]
    bodies: dict[str, BodyModel]
    body: str
    ref_hash: str
    edition: str = "2023"


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
    path = folder / "ref.pkl"
    content = load_pickle(path) if path.is_file() else {}
    by_image = is_image_ref(content)
    annotations, templates = read_image_ref(content, path) if by_image else read_ref(path, centred=False)
    if body is None and any(path.name.lower().startswith("smplh") for path in folder.iterdir()):
        body = folder
    bodies = scoring_bodies({*GENDERS, *(a.gender for a in annotations.values())}, body)
    named = "stand-in" if body is None else ", ".join(sorted({b.model_id for b in bodies.values()}))
    edition = "2024" if by_image else "2023"
    return Challenge(annotations, templates, bodies, named, file_hash(path), edition)


def read_submission(path: Path, challenge: Challenge | None = None) -> dict[str, Any]:
    """Read results in any of the challenge's formats, without running code in them.

    Args:
        path: ``results.pkl`` of 2023 (by sequence; also the organisers' ``chore_joint.pkl``,
            ``chore_object.pkl`` and ``mocap_results.pkl``) or of 2024 (by image), or a zip of one.
        challenge: the ground truth; one by image says where image ids belong.

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
    by_image = challenge is not None and challenge.edition == "2024"
    if is_by_image(content):
        return from_images(content, str(path), challenge.annotations if challenge and by_image else None)
    if by_image:
        raise SubmissionError(
            f"{path}: expected predictions by image id with pose, betas, trans, obj_rot or obj_trans each, "
            f"as the ground truth is by image; found keys {sorted(map(str, content))[:3]}."
        )
    return dict(content)


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


def _load_zip(path: Path) -> Any:
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name.endswith(".pkl")]
        if names != ["results.pkl"]:
            raise SubmissionError(f"{path}: expected a zip with results.pkl, found {names or 'no pickle'}.")
        with tempfile.TemporaryDirectory() as folder:
            unpacked = Path(folder) / "results.pkl"
            unpacked.write_bytes(archive.read("results.pkl"))
            return load_pickle(unpacked)
