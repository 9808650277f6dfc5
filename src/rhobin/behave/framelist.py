"""Which views CHORE trains and tests on (its `splits/behave-split.pkl`), as rules."""

from __future__ import annotations

import numpy as np

from rhobin.behave.layout import TEST_KINECT
from rhobin.behave.release import Release
from rhobin.behave.skips import Skip

FIRST, LAST = 3, 133
DEPTH = 2.2
RATIOS = (0.6, 1.5)
FRAME_LISTS = ("all", "chore")


def chore_views(release: Release, pelvis_depth: np.ndarray) -> tuple[np.ndarray, list[Skip]]:
    """Views of a release that CHORE's frame list and preprocessing keep.

    Frames are those at the integer seconds 3 to 133; test shows kinect 1 only; of the training views, those
    are left out whose body, moved to 2.2 m, would be scaled by less than 0.6 or more than 1.5. CHORE's list
    still names the latter, and its loader shows random other samples for them
    (spec of CHORE: splits, preprocess/preprocess_scale.py). CHORE measures the depth at the middle of the
    hips that it regresses from the vertices; here it is SMPL's pelvis.

    Args:
        release: one split.
        pelvis_depth: (N,) depth of the pelvis in each view's camera, metres.

    Returns:
        Rows of the views that are kept, and what was left out and why.
    """
    seconds = np.array([float(name[1:]) if name[1:2].isdigit() else np.nan for name in release.frames.name])
    on_list = (seconds == np.round(seconds)) & (seconds >= FIRST) & (seconds <= LAST)
    views = release.views
    ratio = DEPTH / np.maximum(pelvis_depth, 1e-6)
    training = release.split == "train"
    in_range = (ratio >= RATIOS[0]) & (ratio <= RATIOS[1]) & (pelvis_depth > 0) | (not training)
    shown = training | (views.kinect == TEST_KINECT)
    kept = on_list[views.frame] & in_range & shown
    skips = []
    for view in np.flatnonzero(~kept):
        if not on_list[views.frame[view]]:
            why = f"not an integer second from {FIRST} to {LAST}"
        elif not shown[view]:
            why = f"test shows kinect {TEST_KINECT} only"
        else:
            why = f"2.2 m / pelvis depth is {ratio[view]:.2f}, outside {RATIOS[0]} to {RATIOS[1]}"
        skips.append(Skip(str(views.files[view, 0]), "not_in_frame_list", why, 1))
    return np.flatnonzero(kept), skips
