"""Where a root of rendered objects keeps its files, for who writes and who reads them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rhobin.behave.layout import RENDERS
from rhobin.behave.plausible import FARTHEST
from rhobin.files import read_json, written_whole
from rhobin.pickles import BrokenFileError, read_npz

FORMAT = 1
PART = 500
"""Poses of a part, the unit of work: complete when its poses are written."""
NOCS_ONE = 65535
"""Level of a normalised object coordinate of 1."""
_KINDS = ("color.jpg", "mask.png", "nocs.png")


@dataclass(frozen=True)
class PosedViews:
    """Poses and cameras of N renders of one object; the object is alone in each.

    Attributes:
        index: (N,) number of the pose among those of the object.
        R: (N, 3, 3) rotation, centred template to camera.
        t: (N, 3) translation of the same, metres.
        K: (N, 3, 3) intrinsics of the square picture, pixels.
    """

    index: np.ndarray
    R: np.ndarray
    t: np.ndarray
    K: np.ndarray


def part_folder(root: Path, name: str, part: int) -> Path:
    """Where a part of an object's renders lies."""
    return Path(root) / "renders" / name / f"{part:05d}"


def part_indices(number: int, count: int) -> range:
    """Which of an object's `count` poses a part holds."""
    return range(PART * number, min(PART * (number + 1), count))


def picture_names(index: int) -> tuple[str, str, str]:
    """Names of the colour, mask and coordinate pictures of a pose, in the folder of its part."""
    color, mask, nocs = (f"{index:06d}.{kind}" for kind in _KINDS)
    return color, mask, nocs


def write_part(folder: Path, views: PosedViews) -> None:
    """Write the poses of a part whose pictures are all there; from now on it is complete."""
    with written_whole(folder / "poses.npz") as file:
        np.savez(file, **vars(views))


def read_part(folder: Path) -> PosedViews:
    """Read the poses of a complete part.

    Raises:
        FileNotFoundError: the part is not complete.
        ValueError: the file is broken.
    """
    path = folder / "poses.npz"
    try:
        stored = read_npz(path)
        views = PosedViews(**{key: stored[key] for key in ("index", "R", "t", "K")})
    except (KeyError, BrokenFileError) as error:
        raise ValueError(
            f"{path}: expected index, R, t and K of a part's poses, found {error!r}; delete the file and run "
            "rhobin synth-objects as before, which makes the part again"
        ) from error
    count = len(views.index)
    shapes = {"index": (count,), "R": (count, 3, 3), "t": (count, 3), "K": (count, 3, 3)}
    found = {key: getattr(views, key).shape for key in shapes}
    if found != shapes:
        raise ValueError(f"{path}: expected arrays of {shapes}, found {found}")
    if not _possible(views):
        raise ValueError(
            f"{path}: expected rotations, and places in front of the camera within {FARTHEST:g} m"
        )
    return views


def _possible(views: PosedViews) -> bool:
    """Whether all numbers are finite, all R are rotations, and all t lie where a camera can see them."""
    if not all(np.isfinite(values).all() for values in (views.R, views.t, views.K)):
        return False
    turned = np.abs(views.R).max(initial=0) < 2 and np.allclose(views.R @ views.R.mT, np.eye(3), atol=1e-4)
    placed = (np.abs(views.t) < FARTHEST).all() and (views.t[:, 2] > 0).all()
    return bool(turned and placed and (np.linalg.det(views.R) > 0).all())


def is_part(folder: Path) -> bool:
    """Whether a part is there as a whole."""
    return (folder / "poses.npz").is_file()


def finished_parts(root: Path, name: str) -> list[int]:
    """Numbers of an object's complete parts, in order."""
    parts = (file.parent.name for file in (Path(root) / "renders" / name).glob("*/poses.npz"))
    return sorted(int(part) for part in parts if part.isdecimal())


def read_settings(root: Path) -> dict[str, Any]:
    """What `renders.json` of a root says.

    Raises:
        ValueError: it is broken, or of another format.
    """
    path = Path(root) / RENDERS
    try:
        settings = read_json(path)
        found = settings["format"]
        int(settings["size"]), dict(settings["objects"])
    except (OSError, OverflowError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path}: not the settings of rendered objects: {error!r}") from error
    if found != FORMAT:
        raise ValueError(
            f"{path}: has format {found}, this version reads {FORMAT}; run rhobin synth-objects again with "
            "another --out"
        )
    return settings
