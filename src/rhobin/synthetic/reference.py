"""The test annotations, gathered from the written files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np

from rhobin.behave.layout import TEST_KINECT, is_frame_name, object_dirs, object_fit_file, person_fit_file
from rhobin.behave.read import read_info
from rhobin.behave.ref import SequenceAnnotation, write_ref
from rhobin.objects.template import Template
from rhobin.pickles import load_pickle

MASK_THRESHOLD = 127


def write_reference(out: Path, names: Sequence[str], templates: Mapping[str, Template]) -> None:
    """Write `ref.pkl` of complete test sequences, in the frame of kinect 1.

    Args:
        out: dataset root.
        names: test sequences.
        templates: by object name.
    """
    annotations = {name: _annotation(out, name) for name in names}
    write_ref(out / "ref.pkl", annotations, templates)


def visible_fraction(frame: Path, kinect: int) -> float:
    """Share of an object's silhouette that a kinect sees, from the written masks; 0 outside the image."""
    seen = _pixels(frame / f"k{kinect}.obj_rend_mask.jpg")
    whole = _pixels(frame / f"k{kinect}.obj_rend_full.jpg")
    return seen / whole if whole else 0.0


def _pixels(path: Path) -> int:
    mask = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if mask is None:
        raise FileNotFoundError(
            f"expected a mask at {path}, found none or a broken file; delete {path.parent.parent} and run "
            "the same `rhobin synth` command again to make the sequence anew"
        )
    return int(np.count_nonzero(mask > MASK_THRESHOLD))


def _annotation(out: Path, name: str) -> SequenceAnnotation:
    sequence = out / "sequences" / name
    info = read_info(sequence, out)
    frames = sorted(item.name for item in sequence.iterdir() if is_frame_name(item.name))
    folder = object_dirs(info.object_name)[0]
    people = [load_pickle(person_fit_file(sequence / frame)) for frame in frames]
    things = [load_pickle(object_fit_file(sequence / frame, folder)) for frame in frames]
    return SequenceAnnotation(
        frames=frames,
        gender=info.gender,
        poses=np.stack([fit["pose"] for fit in people]),
        betas=np.stack([fit["betas"] for fit in people]),
        trans=np.stack([fit["trans"] for fit in people]),
        obj_rots=np.stack([fit["angle"] for fit in things]),
        obj_trans=np.stack([fit["trans"] for fit in things]),
        occ_ratios=np.array([visible_fraction(sequence / frame, TEST_KINECT) for frame in frames]),
    )
