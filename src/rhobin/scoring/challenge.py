"""The challenge's ground truth on disk, with the body models that it is scored with."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from rhobin.behave.own_body import choose_body, is_generated
from rhobin.behave.ref import need_ref, read_ref
from rhobin.body.chosen import STAND_IN_NAME, body_hash, body_name
from rhobin.body.load import load_body
from rhobin.body.model import BodyModel
from rhobin.metrics.track import GroundTruth
from rhobin.pickles import load_pickle
from rhobin.scoring.by_image import is_image_ref, read_image_ref

GENDERS = ("male", "female")
NO_BODY = "none"
"""What the body models of the object track are called, which needs none."""


@dataclass(frozen=True)
class Challenge(GroundTruth):
    """Ground truth, body models, and where both come from.

    Attributes:
        body: names of the body models' files; `NO_BODY` where no people are scored.
        body_hash: of those files.
        synthetic: `rhobin synth` made what is scored.
        ref_hash: SHA-256 of ``ref.pkl``.
        edition: 2023 (by sequence) or 2024 (by image; also that of 2025).
    """

    body: str = STAND_IN_NAME
    body_hash: str = ""
    synthetic: bool = False
    ref_hash: str = ""
    edition: str = "2023"

    @property
    def origin(self) -> dict[str, Any]:
        """What scores say of the body, and of what is not BEHAVE's.

        `generated` scores are of a generated root or of the stand-in body, `synthetic` ones of the former.
        """
        made_up = self.synthetic or self.body == STAND_IN_NAME
        told = {"body": self.body, "body_hash": self.body_hash}
        return {**told, "generated": made_up, "synthetic": self.synthetic}


def read_challenge(
    place: Path,
    body: str | Path | None = None,
    beside: bool = True,
    centred: bool = False,
    people: bool = True,
    setting: str = "--body ",
) -> Challenge:
    """Read the ground truth of a dataset root or of the official ``ref`` folder.

    Args:
        place: holds ``ref.pkl`` or ``ref/ref.pkl``, and perhaps ``SMPLH_male.pkl`` and ``SMPLH_female.pkl``
            beside it.
        body: folder of body models, or "standin"; None for those beside ``ref.pkl``, or the stand-in of a
            generated root.
        beside: use body models beside ``ref.pkl`` where `body` is None.
        centred: refuse templates that are off their centre, as BEHAVE's are not; the evaluators take any.
        people: whether people are scored, which needs body models.
        setting: how to ask for body models, for messages.

    Returns:
        Ground truth and body models, each file read once.

    Raises:
        FileNotFoundError: a file is missing.
        ValueError: a file is malformed, or the body models were not asked for, or are not the root's.
    """
    path = need_ref(place)
    content = load_pickle(path)
    by_image = is_image_ref(content)
    annotations, templates = (
        read_image_ref(content, path) if by_image else read_ref(path, centred, content, scored=True)
    )
    if (
        body is None
        and beside
        and any(file.name.lower().startswith("smplh") for file in path.parent.iterdir())
    ):
        body = path.parent
    root = _root_of(path)
    known: dict[str, Any] = {"synthetic": is_generated(root), "ref_hash": file_hash(path)}
    known |= {"edition": "2024" if by_image else "2023"}
    if not people:
        return Challenge(annotations, templates, {}, NO_BODY, **known)
    folder = choose_body(root, body, setting)
    bodies = scoring_bodies({*GENDERS, *(a.gender for a in annotations.values())}, folder)
    return Challenge(annotations, templates, bodies, body_name(bodies.values()), body_hash(folder), **known)


def _root_of(ref: Path) -> Path:
    """The root that a ``ref.pkl`` belongs to: its folder, or the one around ``ref/``."""
    around = ref.parent.name == "ref" and not is_generated(ref.parent)
    return ref.parent.parent if around else ref.parent


def scoring_bodies(genders: Iterable[str], folder: Path | None = None) -> dict[str, BodyModel]:
    """Body models in double precision, as the official evaluators use them.

    Args:
        genders: which to load.
        folder: licensed body models; None for the stand-in.

    Returns:
        Models by gender.
    """
    return {gender: load_body(gender, folder, torch.float64) for gender in sorted(genders)}


def file_hash(path: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
