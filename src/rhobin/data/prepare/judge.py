"""Which views have an image or masks that cannot be theirs, told from cameras and recorded parameters.

Bodies stand in for SMPL-H: the licence-free one, of mean shape, whose rest pose, joints and pelvis are SMPL's
within about a decimetre. That is exact enough for what is looked for, exchanged masks and masks of
another image, and needs no licensed file. Samples look again with the body that training uses.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from rhobin.assets import Assets
from rhobin.behave.release import Release
from rhobin.behave.skips import REASONS
from rhobin.body.load import load_bodies
from rhobin.data.images.plausible import mask_fault, shape_fault
from rhobin.data.targets.views import ViewTargets, build_targets


class ViewFault(NamedTuple):
    """A view that is left out: its row, why (a key of `REASONS`), which of its files, and what was found."""

    row: int
    reason: str
    file: int
    detail: str


def faulty_views(release: Release, rows: np.ndarray, boxes: np.ndarray, sizes: np.ndarray) -> list[ViewFault]:
    """Views whose image or masks cannot be theirs; arguments as of `wrong_masks`."""
    found, kept = [], np.ones(len(rows), bool)
    for index, (row, (width, height)) in enumerate(zip(rows.tolist(), sizes.tolist(), strict=True)):
        camera = release.cameras[release.views.camera[row]]
        fault = shape_fault((int(width), int(height)), camera)
        if fault is not None:
            found.append(ViewFault(row, "image_shape", 0, fault))
            kept[index] = False
    wrong = wrong_masks(release, rows[kept], boxes[kept], sizes[kept])
    return found + [ViewFault(row, "wrong_masks", 2, REASONS["wrong_masks"]) for row in wrong.tolist()]


def mean_targets(release: Release) -> ViewTargets:
    """The ground truth of a release with the stand-in body of mean shape."""
    mean = replace(release.frames, betas=np.zeros_like(release.frames.betas))
    return build_targets(replace(release, frames=mean), Assets.of(load_bodies(), release.templates))


def wrong_masks(release: Release, rows: np.ndarray, boxes: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Find views whose masks are exchanged or those of another image.

    Views without a body or an object are not looked at: see `count_unjudged`.

    Args:
        release: with the views.
        rows: (M,) the views to look at.
        boxes: (M, 2, 4) x, y, width, height of the masks of person and object, pixels.
        sizes: (M, 2) width and height of the images.

    Returns:
        (W,) those of `rows` that are found.
    """
    frames, views = release.frames, release.views
    known = (frames.has_body & frames.has_object)[views.frame[rows]]
    if not known.any():
        return rows[:0]
    targets = mean_targets(release)
    found = [
        row
        for row, box, (width, height) in zip(rows[known], boxes[known], sizes[known], strict=True)
        if mask_fault(box, targets.joints[row], targets.kpts[row], release.intrinsics(row, (width, height)))
    ]
    return np.array(found, rows.dtype)


def count_unjudged(release: Release) -> int:
    """Views of a person and an object that have no recorded body or object: masks cannot be looked at."""
    frames, views = release.frames, release.views
    known = (frames.has_body & frames.has_object)[views.frame]
    return int((views.shown.all(axis=1) & ~known).sum())
