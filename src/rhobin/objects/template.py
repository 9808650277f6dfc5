"""An object's template: its mesh about the vertex mean and what is known of its shape."""

import hashlib
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float, Int64, UInt8
from scipy.spatial import ConvexHull, QhullError
from scipy.spatial.distance import pdist

from rhobin.objects.keypoints import choose_keypoints
from rhobin.objects.solid import Primitive
from rhobin.objects.symmetry import ASYMMETRIC, SymmetryGroup, offsets

DEFAULT_COLOR = (150, 150, 150)


@dataclass(frozen=True)
class Grip:
    """A place where people touch an object, in the template's frame.

    Attributes:
        name: what it is: a face of a box, "seat", "handle", "rim_left", ...
        position: (3,) its middle: on the surface, or on the centre line of a bar.
        normal: (3,) unit vector out of the surface; for a bar, away from the object.
        direction: (3,) unit vector along it: a bar's axis, an edge's line, a seat's front.
        radius: of a bar, 0 for flat places.
        length: extent along the direction, metres.
    """

    name: str
    position: Float[np.ndarray, "3"]
    normal: Float[np.ndarray, "3"]
    direction: Float[np.ndarray, "3"]
    radius: float = 0.0
    length: float = 0.0


@dataclass(frozen=True, eq=False)
class Template:
    """A rigid object: metres, y up and +z in front for the built-in ones, vertices about their mean.

    Attributes:
        name: one of `OBJECT_NAMES`, or a user's own.
        verts: (V, 3) vertices; their mean is the origin.
        faces: (F, 3) triangles, outward.
        kpt_ids: (8,) indices of the keypoint vertices.
        symmetries: (S, 3, 3) rotations that keep the shape, identity first.
        symmetry_offsets: (S, 3) translations that belong to them: x -> R x + offset.
        group: the same symmetry in closed form, about `centre`.
        centre: (3,) fixed point of the symmetries.
        diameter: largest distance between two vertices.
        colors: (F, 3) RGB of each triangle.
        sha256: of the vertices in micrometres and the faces.
        face_parts: (F,) index of the part that each triangle belongs to; 0 for scans.
        parts: solids whose union is the object; empty for scans.
        grips: named places where people touch it; empty for scans.
    """

    name: str
    verts: Float[np.ndarray, "V 3"]
    faces: Int64[np.ndarray, "F 3"]
    kpt_ids: Int64[np.ndarray, "8"]
    symmetries: Float[np.ndarray, "S 3 3"]
    symmetry_offsets: Float[np.ndarray, "S 3"]
    group: SymmetryGroup
    centre: Float[np.ndarray, "3"]
    diameter: float
    colors: UInt8[np.ndarray, "F 3"]
    sha256: str
    face_parts: Int64[np.ndarray, " F"]
    parts: tuple[Primitive, ...] = ()
    grips: dict[str, Grip] = field(default_factory=dict)

    @property
    def kpts(self) -> Float[np.ndarray, "8 3"]:
        """The eight keypoints, (8, 3) metres."""
        return self.verts[self.kpt_ids]

    @property
    def bottom(self) -> float:
        """Height of the lowest vertex below the origin, a negative number of metres."""
        return float(self.verts[:, 1].min())

    def sdf(self, points: Float[np.ndarray, "N 3"]) -> Float[np.ndarray, " N"]:
        """Signed distance to the union of the parts, negative inside.

        Exact outside; inside, where parts overlap, the depth in the deepest single part.

        Args:
            points: (N, 3) in the template's frame, metres.

        Returns:
            (N,) metres.

        Raises:
            ValueError: the template is a scan and has no parts.
        """
        if not self.parts:
            raise ValueError(
                f"{self.name}: a scanned template has no analytic distance; "
                "use a built-in one (rhobin.objects.load.load_templates())"
            )
        distance = np.full(len(points), np.inf)
        for part in self.parts:
            near = np.flatnonzero(_box_distance(points, part.bounds) < distance)
            if len(near):
                distance[near] = np.minimum(distance[near], part.sdf(points[near]))
        return distance


def _box_distance(points: np.ndarray, bounds: np.ndarray) -> np.ndarray:
    """Lower bound of the signed distance to anything in a box: outside the distance to it, inside -inf."""
    beyond = np.maximum(bounds[0] - points, points - bounds[1])
    outside = np.linalg.norm(np.maximum(beyond, 0), axis=1)
    return np.where(beyond.max(axis=1) > 0, outside, -np.inf)


def make_template(
    name: str,
    verts: Float[np.ndarray, "V 3"],
    faces: Int64[np.ndarray, "F 3"],
    group: SymmetryGroup = ASYMMETRIC,
    centre: Float[np.ndarray, "3"] | None = None,
    colors: UInt8[np.ndarray, "F 3"] | None = None,
    parts: tuple[Primitive, ...] = (),
    face_parts: Int64[np.ndarray, " F"] | None = None,
    grips: dict[str, Grip] | None = None,
) -> Template:
    """Complete a template from a mesh that is already centred on its vertex mean.

    Args:
        name: the object.
        verts: (V, 3) centred vertices, metres.
        faces: (F, 3) triangles.
        group: rotational symmetry.
        centre: (3,) its fixed point, the origin by default.
        colors: (F, 3) RGB, grey by default.
        parts: solids in the same frame.
        face_parts: (F,) the part of each triangle.
        grips: contact places in the same frame.

    Returns:
        The template with keypoints, symmetries, diameter and hash.

    Raises:
        ValueError: the mesh is too small or flat to have eight keypoints.
    """
    centre = np.zeros(3) if centre is None else centre
    rotations = group.rotations()
    if colors is None:
        colors = np.tile(np.array(DEFAULT_COLOR, dtype=np.uint8), (len(faces), 1))
    return Template(
        name=name,
        verts=verts,
        faces=faces,
        kpt_ids=choose_keypoints(verts),
        symmetries=rotations,
        symmetry_offsets=offsets(rotations, centre),
        group=group,
        centre=centre,
        diameter=_diameter(name, verts),
        colors=colors,
        sha256=mesh_hash(verts, faces),
        parts=parts,
        face_parts=np.zeros(len(faces), dtype=np.int64) if face_parts is None else face_parts,
        grips=grips or {},
    )


def _diameter(name: str, verts: Float[np.ndarray, "V 3"]) -> float:
    try:
        return float(pdist(verts[ConvexHull(verts).vertices]).max())
    except QhullError as error:
        raise ValueError(f"{name}: expected a solid, found vertices in one plane") from error


def mesh_hash(verts: Float[np.ndarray, "V 3"], faces: Int64[np.ndarray, "F 3"]) -> str:
    """SHA-256 of a mesh: vertices rounded to micrometres and faces, as little-endian 64-bit integers."""
    digest = hashlib.sha256(np.round(verts * 1e6).astype("<i8").tobytes())
    digest.update(faces.astype("<i8").tobytes())
    return digest.hexdigest()
