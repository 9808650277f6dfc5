"""Arms that bring a palm somewhere with the least strained wrist, clear of the trunk and the legs."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from rhobin.synthetic.people.figure import Figure
from rhobin.synthetic.people.limbs import FORWARD, STRETCH, bend_two_bones, rest_bone
from rhobin.synthetic.people.pose import (
    ANKLE,
    COLLAR,
    ELBOW,
    FINGERS,
    HIP,
    KNEE,
    NECK,
    PELVIS,
    SHOULDER,
    SIGN,
    WRIST,
    Pose,
    cross,
    frame,
    rotation,
    unit,
)

_SWIVELS = np.radians([0.0, -25.0, 25.0, -50.0, 50.0, 75.0])
_FINGER_TURNS = np.radians([0.0, -20.0, 20.0, -40.0, 40.0, -65.0, 65.0])
_TUBE_STARTS, _TUBE_ENDS = [PELVIS, *HIP, *KNEE], [NECK, *KNEE, *ANKLE]
_TUBE_RADII = np.array([0.21, 0.13, 0.13, 0.1, 0.1])  # metres, a forearm's included


@dataclass(frozen=True)
class HandTarget:
    """Where a palm should be.

    Attributes:
        palm: (3,) where the palm's centre goes.
        normal: (3,) unit direction the palm faces.
        fingers: (3,) preferred direction of the fingers.
        pole: (3,) where the elbow should point, away from the shoulder-wrist line.
        turn: how far (radians) the fingers may turn about the normal to spare the wrist.
    """

    palm: np.ndarray
    normal: np.ndarray
    fingers: np.ndarray
    pole: np.ndarray
    turn: float = np.pi


@dataclass(frozen=True)
class ArmState:
    """How strained a placed arm is.

    Attributes:
        reach: shoulder to wrist in arm lengths; over 1 is too far.
        bend: of the wrist, radians.
        twist: of hand against elbow, radians.
        crowding: how far elbow or forearm cut into the trunk or the legs, metres.
    """

    reach: float
    bend: float
    twist: float
    crowding: float = 0.0

    @property
    def strain(self) -> float:
        """One number to compare arm solutions by."""
        too_far = max(0.0, self.reach - STRETCH)
        return self.bend + 0.6 * abs(self.twist) + 20.0 * too_far + 12.0 * self.crowding


def hand_frame(figure: Figure, side: int) -> np.ndarray:
    """Rest axes of a hand (3, 3): columns finger direction, palm normal, their cross product."""
    along = figure.joints[FINGERS[side][1]] - figure.joints[WRIST[side]]
    return frame(along, np.array([0.0, -1.0, 0.0]))


def palm_centre(figure: Figure, side: int) -> np.ndarray:
    """Rest position (3,) of the palm's surface centre relative to the wrist."""
    return figure.patch(f"palm{side}").rest.mean(axis=0) - figure.joints[WRIST[side]]


def place_hand(pose: Pose, side: int, target: HandTarget) -> tuple[ArmState, HandTarget]:
    """Bring a palm to its target with the least strained wrist.

    Tries finger turns up to `target.turn`, then elbow swivels. Shoulders follow far targets through the
    collar bone.

    Returns:
        How strained the arm is, and the target with the chosen finger direction and pole and no freedom
        left, for a cheap second placement nearby.
    """
    _follow_with_collar(pose, side, target)
    chosen = replace(target, turn=0.0)
    if target.turn > 0:
        axis = unit(target.palm - pose.joints[SHOULDER[side]])
        turns = [
            replace(chosen, fingers=rotation(target.normal, a) @ target.fingers)
            for a in _FINGER_TURNS[np.abs(_FINGER_TURNS) <= target.turn]
        ]
        chosen = min(turns, key=lambda t: _solve_arm(pose, side, t).strain)
        swivels = [replace(chosen, pole=rotation(axis, SIGN[side] * a) @ target.pole) for a in _SWIVELS]
        chosen = min(swivels, key=lambda t: _solve_arm(pose, side, t).strain - 0.2 * (t.pole @ target.pole))
    state = _solve_arm(pose, side, chosen)
    pose.update()
    return state, chosen


def _follow_with_collar(pose: Pose, side: int, target: HandTarget) -> None:
    collar, shoulder = COLLAR[side], SHOULDER[side]
    pose.theta[collar] = np.eye(3)
    pose.update()
    arm = sum(
        np.linalg.norm(rest_bone(pose.figure, a, b))
        for a, b in ((shoulder, ELBOW[side]), (ELBOW[side], WRIST[side]))
    )
    away = target.palm - pose.joints[shoulder]
    far = np.clip((np.linalg.norm(away) / arm - 0.75) / 0.4, 0.0, 1.0)
    high = np.clip((away[1] / arm + 0.2) / 1.0, 0.0, 1.0)
    angle = 0.3 * max(far, high)
    bone = unit(pose.joints[shoulder] - pose.joints[collar])
    axis = cross(bone, unit(away))
    if angle > 0.01 and axis @ axis > 1e-6:
        pose.set_global(collar, rotation(unit(axis), angle) @ pose.G[collar])
        pose.update()


def _solve_arm(pose: Pose, side: int, target: HandTarget) -> ArmState:
    figure = pose.figure
    s, e, w = SHOULDER[side], ELBOW[side], WRIST[side]
    upper_rest, fore_rest = rest_bone(figure, s, e), rest_bone(figure, e, w)
    hand = frame(target.normal, target.fingers)[:, [1, 0, 2]] * [1, 1, -1]
    H = hand @ hand_frame(figure, side).T
    wrist = target.palm - H @ palm_centre(figure, side)
    lengths = (float(np.linalg.norm(upper_rest)), float(np.linalg.norm(fore_rest)))
    upper, fore, hinge, reach = bend_two_bones(pose.joints[s], wrist, lengths, target.pole)
    pose.set_global(s, frame(upper, hinge) @ frame(upper_rest, cross(upper_rest, FORWARD)).T)
    R = frame(fore, hinge) @ frame(fore_rest, cross(fore_rest, FORWARD)).T
    twist, bend = twist_and_bend(R.T @ H, unit(fore_rest))
    pose.set_global(e, R @ rotation(unit(fore_rest), 0.5 * twist))
    pose.set_global(w, H)
    elbow = pose.joints[s] + lengths[0] * upper
    return ArmState(reach, bend, twist, _crowding(pose, elbow, elbow + 0.5 * lengths[1] * fore))


def _crowding(pose: Pose, elbow: np.ndarray, forearm: np.ndarray) -> float:
    """How far two points are inside tubes around the trunk and the leg bones, metres."""
    start = pose.joints[_TUBE_STARTS]
    bone = pose.joints[_TUBE_ENDS] - start
    away = np.stack([elbow, forearm])[:, None] - start
    share = np.einsum("psa,sa->ps", away, bone) / np.einsum("sa,sa->s", bone, bone)
    away -= np.clip(share, 0.0, 1.0)[..., None] * bone
    inside = _TUBE_RADII - np.sqrt(np.einsum("psa,psa->ps", away, away))
    return max(0.0, float(inside.max()))


def twist_and_bend(R: np.ndarray, axis: np.ndarray) -> tuple[float, float]:
    """Angle of a rotation about `axis` and the angle it tilts that axis, radians."""
    v = np.array([R[2, 1] - R[1, 2], R[0, 2] - R[2, 0], R[1, 0] - R[0, 1]])
    twist = 2 * np.arctan2(v @ axis, 1 + np.trace(R))
    twist = (twist + np.pi) % (2 * np.pi) - np.pi
    return float(twist), float(np.arccos(np.clip(axis @ R @ axis, -1, 1)))
