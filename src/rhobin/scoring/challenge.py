"""The challenge's ground truth on disk, with the body models that it is scored with."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import torch

from rhobin.behave.ref import need_ref, read_ref
from rhobin.body.load import load_body
from rhobin.body.model import BodyModel
from rhobin.metrics.track import GroundTruth
from rhobin.pickles import load_pickle
from rhobin.scoring.by_image import is_image_ref, read_image_ref

GENDERS = ("male", "female")


@dataclass(frozen=True)
class Challenge(GroundTruth):
    """Ground truth, body models, and where both come from.

    Attributes:
        body: names of the body models' files.
        ref_hash: SHA-256 of ``ref.pkl``.
        edition: 2023 (by sequence) or 2024 (by image; also that of 2025).
    """

    body: str = "stand-in"
    ref_hash: str = ""
    edition: str = "2023"


def read_challenge(
    place: Path, body: Path | None = None, beside: bool = True, centred: bool = False
) -> Challenge:
    """Read the ground truth of a dataset root or of the official ``ref`` folder.

    Args:
        place: holds ``ref.pkl`` or ``ref/ref.pkl``, and perhaps ``SMPLH_male.pkl`` and ``SMPLH_female.pkl``
            beside it.
        body: folder of body models; None for those beside ``ref.pkl``, or the stand-in.
        beside: use body models beside ``ref.pkl`` where `body` is None.
        centred: refuse templates that are off their centre, as BEHAVE's are not; the evaluators take any.

    Returns:
        Ground truth and body models, each file read once.

    Raises:
        FileNotFoundError: a file is missing.
        ValueError: a file is malformed.
    """
    path = need_ref(place)
    content = load_pickle(path)
    by_image = is_image_ref(content)
    annotations, templates = read_image_ref(content, path) if by_image else read_ref(path, centred, content)
    if (
        body is None
        and beside
        and any(file.name.lower().startswith("smplh") for file in path.parent.iterdir())
    ):
        body = path.parent
    bodies = scoring_bodies({*GENDERS, *(a.gender for a in annotations.values())}, body)
    edition = "2024" if by_image else "2023"
    return Challenge(
        annotations, templates, bodies, body_name(bodies.values(), body), file_hash(path), edition
    )


def scoring_bodies(genders: Iterable[str], folder: Path | None = None) -> dict[str, BodyModel]:
    """Body models in double precision, as the official evaluators use them.

    Args:
        genders: which to load.
        folder: licensed body models; None for the stand-in.

    Returns:
        Models by gender.
    """
    return {gender: load_body(gender, folder, torch.float64) for gender in sorted(genders)}


def body_name(bodies: Iterable[BodyModel], folder: Path | str | None) -> str:
    """What body models are called: the names in their files, or stand-in where they come from no folder."""
    return "stand-in" if folder is None else ", ".join(sorted({body.model_id for body in bodies}))


def file_hash(path: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
