"""Object templates and cameras that the challenge packages bring in place of `objects/` and `calibs/`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from rhobin.behave.layout import CHALLENGE_LENS, CHALLENGE_SIZE
from rhobin.behave.numbers import as_floats
from rhobin.objects.catalogue import built_in
from rhobin.objects.load import SAME_MESH, load_templates
from rhobin.objects.names import OBJECT_NAMES
from rhobin.objects.scans import fit_symmetry, require_metres
from rhobin.objects.template import Template, make_template
from rhobin.types import Camera

LARGEST = 3.0  # metres from the centre

Meshes = Mapping[str, tuple[np.ndarray, np.ndarray]]


def package_templates(root: Path, meshes: Meshes | None) -> dict[str, Template]:
    """Templates of a challenge package.

    Args:
        root: dataset root; its `objects/` comes first where there is one.
        meshes: vertices (V, 3) and faces (F, 3) by name from the package's `ref.pkl`; None without one.

    Raises:
        FileNotFoundError: there is neither; says what is needed.
        ValueError: a template of `ref.pkl` is no mesh, or larger than any object.
    """
    if (root / "objects").is_dir():
        return load_templates(root / "objects")
    if meshes is None:
        raise FileNotFoundError(
            f"no object templates in {root}: expected ref.pkl of the challenge (it holds them), "
            "or the folder objects/ of the raw release"
        )
    return {name: _template(name, *_checked(name, meshes[name])) for name in OBJECT_NAMES if name in meshes}


def _checked(name: str, mesh: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    try:
        return as_mesh(*mesh)
    except ValueError as error:
        raise ValueError(f"template {name} of ref.pkl: {error}; copy the file again") from error


def as_mesh(verts: Any, faces: Any) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (V, 3) and triangles (F, 3) of a file.

    Raises:
        ValueError: they are no mesh in metres, or triangles name vertices that are not there.
    """
    points, triangles = as_floats(verts), as_floats(faces)
    for key, array in (("verts", points), ("faces", triangles)):
        if array.ndim != 2 or array.shape[1] != 3 or not len(array) or not np.isfinite(array).all():
            raise ValueError(f"expected finite {key} of shape (N, 3), found shape {array.shape}")
    if (triangles % 1).any() or triangles.min() < 0 or triangles.max() >= len(points):
        found = f"{triangles.min():g} to {triangles.max():g}"
        raise ValueError(f"expected faces that name {len(points)} vertices, found {found}")
    if not 0 < (size := float(np.abs(points).max())) < LARGEST:
        raise ValueError(f"expected vertices in metres, below {LARGEST:g}, found {size:.4g}")
    return points, triangles.astype(np.int64)


def _template(name: str, verts: np.ndarray, faces: np.ndarray) -> Template:
    """A template of a centred mesh: the built-in one when it is that."""
    require_metres(f"ref.pkl, template {name}", verts)
    own = built_in(name)
    same_grid = verts.shape == own.verts.shape and np.array_equal(faces, own.faces)
    if same_grid and np.abs(verts - own.verts).max() < SAME_MESH:
        return own
    group, centre = fit_symmetry(own.group, verts, faces)
    return make_template(name, verts, np.asarray(faces, np.int64), group=group, centre=centre)


def challenge_camera() -> Camera:
    """Kinect 1 as the challenges' evaluators have it, standing at its own origin."""
    fx, fy, cx, cy = CHALLENGE_LENS
    K = np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]])
    return Camera(K, np.eye(3), np.zeros(3), *CHALLENGE_SIZE)
