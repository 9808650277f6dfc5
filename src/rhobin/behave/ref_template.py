"""A template of the challenge's `ref.pkl`: in metres, of triangles, with symmetries that are motions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from rhobin.behave.ref_check import NEXT, check_rotations, entry, numbers

LARGEST_TEMPLATE = 3.0  # metres; BEHAVE's largest object is below 1.5

Motions = list[tuple[np.ndarray, np.ndarray]]
"""Rotations (3, 3), each with a translation (3,)."""


def template_parts(
    path: Path, name: str, value: Any, centred: bool
) -> tuple[np.ndarray, np.ndarray, Motions]:
    """A template of `ref.pkl` of any edition.

    Args:
        path: the file, for messages.
        name: of the object.
        value: its entry.
        centred: refuse one that is off its centre.

    Returns:
        Vertices (V, 3) in metres, faces (F, 3), and the symmetries: rotations (3, 3) with translations (3,).

    Raises:
        ValueError: it cannot be scored with; says key, what was found and what is expected.
    """
    where = f"{path}: template {name}"
    verts = numbers(entry(path, name, value, "verts"), (-1, 3), f"{where}: key 'verts'")
    faces = numbers(entry(path, name, value, "faces"), (-1, 3), f"{where}: key 'faces'")
    _check_mesh(verts, faces, where)
    offset = np.abs(verts.mean(0)).max()
    if centred and offset > 1e-4:
        raise ValueError(
            f"{path}: template {name} is {offset * 1000:.1f} mm off its centre; the evaluator adds none"
        )
    symmetries = _symmetries(path, name, value, where)
    _check_shifts(np.array([t for _, t in symmetries]).reshape(-1, 3), verts, where)
    return verts, faces.astype(np.int64), symmetries


def _symmetries(path: Path, name: str, value: Any, where: str) -> Motions:
    listed = entry(path, name, value, "symmetries")
    if not isinstance(listed, list | tuple):
        raise ValueError(f"{where}: key 'symmetries': expected a list, found {type(listed).__name__}")
    found = []
    for place, symmetry in enumerate(listed):
        at, of = f"{where}: symmetry {place}", f"symmetry {place} of template {name}"
        R = numbers(entry(path, of, symmetry, "R"), (3, 3), f"{at}: key 'R'")
        check_rotations(R[None], f"{at}: key 'R'")
        found.append((R, numbers(entry(path, of, symmetry, "t"), (3,), f"{at}: key 't'")))
    return found


def _check_mesh(verts: np.ndarray, faces: np.ndarray, where: str) -> None:
    """Refuse templates (V, 3) that are not in metres, and faces (F, 3) of vertices that are not there."""
    if not len(verts) or not len(faces):
        raise ValueError(f"{where}: expected vertices and faces, found {len(verts)} and {len(faces)}. {NEXT}")
    extent = float(np.ptp(verts, axis=0).max())
    if extent > LARGEST_TEMPLATE:
        raise ValueError(
            f"{where}: key 'verts': found an object of {extent:.4g} m, expected metres and at most "
            f"{LARGEST_TEMPLATE:g}; are these millimetres? {NEXT}"
        )
    if faces.min() < 0 or faces.max() >= len(verts) or (faces % 1).any():
        raise ValueError(
            f"{where}: key 'faces': expected whole numbers from 0 to {len(verts) - 1}, found "
            f"{faces.min():g} to {faces.max():g}. {NEXT}"
        )
    corners = verts[faces.astype(np.int64)]
    if not np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]).any():
        raise ValueError(f"{where}: expected triangles with an area, found none. {NEXT}")


def _check_shifts(shifts: np.ndarray, verts: np.ndarray, where: str) -> None:
    """Refuse translations (S, 3) of symmetries that would carry an object (V, 3) off its place."""
    reach = 4 * float(np.linalg.norm(verts, axis=1).max())
    longest = float(np.linalg.norm(shifts, axis=1).max(initial=0.0))
    if longest > reach:
        raise ValueError(
            f"{where}: key 'symmetries': found a translation of {longest:.4g} m, expected metres and at most "
            f"{reach:.2f} for this object; are these millimetres? {NEXT}"
        )
