"""A mesh that a user brings: read in any format, cleaned, checked and brought to metres."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import trimesh
from jaxtyping import Bool, Float, Int64, UInt8
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from trimesh.visual import ColorVisuals

from rhobin.geometry.mesh import Faces, Verts, face_areas, face_cross
from rhobin.objects.grids import halved

UNITS = {"m": 1.0, "cm": 0.01, "mm": 0.001, "in": 0.0254}
LEAST, MOST = 0.02, 3.0  # metres of the largest side
ENOUGH_VERTS = 256  # four for each of 64 regions
MANY_VERTS = 20_000
SAME_PLACE = 1e-6  # of the size
NAME = re.compile(r"[a-z][a-z0-9]*")

Colors = UInt8[np.ndarray, "F 3"]


@dataclass(frozen=True, eq=False)
class UserMesh:
    """A mesh ready to become a template.

    Attributes:
        verts: (V, 3) vertices about their mean, metres.
        faces: (F, 3) triangles, outward where the surface is closed.
        colors: (F, 3) RGB of each triangle, or None.
        scale: a point p of the file is at scale * p - shift.
        shift: (3,) metres.
        notes: what was changed, and what is unusual, a sentence each.
    """

    verts: Verts
    faces: Faces
    colors: Colors | None
    scale: float
    shift: Float[np.ndarray, "3"]
    notes: tuple[str, ...]


def read_user_mesh(path: Path, unit: str = "m") -> UserMesh:
    """Read a mesh in any format that trimesh knows; all parts of a scene become one object.

    Args:
        path: .ply, .obj, .stl, .glb, .off, ...
        unit: of its vertices, one of `UNITS`.

    Raises:
        FileNotFoundError: no such file.
        ValueError: no triangles in it, no volume, or a size that no object has in this unit.
    """
    verts, faces, colors = _read(path)
    notes: list[str] = []
    verts, faces, colors = _cleaned(path, verts, faces, colors, notes)
    verts = verts * UNITS[unit]
    _check_size(path, np.ptp(verts, axis=0), unit)
    faces = _judge_surface(verts, faces, notes)
    before = len(verts)
    while len(verts) < ENOUGH_VERTS:
        verts, faces = halved(verts, faces)
        colors = None if colors is None else np.tile(colors, (4, 1))
    if len(verts) > before:
        notes.append(f"edges halved, {before} to {len(verts)} vertices, for 64 regions")
    if len(verts) > MANY_VERTS:
        notes.append(
            f"{len(verts):,} vertices where BEHAVE's templates have about 500: training and scoring take "
            "longer; a program such as Blender or MeshLab can simplify the mesh"
        )
    shift = verts.mean(axis=0)
    return UserMesh(verts - shift, faces, colors, UNITS[unit], shift, tuple(notes))


def object_name(path: Path, name: str | None) -> str:
    """A name for a mesh's object: the one given, or the file's.

    Raises:
        ValueError: it is no name that sequences could carry.
    """
    chosen = path.stem.lower() if name is None else name
    if not NAME.fullmatch(chosen):
        raise ValueError(
            f"expected a name of small letters and digits, a letter first (sequences are called "
            f"Date01_Sub01_NAME_...), found {chosen!r}; say --name"
        )
    return chosen


def _read(path: Path) -> tuple[np.ndarray, np.ndarray, Colors | None]:
    if not path.is_file():
        raise FileNotFoundError(f"expected a mesh at {path}, found no such file")
    try:
        mesh = trimesh.load_mesh(path, process=False)
        verts, faces = np.array(mesh.vertices, dtype=np.float64), np.array(mesh.faces, dtype=np.int64)
        visual: Any = mesh.visual
        visual = visual if isinstance(visual, ColorVisuals) else visual.to_color()
        colors = None if visual.kind is None else np.array(visual.face_colors[:, :3], dtype=np.uint8)
    except Exception as error:
        raise ValueError(
            f"{path}: expected triangles in a format that trimesh reads (ply, obj, stl, glb, off), "
            f"could not read it ({error})"
        ) from error
    if not len(faces) or not np.isfinite(verts).all() or faces.min() < 0 or faces.max() >= len(verts):
        raise ValueError(
            f"{path}: expected finite vertices and faces that name them, "
            f"found {len(verts)} vertices and {len(faces)} faces"
        )
    return verts, faces, colors


def _cleaned(
    path: Path, verts: np.ndarray, faces: np.ndarray, colors: Colors | None, notes: list[str]
) -> tuple[np.ndarray, np.ndarray, Colors | None]:
    """The mesh with vertices at one place merged, without loose vertices and triangles that have no area."""
    size = float(np.ptp(verts[faces.ravel()], axis=0).max())
    if not size > 0:
        raise ValueError(f"{path}: expected a solid, found all vertices at one place")
    cells = np.round((verts - verts.mean(axis=0)) / (SAME_PLACE * size))
    _, first, same = np.unique(cells, axis=0, return_index=True, return_inverse=True)
    merged = first[same.ravel()][faces]
    kept = face_areas(verts, merged) > (SAME_PLACE * size) ** 2
    if not kept.any():
        raise ValueError(f"{path}: expected triangles with an area, found none")
    used, renumbered = np.unique(merged[kept], return_inverse=True)
    if len(used) < len(verts):
        notes.append(f"{len(verts):,} vertices are {len(used):,} once doubled and loose ones are gone")
    if not kept.all():
        notes.append(f"{int((~kept).sum()):,} triangles without area left out")
    return verts[used], renumbered.reshape(-1, 3), None if colors is None else colors[kept]


def _check_size(path: Path, size: Float[np.ndarray, "3"], unit: str) -> None:
    """Refuse a size that no object has, and propose the units in which it has one."""
    largest = float(size.max())
    if LEAST <= largest <= MOST:
        if size.min() < 1e-4 * largest:
            raise ValueError(
                f"{path}: expected a solid, found a flat mesh, {_metres(float(size.min()))} thick"
            )
        return
    sizes = {other: largest / UNITS[unit] * factor for other, factor in UNITS.items()}
    fitting = [f"--unit {other} makes it {_metres(m)}" for other, m in sizes.items() if LEAST <= m <= MOST]
    advice = "; ".join(fitting) if fitting else "no unit makes it one; scale the mesh"
    raise ValueError(
        f"{path}: expected an object whose largest side is {_metres(LEAST)} to {_metres(MOST)}, found "
        f"{_metres(largest)}, its {largest / UNITS[unit]:g} read as {unit} (--unit); {advice}"
    )


def _metres(value: float) -> str:
    return f"{value:.3g} m" if value >= 1 else f"{100 * value:.3g} cm"


def _judge_surface(verts: np.ndarray, faces: np.ndarray, notes: list[str]) -> np.ndarray:
    """Note what is unusual; the faces (F, 3), turned outward where the surface is closed and inside out."""
    pieces = _pieces(len(verts), faces)
    if pieces > 1:
        notes.append(f"{pieces} separate pieces, taken as one rigid object")
    closed, consistent = _closed(faces)
    if not closed.all():
        notes.append(
            f"not watertight: {int((~closed).sum()):,} of {len(closed):,} edges do not join two triangles; "
            "renders and regions need the surface only"
        )
    elif not consistent:
        notes.append("triangles disagree about which side is outside; shading may show it")
    elif np.einsum("fc,fc->", verts[faces].mean(axis=1), face_cross(verts, faces)) < 0:
        notes.append("the surface was inside out; its triangles are turned around")
        return faces[:, ::-1].copy()
    return faces


def _pieces(count: int, faces: np.ndarray) -> int:
    start, end = faces[:, [0, 1]].ravel(), faces[:, [1, 2]].ravel()
    links = coo_array((np.ones(len(start)), (start, end)), shape=(count, count))
    return int(connected_components(links, directed=False)[0])


def _closed(faces: Int64[np.ndarray, "F 3"]) -> tuple[Bool[np.ndarray, " E"], bool]:
    """Of each edge (E,) whether two triangles share it; and whether they all run along it both ways."""
    ways = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    _, edge, count = np.unique(np.sort(ways, axis=1), axis=0, return_inverse=True, return_counts=True)
    forth = np.bincount(edge.ravel(), weights=ways[:, 0] < ways[:, 1], minlength=len(count))
    return count == 2, bool((2 * forth == count).all())
