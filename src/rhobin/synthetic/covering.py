"""A piece of furniture between kinect 1 and a person that hides a wanted share of the person's joints."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from rhobin.behave.layout import TEST_KINECT
from rhobin.body.bodyset import BodySet
from rhobin.geometry.raycast import Mesh, Scene
from rhobin.objects.template import Template
from rhobin.synthetic.dressed import posed_bodies
from rhobin.synthetic.hiding import coarse_rays
from rhobin.synthetic.places.cameras import Rig
from rhobin.synthetic.places.furniture import bin_and_boxes, cabinet, coat_rack, desk, plant, shelf, sofa
from rhobin.synthetic.places.rooms import Room
from rhobin.synthetic.places.shapes import Surface, place
from rhobin.synthetic.plan import SequencePlan
from rhobin.synthetic.scene import SceneFrame
from rhobin.types import Camera

PIECES: tuple[Callable[[np.random.Generator], list[Surface]], ...] = (
    shelf,
    cabinet,
    sofa,
    desk,
    plant,
    coat_rack,
    bin_and_boxes,
)
"""Pieces that can hide much of a person."""

_TRIES = 600
_CLOSE = 0.025  # what a piece may miss without looking on
_OBJECT_SHOWN = (0.1, 0.35)  # in every frame, and in one; the challenge counts frames from 0.3
_GAP, _CAMERA_GAP = 0.04, 0.4  # metres of floor left free about a piece
_STANDING = (0.01, 2.2)  # heights of what a piece could run into, metres
_ANGLES = np.linspace(0, 2 * np.pi, 36, endpoint=False)
_WAYS = np.stack([np.sin(_ANGLES), np.zeros(36), np.cos(_ANGLES)])


@dataclass(frozen=True)
class _Sight:
    """What a camera sees in one frame before a piece is there.

    Attributes:
        joints: (J, 3) from the camera to the joints that nothing but the person hides.
        n_joints: of the person.
        thing: (N, 3) from the camera to the object's visible pixels.
        n_thing: pixels of its whole silhouette.
    """

    joints: np.ndarray
    n_joints: int
    thing: np.ndarray
    n_thing: int

    def past(self, piece: Scene, origin: np.ndarray) -> tuple[float, float]:
        """Shares of the joints and of the object that are seen past a piece."""
        joints, thing = ((~piece.occluded(origin, to, 1.0)).sum() for to in (self.joints, self.thing))
        return joints / self.n_joints, thing / max(self.n_thing, 1)


def covering_piece(
    plan: SequencePlan,
    frames: list[SceneFrame],
    bodies: BodySet,
    template: Template,
    rig: Rig,
    room: Room,
    scene: Scene,
) -> list[Surface]:
    """A piece that stands on the floor before the person, and touches nothing the whole sequence long.

    Args:
        plan: `shown` is the share of the joints that kinect 1 should see; the seed decides what is tried.
        frames: the sequence, room frame.
        bodies: body models.
        template: the object.
        rig: the day's cameras.
        room: the day's room.
        scene: its surfaces.

    Returns:
        Of some random pieces in random places, the one that misses the wanted share least, on average over
        the frames, and leaves the object in sight.

    Raises:
        ValueError: `shown` is None, or no piece found a place.
    """
    if plan.shown is None:
        raise ValueError(f"{plan.name}: expected the share of joints to be shown, found none in the plan")
    posed, camera = posed_bodies(bodies, frames, rig), rig.in_room(TEST_KINECT)
    people = [(verts, bodies[frames[0].gender].faces.numpy()) for verts in posed.room_verts]
    things = [(template.verts @ frame.obj_R.T + frame.obj_t, template.faces) for frame in frames]
    sights = [_sight(camera, *seen, scene) for seen in zip(people, things, posed.room_joints, strict=True)]
    around = _reaches([verts for verts, _ in (*people, *things)], _GAP)
    around += _reaches(_upright(room), _GAP) + _reaches([camera.t[None]], _CAMERA_GAP)
    middle, best, least = posed.room_joints.mean(axis=(0, 1)), None, np.inf
    for piece in _free_pieces(np.random.default_rng([plan.seed, 59]), camera.t, middle, np.stack(around)):
        shape = Scene([(surface.placed, surface.faces) for surface in piece])
        joints, thing = np.transpose([sight.past(shape, camera.t) for sight in sights])
        lost = np.maximum(0, np.subtract(_OBJECT_SHOWN, (thing.min(), thing.max()))).sum()
        missed = np.abs(joints - plan.shown).mean() + lost
        if missed < least:
            best, least = piece, missed
        if least < _CLOSE:
            break
    if best is None:
        raise ValueError(
            f"{plan.name}: no free place before the person for any of {_TRIES} pieces of furniture; "
            "choose another --seed"
        )
    return best


def _sight(camera: Camera, person: Mesh, thing: Mesh, joints: np.ndarray, room: Scene) -> _Sight:
    both, rays = Scene([person, thing]), coarse_rays(camera)
    to_joints = joints - camera.t
    hits = both.cast(camera.t, to_joints)
    seen = (hits.geom_id == 0) & ~room.occluded(camera.t, to_joints, np.minimum(hits.distance, 1))
    whole = rays[Scene([thing]).occluded(camera.t, rays)]
    first = both.cast(camera.t, whole)
    shown = (first.geom_id == 1) & ~room.occluded(camera.t, whole, first.distance)
    return _Sight(to_joints[seen], len(joints), (whole * first.distance[:, None])[shown], len(whole))


def _free_pieces(
    rng: np.random.Generator, camera: np.ndarray, middle: np.ndarray, around: np.ndarray
) -> Iterator[list[Surface]]:
    """Random pieces on the floor between a camera and a person, those that are clear of what is around."""
    to_person = (middle - camera)[[0, 2]]
    aside = np.array([to_person[1], -to_person[0]]) / np.linalg.norm(to_person)
    for _ in range(_TRIES):
        build = PIECES[int(rng.integers(len(PIECES)))]
        x, z = camera[[0, 2]] + rng.uniform(0.25, 0.85) * to_person + rng.uniform(-0.7, 0.7) * aside
        piece = place(build(rng), x, z, rng.uniform(0, 2 * np.pi))
        edge = np.max(np.concatenate([surface.placed for surface in piece]) @ _WAYS, axis=0)
        if (edge < around).any(axis=1).all():
            yield piece


def _reaches(obstacles: Sequence[np.ndarray], gap: float) -> list[np.ndarray]:
    """How far along each of some horizontal directions a piece may go before it could meet each obstacle.

    What ends before an obstacle along any one of them is apart from it: a vertical plane fits in between.
    """
    return [(points @ _WAYS).min(axis=0) - gap for points in obstacles]


def _upright(room: Room) -> list[np.ndarray]:
    """Vertices of the surfaces that stand in a room, which floor and ceiling do not."""
    low, high = _STANDING
    placed = [surface.placed for surface in room.surfaces]
    return [v for v in placed if v[:, 1].max() > low and v[:, 1].min() < high]
