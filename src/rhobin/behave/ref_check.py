"""What ground truth must be before anything is scored against it: finite, in metres, true rotations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rhobin.behave.layout import is_folder_name
from rhobin.behave.plausible import FARTHEST, LARGEST_BETA

MOST_VISIBLE = 2.0  # masks are noisy, so a share may pass 1; percentages pass 2
NO_ROTATION = 1e-2  # of R R^T from the identity: more than rounding, or hand-written symmetries, can be off
TURN = 2 * np.pi  # radians of a rotation vector, which needs no more than half of it
_METRES = (-FARTHEST, FARTHEST, f"metres within {FARTHEST:g}; are these millimetres?")
BOUNDS = {
    "occ_ratios": (0.0, MOST_VISIBLE, "the visible share of the object, in [0, 1]"),
    "betas": (-LARGEST_BETA, LARGEST_BETA, f"shape coefficients within {LARGEST_BETA:g}"),
    "trans": _METRES,
    "obj_trans": _METRES,
}
"""Least and largest value of an array of `SequenceAnnotation`, and what is expected there."""
NEXT = "Correct that entry, or take the file from its source again."


def numbers(value: Any, shape: tuple[int, ...], where: str, finite: bool = True) -> np.ndarray:
    """An entry as a float64 array; axes of length one that are too many are dropped.

    Args:
        value: what the file holds.
        shape: expected shape; -1 for any length.
        where: file, entry and key, for messages.
        finite: refuse numbers that are not.

    Raises:
        ValueError: it holds no numbers, has another shape, or a number is not finite.
    """
    expected = str(shape).replace("-1", "N")
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise ValueError(f"{where}: expected numbers of shape {expected}, found no array: {error}") from error
    if array.dtype.kind not in "iuf":
        raise ValueError(f"{where}: expected numbers of shape {expected}, found type {array.dtype}. {NEXT}")
    array = array.astype(np.float64)
    if [n for n in array.shape if n != 1] == [n for n in shape if n != 1]:
        array = array.reshape(shape)
    if array.ndim != len(shape) or not all(map(_fits, array.shape, shape)):
        raise ValueError(f"{where}: expected shape {expected}, found {array.shape}. {NEXT}")
    if finite and not np.isfinite(array).all():
        place = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise ValueError(f"{where}: expected finite numbers, found {array[place]} at {place}. {NEXT}")
    return array


def _fits(found: int, expected: int) -> bool:
    return expected in (-1, found)


def entry(path: Path, name: str, value: Any, key: str) -> Any:
    """An entry of one of the file's dicts, or an error that names dict and key, and what there is instead."""
    if not isinstance(value, Mapping) or key not in value:
        found = ", ".join(sorted(map(str, value))) if isinstance(value, Mapping) else type(value).__name__
        raise ValueError(f"{path}: {name or 'the file'} has no '{key}' (found: {found})")
    return value[key]


def frame_names(value: Any, where: str) -> list[str]:
    """Names of frames; a list, a tuple or an array is accepted.

    Args:
        value: what stands under the key ``frames``.
        where: file and sequence, for messages.

    Raises:
        ValueError: it is something else.
    """
    flat = isinstance(value, list | tuple) or (isinstance(value, np.ndarray) and value.ndim == 1)
    if not flat or not all(isinstance(name, str) for name in value):
        raise ValueError(f"{where}: key 'frames': expected a list of frame names, found {_describe(value)}.")
    return [str(name) for name in value]


def _describe(value: Any) -> str:
    if isinstance(value, list | tuple) and value:
        odd = next((item for item in value if not isinstance(item, str)), value[0])
        return f"a {type(value).__name__} with {type(odd).__name__}"
    return type(value).__name__


def check_rotations(R: np.ndarray, where: str) -> None:
    """Refuse matrices (N, 3, 3) that scale, mirror or shear.

    Raises:
        ValueError: names the first one and its determinant.
    """
    off = np.abs(R @ R.swapaxes(1, 2) - np.eye(3)).max(axis=(1, 2)) > NO_ROTATION
    bad = np.flatnonzero(off | (np.linalg.det(R) < 0))
    if len(bad):
        found = f"found one of determinant {np.linalg.det(R[bad[0]]):.3g} at {bad[0]}"
        raise ValueError(f"{where}: expected rotations, which have determinant 1, {found}. {NEXT}")


def check_values(arrays: Mapping[str, np.ndarray], frames: Sequence[str], where: str) -> None:
    """Refuse people and objects that no camera of BEHAVE can have seen, and numbers that are not finite.

    Args:
        arrays: by key of `SequenceAnnotation`, (T, ...) each.
        frames: T frame names.
        where: file and sequence, for messages.

    Raises:
        ValueError: names key, frame, what was found and what is expected.
    """
    for key, array in arrays.items():
        low, high, what = BOUNDS.get(key, (-np.inf, np.inf, "a finite number"))
        rows = array.reshape(len(frames), -1)
        bad = np.argwhere(~(np.isfinite(rows) & (rows >= low) & (rows <= high)))
        if len(bad):
            row, place = bad[0]
            found = f"frame {frames[row]}: found {rows[row, place]:.4g}"
            raise ValueError(f"{where}: key {key!r}: {found}, expected {what}. {NEXT}")
    for key in ("poses", "obj_rots"):
        turns = np.linalg.norm(arrays[key][:, :3], axis=1)
        if len(turns) and np.median(turns) > TURN:
            raise ValueError(
                f"{where}: key {key!r}: found rotation vectors of length {np.median(turns):.4g} on average, "
                f"expected radians below {TURN:.2f}; are these degrees? {NEXT}"
            )


def check_names(names: Sequence[str], where: str, paths: bool = False) -> None:
    """Refuse names that would lead out of the folder they belong to.

    Args:
        names: of sequences, frames, templates or images.
        where: file and entry, for messages.
        paths: ids of images may be relative paths.

    Raises:
        ValueError: names the first one.
    """
    for name in names:
        parts = name.split("/") if paths else [name]
        if not all(map(is_folder_name, parts)):
            raise ValueError(f"{where}: expected names of folders, found {name!r}, which is a path. {NEXT}")
