"""Whether masks lie where the recorded parameters put person and object, judged by medians over many views.

A single view can be occluded, and bodies stand in for SMPL-H (`judge`). What is wrong with a whole
calibration, object or date shows in most of its views: inverted masks, images that were cropped or padded,
cameras placed the wrong way round, templates in another unit.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from rhobin.behave.release import Release
from rhobin.data.images.plausible import inside_share
from rhobin.data.prepare.judge import mean_targets
from rhobin.objects.names import names_by_id

LEAST = 0.5  # of a mask's box, in the median view; sound data have 0.78 and more (decision 0150)
ENOUGH = 4  # views that a median is taken of
ALL = "all views"
PARTS = ("person", "object")
_NAMED = 3


def misplaced(release: Release, rows: np.ndarray, boxes: np.ndarray, sizes: np.ndarray) -> list[str]:
    """Say of which calibrations, objects and dates the masks mostly lie outside what was fitted.

    Args:
        release: with the views; those without a fitted part are not judged by it.
        rows: (M,) the views to look at.
        boxes: (M, 2, 4) x, y, width, height of the masks of person and object, pixels; 0 for an empty one.
        sizes: (M, 2) width and height of the images.

    Returns:
        At most a problem for each part; none where masks are where they belong.
    """
    shares = _shares(release, rows, boxes, sizes)
    problems = []
    for part, share in zip(PARTS, shares.T, strict=True):
        known = np.flatnonzero(np.isfinite(share))
        bad = [
            (float(median), name)
            for name, group in _groups(release, rows[known], part)
            if len(group) >= ENOUGH and (median := np.median(share[known][group])) < LEAST
        ]
        if bad:
            problems.append(_problem(release, part, bad))
    return problems


def _shares(release: Release, rows: np.ndarray, boxes: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """How much (M, 2) of the boxes of person and object lies inside what was fitted, NaN where unknown."""
    targets, names = mean_targets(release), names_by_id(release.templates)
    shares = np.full((len(rows), 2), np.nan)
    for index, (row, size) in enumerate(zip(rows.tolist(), sizes.tolist(), strict=True)):
        frame, K = targets.frame[row], release.intrinsics(row, (int(size[0]), int(size[1])))
        person, obj = boxes[index]
        if targets.has_human[frame] and person[2:].all():
            shares[index, 0] = inside_share(person, targets.joints[row], K)
        if targets.has_object[frame] and obj[2:].all():
            verts = release.templates[names[targets.object_id[frame]]].verts
            shares[index, 1] = inside_share(obj, verts @ targets.obj_R[row].T + targets.obj_t[row], K)
    return shares


def _groups(release: Release, rows: np.ndarray, part: str) -> Iterator[tuple[str, np.ndarray]]:
    """Names of groups of views, and which of the rows each has."""
    views, frames = release.views, release.frames
    dates = np.array([name.split("_")[0] for name in release.sequences])
    date = dates[frames.sequence[views.frame[rows]]]
    yield ALL, np.arange(len(rows))
    for camera in np.unique(views.camera[rows]):
        mine = np.flatnonzero(views.camera[rows] == camera)
        there = sorted(set(date[mine].tolist()))
        kinect = int(views.kinect[rows[mine[0]]])
        yield f"kinect {kinect} of {', '.join(there[:_NAMED])}{', ...' * (len(there) > _NAMED)}", mine
    if part == "object":
        ids, names = frames.object_id[views.frame[rows]], names_by_id(release.templates)
        for number in np.unique(ids).tolist():
            for day in sorted(set(date[ids == number].tolist())):
                yield f"{names[number]} of {day}", np.flatnonzero((ids == number) & (date == day))


def _problem(release: Release, part: str, bad: list[tuple[float, str]]) -> str:
    """One problem in words; where all views together have it, their groups are not named."""
    named = bad[:1] if bad[0][1] == ALL else bad[:_NAMED]
    groups = "; ".join(f"{name}: {share:.0%}" for share, name in named)
    more = f"; and {len(bad) - _NAMED} more" if named == bad[:_NAMED] and len(bad) > _NAMED else ""
    return (
        f"{release.split} split: masks of the {part} lie elsewhere than the {part} that was fitted. In the "
        f"median view, so much of a mask's box is inside: {groups}{more}; expected {LEAST:.0%} or more. Look "
        "for inverted masks or masks in the alpha channel, cropped or padded images, cameras placed the "
        "wrong way round (config.json maps camera to world), templates in other units than metres"
    )
