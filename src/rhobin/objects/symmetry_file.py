"""The symmetry of an object as a small JSON file beside its mesh, which people may write by hand."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from rhobin.files import read_json, write_json
from rhobin.geometry.mesh import Faces, Verts
from rhobin.objects.solid import Vector
from rhobin.objects.strays import Surface
from rhobin.objects.symmetry import SymmetryGroup, describe, offsets
from rhobin.objects.symmetry_fit import Fit, laid
from rhobin.objects.template import Template

SYMMETRY_FILE = "symmetry.json"
STATED_TOLERANCE = 0.025  # of the diameter about the axis: lids and handles that a person may overlook
RIGHT_ANGLE = 0.02  # cosine between axis and flip: about one degree
NOTE = (
    "Rotations that keep the shape, in the template's frame. order: turns about axis (0: by any angle; "
    "1: none). flip: an axis across it about which half turns keep the shape, or null. sphere: every "
    "rotation keeps it. centre: metres from the vertex mean. Change what is wrong: every command that reads "
    "the object honours this file. Delete it and run rhobin object add again to have the symmetry found anew."
)
_FIELDS = ("order", "axis", "flip", "sphere", "centre")


def write_symmetry(path: Path, group: SymmetryGroup, centre: Float[np.ndarray, "3"]) -> None:
    """Write a group and its centre (3,), metres."""
    flip = None if group.flip is None else _rounded(group.flip)
    values = (group.order, _rounded(group.axis), flip, group.sphere, _rounded(centre))
    write_json(path, {"note": NOTE, **dict(zip(_FIELDS, values, strict=True))})


def read_symmetry(path: Path) -> tuple[SymmetryGroup, Float[np.ndarray, "3"]]:
    """Read a group and its centre (3,), metres; what is left out is no symmetry, about the vertex mean.

    Raises:
        ValueError: the file states no group; the message names the field.
    """
    try:
        content = read_json(path)
    except ValueError as error:
        raise ValueError(
            f"{path}: expected JSON with {', '.join(_FIELDS)}, could not read it ({error})"
        ) from error
    if not isinstance(content, dict) or (unknown := set(content) - {*_FIELDS, "note"}):
        found = sorted(unknown) if isinstance(content, dict) else type(content).__name__
        raise ValueError(f"{path}: expected an object with {', '.join(_FIELDS)}, found {found}")
    order, sphere = content.get("order", 1), content.get("sphere", False)
    if not isinstance(order, int) or isinstance(order, bool) or order < 0:
        raise ValueError(f"{path}: expected order to be a whole number, 0 for every angle; found {order!r}")
    if not isinstance(sphere, bool):
        raise ValueError(f"{path}: expected sphere to be true or false, found {sphere!r}")
    axis, flip = _unit(path, content, "axis", [0, 1, 0]), None
    if content.get("flip") is not None:
        flip = _unit(path, content, "flip", None)
        if abs(np.dot(axis, flip)) > RIGHT_ANGLE:
            raise ValueError(f"{path}: expected flip at a right angle to axis, found {flip} and {axis}")
        flip = _vector(np.cross(np.cross(axis, flip), axis))
    return SymmetryGroup(order, axis, flip, sphere), _numbers(path, content, "centre", [0, 0, 0])


def stated_fit(
    path: Path, verts: Verts, faces: Faces, group: SymmetryGroup, centre: Float[np.ndarray, "3"]
) -> Fit:
    """How the group that a file states fits a mesh.

    Args:
        path: the file, for messages.
        verts: (V, 3) vertices about their mean, metres.
        faces: (F, 3) triangles.
        group: what the file states.
        centre: (3,) of it.

    Raises:
        ValueError: a rotation of the group takes the surface from itself, by more than 2.5 % of its
            diameter about the axis in the mean.
    """
    fit = laid(Surface(verts, faces), group, centre)
    if fit.share > STATED_TOLERANCE:
        raise ValueError(
            f"{path}: expected rotations that keep the shape, found that {describe(group)} moves the surface "
            f"by {1e3 * fit.error:.1f} mm in the mean, {100 * fit.share:.1f} % of its diameter about the "
            f"axis (at most {100 * STATED_TOLERANCE:g} %); correct it, or delete the file and run "
            "rhobin object add again to have the symmetry found"
        )
    return fit


def with_stated_symmetry(template: Template, path: Path) -> Template:
    """A template with the symmetry that a file states.

    Raises:
        ValueError: the file states no group, or one that does not keep the template's shape.
    """
    group, centre = read_symmetry(path)
    stated_fit(path, template.verts, template.faces, group, centre)
    rotations = group.rotations()
    shifts = offsets(rotations, centre)
    return replace(template, group=group, centre=centre, symmetries=rotations, symmetry_offsets=shifts)


def _unit(path: Path, content: dict[str, Any], name: str, default: Any) -> Vector:
    vector = _numbers(path, content, name, default)
    if not np.linalg.norm(vector) > 0:
        raise ValueError(f"{path}: expected {name} to be a direction, found {content[name]!r}")
    return _vector(vector)


def _vector(vector: Float[np.ndarray, "3"]) -> Vector:
    x, y, z = vector / np.linalg.norm(vector)
    return float(x), float(y), float(z)


def _numbers(path: Path, content: dict[str, Any], name: str, default: Any) -> Float[np.ndarray, "3"]:
    try:
        values = np.array(content.get(name, default), dtype=np.float64)
    except (OverflowError, TypeError, ValueError):
        values = np.zeros(0)
    if values.shape != (3,) or not np.isfinite(values).all():
        raise ValueError(f"{path}: expected {name} to be three numbers, found {content.get(name)!r}")
    return values


def _rounded(values: Any) -> list[float]:
    return [round(float(value), 7) + 0.0 for value in values]
