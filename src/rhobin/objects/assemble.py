"""From a design, coloured solids standing on a floor, to a template centred on its vertex mean."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Integer, UInt8

from rhobin.geometry.mesh import face_normals
from rhobin.objects.solid import Primitive, Vector
from rhobin.objects.symmetry import ASYMMETRIC, SymmetryGroup
from rhobin.objects.template import Grip, Template, make_template

Color = tuple[int, int, int]
Where = Callable[[Float[np.ndarray, "F 3"], Float[np.ndarray, "F 3"]], Bool[np.ndarray, " F"]]


FAR = 1e3
HIDDEN = 1e-5


def facing(
    normal: Vector,
    lower: Vector = (-FAR, -FAR, -FAR),
    upper: Vector = (FAR, FAR, FAR),
) -> Where:
    """Pick triangles that face along `normal` within 45 degrees and lie between two corners."""

    def where(centres: np.ndarray, normals: np.ndarray) -> np.ndarray:
        between = (centres > np.asarray(lower)) & (centres < np.asarray(upper))
        return between.all(axis=1) & (normals @ np.asarray(normal) > np.sqrt(0.5))

    return where


@dataclass(frozen=True)
class Patch:
    """A colour for the triangles that `where(centres, normals)` picks, in the part's own frame."""

    color: Color
    where: Where


@dataclass(frozen=True)
class Part:
    """A coloured solid; later patches cover earlier ones."""

    solid: Primitive
    color: Color
    patches: tuple[Patch, ...] = ()

    def colors(
        self, points: Float[np.ndarray, "N 3"], normals: Float[np.ndarray, "N 3"]
    ) -> UInt8[np.ndarray, "N 3"]:
        """Colours (N, 3) of surface points with flat normals, both in the solid's own frame."""
        colors = np.tile(np.array(self.color, dtype=np.uint8), (len(points), 1))
        for patch in self.patches:
            colors[patch.where(points, normals)] = patch.color
        return colors


@dataclass(frozen=True)
class Design:
    """An object standing on the plane y = 0, front towards +z.

    Attributes:
        parts: its solids.
        grips: places to touch, same frame.
        group: rotational symmetry about `centre`.
        centre: fixed point of the symmetry.
    """

    parts: list[Part]
    grips: list[Grip]
    group: SymmetryGroup = ASYMMETRIC
    centre: Vector = (0.0, 0.0, 0.0)


def assemble(name: str, design: Design) -> Template:
    """Join a design's parts into one template.

    Args:
        name: the object.
        design: its parts, grips and symmetry.

    Returns:
        The template; vertices, parts and grips share the frame of the vertex mean.
    """
    meshes = [_visible(design.parts, index) for index in range(len(design.parts))]
    starts = np.cumsum([0] + [len(verts) for verts, _ in meshes[:-1]])
    verts = np.round(np.concatenate([verts for verts, _ in meshes]), 6)
    faces = np.concatenate([faces + start for (_, faces), start in zip(meshes, starts, strict=True)])
    colors = [_paint(part, *mesh) for part, mesh in zip(design.parts, meshes, strict=True)]
    mean = verts.mean(axis=0)
    grips = {grip.name: replace(grip, position=grip.position - mean) for grip in design.grips}
    return make_template(
        name,
        verts - mean,
        faces,
        group=design.group,
        centre=np.asarray(design.centre) - mean,
        colors=np.concatenate(colors),
        face_parts=np.repeat(np.arange(len(meshes)), [len(faces) for _, faces in meshes]),
        parts=tuple(part.solid.moved(-mean) for part in design.parts),
        grips=grips,
    )


def _visible(parts: list[Part], index: int) -> tuple[np.ndarray, np.ndarray]:
    """Mesh of one part without the triangles that lie inside another one."""
    verts, faces = parts[index].solid.mesh()
    depth = np.full(len(verts), np.inf)
    middle = np.full(len(faces), np.inf)
    for other, part in enumerate(parts):
        if other != index:
            depth = np.minimum(depth, part.solid.sdf(verts))
            middle = np.minimum(middle, part.solid.sdf(verts[faces].mean(axis=1)))
    hidden = (depth < -HIDDEN)[faces].all(axis=1) & (middle < -HIDDEN)
    used, renumbered = np.unique(faces[~hidden], return_inverse=True)
    return verts[used], renumbered.reshape(-1, 3).astype(np.int64)


def _paint(part: Part, verts: np.ndarray, faces: np.ndarray) -> np.ndarray:
    own = (verts - part.solid.centre) @ part.solid.rotation
    return part.colors(_cell_centres(own, faces), face_normals(own, faces))


def colors_at(
    parts: list[Part],
    template: Template,
    face_ids: Integer[np.ndarray, " N"],
    points: Float[np.ndarray, "N 3"],
) -> UInt8[np.ndarray, "N 3"]:
    """Colours of surface points, with borders that do not follow the mesh.

    Args:
        parts: of the design that the template was assembled from.
        template: the result.
        face_ids: (N,) triangles that the points lie on.
        points: (N, 3) in the template's frame, metres.

    Returns:
        (N, 3) RGB.
    """
    part_of = template.face_parts[face_ids]
    normals = face_normals(template.verts, template.faces)[face_ids]
    colors = np.empty((len(points), 3), dtype=np.uint8)
    for index, (part, solid) in enumerate(zip(parts, template.parts, strict=True)):
        mine = part_of == index
        own = (points[mine] - solid.centre) @ solid.rotation
        colors[mine] = part.colors(own, normals[mine] @ solid.rotation)
    return colors


def _cell_centres(verts: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Middle of each triangle's longest edge: the two halves of a grid cell share it."""
    corners = verts[faces]
    starts, ends = corners, np.roll(corners, -1, axis=1)
    longest = np.argmax(np.round(np.linalg.norm(ends - starts, axis=2), 9), axis=1)
    rows = np.arange(len(faces))
    return (starts[rows, longest] + ends[rows, longest]) / 2


def grip(
    name: str,
    position: Vector,
    normal: Vector,
    direction: Vector,
    radius: float = 0.0,
    length: float = 0.0,
) -> Grip:
    """A grip from plain tuples; normal and direction need not be unit vectors."""
    out, along = np.asarray(normal, dtype=np.float64), np.asarray(direction, dtype=np.float64)
    return Grip(
        name,
        np.asarray(position, dtype=np.float64),
        out / np.linalg.norm(out),
        along / np.linalg.norm(along),
        radius,
        length,
    )
