"""Object templates and cameras that the challenge packages bring in place of `objects/` and `calibs/`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from rhobin.behave.layout import CHALLENGE_LENS, CHALLENGE_SIZE
from rhobin.objects.catalogue import built_in
from rhobin.objects.load import SAME_MESH, load_templates
from rhobin.objects.names import OBJECT_NAMES
from rhobin.objects.scans import fit_symmetry
from rhobin.objects.template import Template, make_template
from rhobin.types import Camera

Meshes = Mapping[str, tuple[np.ndarray, np.ndarray]]


def package_templates(root: Path, meshes: Meshes | None) -> dict[str, Template]:
    """Templates of a challenge package.

    Args:
        root: dataset root; its `objects/` comes first where there is one.
        meshes: vertices (V, 3) and faces (F, 3) by name from the package's `ref.pkl`; None without one.

    Raises:
        FileNotFoundError: there is neither; says what is needed.
    """
    if (root / "objects").is_dir():
        return load_templates(root / "objects")
    if meshes is None:
        raise FileNotFoundError(
            f"no object templates in {root}: expected ref.pkl of the challenge (it holds them), "
            "or the folder objects/ of the raw release"
        )
    return {name: _template(name, *meshes[name]) for name in OBJECT_NAMES if name in meshes}


def _template(name: str, verts: np.ndarray, faces: np.ndarray) -> Template:
    """A template of a centred mesh: the built-in one when it is that."""
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
