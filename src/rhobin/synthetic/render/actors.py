"""One posed person and one placed object, ready for rays from every camera."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rhobin.geometry.mesh import corner_normals, sample_surface
from rhobin.geometry.raycast import Hits, Scene
from rhobin.objects.template import Template
from rhobin.synthetic.light.floor import FloorShade
from rhobin.synthetic.light.shading import OPEN_RAYS, OPEN_REACH, Light, openness
from rhobin.synthetic.light.umbra import Umbra
from rhobin.synthetic.paint.appearance import Landmarks, Look, Paint, body_paint
from rhobin.synthetic.paint.finishes import object_paint

PROBES = 4000


@dataclass(frozen=True)
class Costume:
    """What stays the same while a person moves: topology, T-pose and look.

    Attributes:
        faces: (F, 3) int32 triangles.
        rest: (V, 3) float32 T-pose positions that the look is painted on.
        marks: landmarks of the same T-pose.
        look: skin, hair and clothes.
    """

    faces: np.ndarray
    rest: np.ndarray
    marks: Landmarks
    look: Look


@dataclass(frozen=True)
class Prop:
    """What stays the same while an object moves.

    Attributes:
        template: the object.
        normals: (F, 3, 3) normals of the triangles' corners, template frame.
        probes: (N, 3) points all over its surface, template frame.
    """

    template: Template
    normals: np.ndarray
    probes: np.ndarray

    @classmethod
    def of(cls, template: Template) -> Prop:
        """The prop of a template."""
        normals = corner_normals(template.verts, template.faces).astype(np.float32)
        spread = sample_surface(template.verts, template.faces, PROBES, np.random.default_rng(58))
        return cls(template, normals, np.concatenate([template.verts, spread]))


@dataclass(frozen=True)
class Points:
    """Surface points met by N rays: where, facing where, how open to ambient light, of what make."""

    position: np.ndarray
    normal: np.ndarray
    open: np.ndarray
    paint: Paint


class Actors:
    """A person and an object at one moment, in the room frame.

    Attributes:
        verts: vertices of the person and of the object, float32.
        scenes: one scene each, for amodal silhouettes.
        both: the joint scene, for shadows.
        floor: openness of the floor around them, see `FloorShade`.
    """

    def __init__(
        self, costume: Costume, person_verts: np.ndarray, prop: Prop, R: np.ndarray, t: np.ndarray
    ) -> None:
        """Place both and build their ray scenes.

        Args:
            costume: the person's fixed part.
            person_verts: (V, 3) posed vertices, metres, room frame.
            prop: the object's fixed part.
            R: (3, 3) rotation template to room.
            t: (3,) translation, metres.
        """
        self._costume, self._prop, self._R = costume, prop, R.astype(np.float32)
        template = prop.template
        self.verts = (
            np.ascontiguousarray(person_verts, np.float32),
            (template.verts @ R.T + t).astype(np.float32),
        )
        faces = (costume.faces, template.faces)
        meshes = list(zip(self.verts, faces, strict=True))
        self.scenes = tuple(Scene([mesh]) for mesh in meshes)
        self.both = Scene(meshes)
        normals = [_smooth_normals(v, f) for v, f in meshes]
        opened = [_openness(self.both, v, n) for v, n in zip(self.verts, normals, strict=True)]
        self._person = np.concatenate([normals[0], costume.rest, opened[0][:, None]], axis=1)
        self._object = np.concatenate([template.verts.astype(np.float32), opened[1][:, None]], axis=1)
        self.floor = FloorShade.under(self.both, np.concatenate(self.verts))
        middles = self.verts[0][costume.faces].mean(axis=1)
        self._probes = np.concatenate([*self.verts, middles, (prop.probes @ R.T + t).astype(np.float32)])
        self._umbras: dict[int, Umbra] = {}

    def umbra(self, number: int, lamp: Light) -> Umbra:
        """What they cover in the view of a room's lamp `number`; kept, since all cameras ask for it."""
        if number not in self._umbras:
            self._umbras[number] = Umbra.of(lamp, self._probes)
        return self._umbras[number]

    def points(self, who: int, hits: Hits, position: np.ndarray) -> Points:
        """Attributes where rays met the person (0) or the object (1).

        Args:
            who: 0 for the person, 1 for the object.
            hits: N first hits on that mesh.
            position: (N, 3) where they are, room frame.

        Returns:
            Interpolated attributes and the procedural paint.
        """
        weight = hits.barycentric
        if who == 0:
            value = _mix(self._person, self._costume.faces[hits.prim_id], weight)
            normal, rest, opened = value[:, :3], value[:, 3:6], value[:, 6]
            paint = body_paint(self._costume.look, self._costume.marks, rest)
        else:
            template = self._prop.template
            value = _mix(self._object, template.faces[hits.prim_id], weight)
            rest, opened = value[:, :3], value[:, 3]
            own = np.einsum("nk,nkc->nc", weight, self._prop.normals[hits.prim_id])
            normal = own @ self._R.T
            paint = object_paint(template, rest, own, hits.prim_id)
        length = np.sqrt(np.einsum("nk,nk->n", normal, normal))
        return Points(position, normal / np.maximum(length, 1e-9)[:, None], opened, paint)


def _mix(values: np.ndarray, corners: np.ndarray, weight: np.ndarray) -> np.ndarray:
    mixed = values[corners[:, 0]] * weight[:, :1]
    mixed += values[corners[:, 1]] * weight[:, 1:2]
    mixed += values[corners[:, 2]] * weight[:, 2:]
    return mixed


def _smooth_normals(verts: np.ndarray, faces: np.ndarray) -> np.ndarray:
    a, b, c = (verts[faces[:, k]] for k in range(3))
    face = np.cross(b - a, c - a)
    normals = np.stack(
        [sum(np.bincount(faces[:, k], face[:, axis], len(verts)) for k in range(3)) for axis in range(3)],
        axis=1,
    )
    length = np.sqrt(np.einsum("nk,nk->n", normals, normals))
    return (normals / np.maximum(length, 1e-12)[:, None]).astype(np.float32)


def _openness(scene: Scene, verts: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """Openness at vertices; close to the floor, what faces it is darker."""
    free = openness([scene], verts, normals, OPEN_RAYS, OPEN_REACH)
    near_floor = np.exp(-np.maximum(verts[:, 1], 0) * 8) * (0.5 - 0.5 * normals[:, 1])
    return free * (1 - 0.45 * near_floor)
