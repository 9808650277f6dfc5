"""Which views have masks that cannot be theirs, told from the recorded parameters.

Bodies stand in for SMPL-H: the licence-free one, of mean shape, whose rest pose, joints and pelvis are SMPL's
within about a decimetre. That is exact enough for what is looked for, exchanged masks and masks of
another image, and needs no licensed file. Samples look again with the body that training uses.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from rhobin.assets import Assets
from rhobin.behave.release import Release
from rhobin.body.load import load_bodies
from rhobin.data.images.plausible import mask_fault
from rhobin.data.targets.views import build_targets

REASON = "wrong_masks"
FAULTY = 2  # of a view's three files: the object mask, as samples say


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
    mean = replace(frames, betas=np.zeros_like(frames.betas))
    targets = build_targets(replace(release, frames=mean), Assets.of(load_bodies(), release.templates))
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
