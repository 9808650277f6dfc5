"""Bringing a body into contact with an object, and measuring how well that went."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from scipy.spatial import cKDTree

from rhobin.synthetic.interactions.placed import Infeasible, Placed
from rhobin.synthetic.people.arms import ArmState, HandTarget, place_hand
from rhobin.synthetic.people.hands import Surface
from rhobin.synthetic.people.pose import ANKLE, BALL, ELBOW, HIP, KNEE, Pose
from rhobin.synthetic.people.regions import TRUNK, hand_joints

PALM_DEPTH = 0.003  # how deep a palm is pressed in, metres
_SELF_REACH = 0.06


@dataclass(frozen=True)
class Contact:
    """A declared touch: what it is called and which body patch must reach the object."""

    name: str
    patch: str


@dataclass
class Solved:
    """A candidate frame in the person's own frame (facing +z, floor y = 0).

    Attributes:
        pose: the body.
        thing: the object.
        contacts: declared touches.
        depth_limit: deepest penetration allowed, metres.
        strain: worst wrist bend and twist, radians.
    """

    pose: Pose
    thing: Placed
    contacts: list[Contact] = field(default_factory=list)
    depth_limit: float = 0.015
    strain: list[ArmState] = field(default_factory=list)


class BodySurface:
    """Part of a posed body as something to touch: distances to its nearest vertex's tangent plane."""

    def __init__(self, pose: Pose, joints: tuple[int, ...]) -> None:
        figure = pose.figure
        ids = np.flatnonzero(np.isin(figure.part, joints))
        self._verts = pose.skin("all")[ids]
        self._normals = np.einsum("nab,nb->na", pose.G[figure.part[ids]], figure.normals[ids])
        self._tree = cKDTree(self._verts)

    def sdf(self, points: np.ndarray) -> np.ndarray:
        """Signed distances (n,) of points (n, 3)."""
        _, at = self._tree.query(points)
        away = points - self._verts[at]
        planar = np.einsum("na,na->n", away, self._normals[at])
        return np.where(planar > 0, np.linalg.norm(away, axis=1), planar)

    def hit(self, origin: np.ndarray, direction: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The vertex nearest to a ray and its normal."""
        away = self._verts - origin
        along = away @ direction
        across = np.linalg.norm(away - along[:, None] * direction, axis=1)
        facing = self._normals @ direction < -0.3
        at = int(np.argmin(across + 10.0 * ~facing))
        return self._verts[at], self._normals[at]


def press_hand(
    pose: Pose, side: int, thing: Surface, target: HandTarget, depth: float = PALM_DEPTH
) -> ArmState:
    """Place a hand, then slide it along the palm normal until the palm is `depth` inside the surface."""
    for _ in range(6):
        state, target = place_hand(pose, side, target)
        gap = min(
            thing.sdf(pose.skin(f"palm{side}")).min(), thing.sdf(pose.skin(f"volar{side}")).min() + 0.002
        )
        if abs(gap + depth) < 7e-4:
            break
        target = replace(target, palm=target.palm + target.normal * (gap + depth))
    return state


def approach(
    pose: Pose, patch: str, thing: Placed, direction: np.ndarray, clearance: float, stop: float
) -> Placed:
    """Bring a distant object against `direction` until it is `clearance` from a body patch.

    Every step is as long as the distance that is left, so nothing is crossed. The object's origin halts at
    `stop` (metres along `direction`) at the latest.
    """
    points = pose.skin(patch)
    for _ in range(30):
        step = min(float(thing.sdf(points).min()) - clearance, float(thing.t @ direction) - stop)
        if step < 2e-3:
            break
        thing = thing.moved(-direction * step)
    return thing


def touch_body(pose: Pose, patch: str, thing: Placed, direction: np.ndarray, depth: float = 0.002) -> Placed:
    """Move the object against `direction` until a body patch is `depth` inside it."""
    points = pose.skin(patch)
    for _ in range(12):
        gap = float(thing.sdf(points).min()) + depth
        if abs(gap) < 5e-4:
            return thing
        thing = thing.moved(-direction * gap)
    raise Infeasible("the object does not reach the body")


@dataclass(frozen=True)
class Measured:
    """How a candidate does, metres.

    Attributes:
        depth: deepest body point inside the object.
        gap: largest distance of a declared contact's patch from the object.
        self_depth: deepest limb point inside another part of the body.
        floor: height of the lowest body point.
        object_floor: height of the lowest object point.
    """

    depth: float
    gap: float
    self_depth: float
    floor: float
    object_floor: float


def measure(solved: Solved) -> Measured:
    """Penetration, contact gaps, self-penetration and floor height of a candidate."""
    pose, figure = solved.pose, solved.pose.figure
    verts = pose.skin("all")
    middles = 0.5 * (verts[figure.long_edges[:, 0]] + verts[figure.long_edges[:, 1]])
    distance = solved.thing.sdf(np.concatenate([verts, middles]))
    gaps = [max(0.0, float(distance[figure.patch(c.patch).ids].min())) for c in solved.contacts]
    return Measured(
        depth=max(0.0, -float(distance.min())),
        gap=max(gaps, default=0.0),
        self_depth=max(self_depths(pose, verts).values()),
        floor=float(verts[:, 1].min()),
        object_floor=solved.thing.bottom,
    )


def self_depths(pose: Pose, verts: np.ndarray) -> dict[str, float]:
    """How deep (metres) limbs are inside other parts of the body, by pair."""
    figure = pose.figure
    normals = np.einsum("nab,nb->na", pose.G[figure.part], figure.normals)

    def depth(moving: tuple[int, ...], still: tuple[int, ...]) -> float:
        ids = np.flatnonzero(np.isin(figure.part, still))
        points = verts[np.isin(figure.part, moving)]
        distance, nearest = cKDTree(verts[ids]).query(points, distance_upper_bound=_SELF_REACH)
        close = np.isfinite(distance)
        if not close.any():
            return 0.0
        at = ids[nearest[close]]
        signed = np.einsum("na,na->n", points[close] - verts[at], normals[at])
        return max(0.0, -float(signed.min()))

    arms = [(ELBOW[s], *hand_joints(s)) for s in (0, 1)]
    feet = [(ANKLE[s], BALL[s]) for s in (0, 1)]
    return {
        "left arm in body": depth(arms[0], (*TRUNK, *HIP, *KNEE)),
        "right arm in body": depth(arms[1], (*TRUNK, *HIP, *KNEE)),
        "arm in arm": depth(arms[0], arms[1]),
        "left leg in right": depth((KNEE[0], *feet[0]), (HIP[1], KNEE[1], *feet[1])),
        "right leg in left": depth((KNEE[1], *feet[1]), (HIP[0],)),
    }
