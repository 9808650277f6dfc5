"""Object templates from an `objects` folder: BEHAVE's scans and meshes laid beside them."""

import warnings
from pathlib import Path

import numpy as np
import trimesh
from jaxtyping import Float, UInt8
from trimesh.visual import ColorVisuals

from rhobin.geometry.mesh import Faces, Verts, surface_moments
from rhobin.objects.keypoints import MIN_CONDITION, condition
from rhobin.objects.symmetry import ASYMMETRIC, SymmetryGroup, offsets, shape_errors
from rhobin.objects.template import Template, make_template
from rhobin.objects.user_mesh import MOST

SIMPLIFIED = {
    "chairblack": "chairblack_f2500.ply",
    "chairwood": "chairwood_f2500.ply",
    "tablesquare": "tablesquare_f2000.ply",
    "monitor": "monitor_closed_f1000.ply",
}
"""Simplified meshes that are not called `<name>_f1000.ply`."""

RELEASE_VERTS = {
    "backpack": 548,
    "basketball": 508,
    "boxlarge": 524,
    "boxlong": 526,
    "boxmedium": 509,
    "boxsmall": 517,
    "boxtiny": 506,
    "chairblack": 1609,
    "chairwood": 1609,
    "keyboard": 502,
    "monitor": 537,
    "plasticcontainer": 562,
    "stool": 532,
    "suitcase": 520,
    "tablesmall": 507,
    "tablesquare": 1046,
    "toolbox": 499,
    "trashbin": 547,
    "yogaball": 534,
    "yogamat": 525,
}
"""Vertices of the simplified meshes of the BEHAVE release."""

SYMMETRY_TOLERANCE = 0.015


class TemplateCountWarning(UserWarning):
    """A template's vertex count is not the release's: its centre may not be the annotations' centre."""


def simplified_path(folder: Path, name: str) -> Path:
    """The simplified mesh of an object in a BEHAVE `objects` folder.

    Args:
        folder: the `objects` folder.
        name: the object.

    Returns:
        `<name>/<name>_f1000.ply`, or the file that the release has instead of it for four objects.

    Raises:
        FileNotFoundError: it is not there.
    """
    expected = folder / name / SIMPLIFIED.get(name, f"{name}_f1000.ply")
    if expected.is_file():
        return expected
    others = sorted(path.name for path in (folder / name).glob("*.ply"))
    raise FileNotFoundError(
        f"expected the simplified template {expected}, "
        f"found {', '.join(others) if others else 'no .ply file there'}; "
        f"unpack BEHAVE's objects.zip to {folder}"
    )


def read_mesh(path: Path) -> tuple[Verts, Faces, UInt8[np.ndarray, "F 3"] | None]:
    """Read a triangle mesh exactly as stored, nothing merged, cleaned or reordered.

    Args:
        path: .ply or .obj.

    Returns:
        Vertices (V, 3), faces (F, 3) and, where the file has colours, those of the faces (F, 3).

    Raises:
        FileNotFoundError: no such file.
        ValueError: not a readable triangle mesh, or vertices that are not finite.
    """
    if not path.is_file():
        raise FileNotFoundError(f"expected a mesh at {path}, found no such file")
    try:
        mesh = trimesh.load_mesh(path, process=False, maintain_order=True, skip_materials=True)
        verts, faces = np.array(mesh.vertices, dtype=np.float64), np.array(mesh.faces, dtype=np.int64)
    except Exception as error:
        raise ValueError(f"{path}: expected a triangle mesh, could not read it ({error})") from error
    if not len(faces) or not np.isfinite(verts).all() or faces.min() < 0 or faces.max() >= len(verts):
        raise ValueError(
            f"{path}: expected finite vertices and faces that name them, "
            f"found {len(verts)} vertices and {len(faces)} faces; copy the file again"
        )
    visual = mesh.visual
    if not isinstance(visual, ColorVisuals) or visual.kind is None:
        return verts, faces, None
    if visual.kind == "face":
        return verts, faces, np.array(visual.face_colors[:, :3], dtype=np.uint8)
    return verts, faces, visual.vertex_colors[faces, :3].mean(axis=1).astype(np.uint8)


def require_metres(where: str, verts: Verts) -> None:
    """Refuse a template larger than any object: its vertices are in another unit.

    Args:
        where: the file, and what in it.
        verts: (V, 3) vertices.

    Raises:
        ValueError: with the size that was found.
    """
    largest = float(np.ptp(verts, axis=0).max())
    if largest > MOST:
        raise ValueError(
            f"{where}: expected a template in metres, at most {MOST:g} m across, found "
            f"{largest:,.4g} m; if it is in millimetres, divide its vertices by 1000, or "
            "unpack the release's own file again"
        )


def load_scan(folder: Path, name: str, expected: SymmetryGroup = ASYMMETRIC) -> Template:
    """Read one object of an `objects` folder.

    Args:
        folder: the `objects` folder.
        name: the object.
        expected: symmetry that objects of this name have in a frame of their own; kept only where the
            scan bears it out.

    Returns:
        The template: simplified mesh about its vertex mean.

    Raises:
        FileNotFoundError: the simplified mesh is missing.
        ValueError: it cannot be read, or is larger than any object.
    """
    path = simplified_path(folder, name)
    verts, faces, colors = read_mesh(path)
    require_metres(str(path), verts)
    verts = verts - verts.mean(axis=0)
    if len(verts) != RELEASE_VERTS.get(name, len(verts)):
        warnings.warn(
            f"{path}: {len(verts)} vertices, BEHAVE's own file has {RELEASE_VERTS[name]}; "
            "if it was merged or simplified again, annotated poses do not fit its vertex mean",
            TemplateCountWarning,
            stacklevel=2,
        )
    try:
        group, centre = fit_symmetry(expected, verts, faces)
        template = make_template(name, verts, faces, group=group, centre=centre, colors=colors)
    except ValueError as error:
        raise ValueError(f"{path}: expected a solid ({error}); copy the file again") from error
    if condition(template.kpts) < MIN_CONDITION:
        warnings.warn(
            f"{path}: keypoints are nearly flat (singular value ratio {condition(template.kpts):.3f}, "
            f"wanted {MIN_CONDITION}); rotations fitted to them will be less certain",
            stacklevel=2,
        )
    return template


def load_full_mesh(folder: Path, name: str) -> tuple[Verts, Faces]:
    """The full-resolution scan of an object, in the frame of its template.

    Args:
        folder: the `objects` folder.
        name: the object.

    Returns:
        Vertices (V, 3) of `<name>/<name>.obj` less the vertex mean of the *simplified* mesh, and faces.

    Raises:
        FileNotFoundError: one of the two meshes is missing.
        ValueError: one cannot be read.
    """
    simplified, _, _ = read_mesh(simplified_path(folder, name))
    verts, faces, _ = read_mesh(folder / name / f"{name}.obj")
    return verts - simplified.mean(axis=0), faces


def fit_symmetry(
    expected: SymmetryGroup, verts: Verts, faces: Faces
) -> tuple[SymmetryGroup, Float[np.ndarray, "3"]]:
    """Find an expected symmetry in a scan of unknown orientation.

    Args:
        expected: the group, in a frame of its own.
        verts: (V, 3) centred vertices.
        faces: (F, 3) triangles.

    Returns:
        The group along the scan's principal axes and the centre of its surface; no symmetry but the
        identity where the surface strays from itself by more than 1.5 % of its extent.
    """
    centre, covariance = surface_moments(verts, faces)
    axes = np.linalg.eigh(covariance)[1].T
    axes[2] = np.cross(axes[0], axes[1])
    best, least = ASYMMETRIC, SYMMETRY_TOLERANCE * float(np.linalg.norm(np.ptp(verts, axis=0)))
    for shift in range(3):
        candidate = expected.turned(np.roll(axes, shift, axis=0).T)
        rotations = candidate.rotations()
        worst = shape_errors(verts, faces, rotations, offsets(rotations, centre)).max()
        if worst < least:
            best, least = candidate, float(worst)
    return (best, centre) if best is not ASYMMETRIC else (ASYMMETRIC, np.zeros(3))
