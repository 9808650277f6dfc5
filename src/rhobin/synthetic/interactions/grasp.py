"""Hands on an object: where two palms go, whether arms reach, and the pressing and closing itself."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from rhobin.objects.template import Grip
from rhobin.synthetic.interactions.contact import Contact, Solved, press_hand
from rhobin.synthetic.interactions.motion import Params
from rhobin.synthetic.interactions.placed import Infeasible, OutOfReach, Placed
from rhobin.synthetic.people.arms import ArmState, HandTarget
from rhobin.synthetic.people.hands import close_fingers, set_curls
from rhobin.synthetic.people.pose import ELBOW, SHOULDER, SIGN, WRIST, Pose, rot_x, rot_y, rot_z, unit

SIDE_NAMES = ("left", "right")
MAX_BEND, MAX_TWIST = np.radians(82), np.radians(135)
_OPEN = np.radians(6.0)


def turned(p: Params, yaw_deg: float = 40.0, tilt_deg: float = 15.0, roll_deg: float = 8.0) -> np.ndarray:
    """Object orientation near its canonical one: yaw, tilt and roll within bounds in degrees.

    Canonical means the template's front (+z) looks where the person looks. Yaw stays within 45 degrees of
    it so that a label of an almost symmetric object can be learnt; it is otherwise uniform.
    """
    yaw = yaw_of(p, yaw_deg)
    tilt = p.degrees("object tilt", -tilt_deg, tilt_deg, 0.2)
    roll = p.degrees("object roll", -roll_deg, roll_deg, 0.2)
    return rot_y(yaw) @ rot_x(tilt) @ rot_z(roll)


def yaw_of(p: Params, bound_deg: float = 40.0) -> float:
    """The object's yaw relative to the person, radians."""
    return p.degrees("object yaw", -bound_deg, bound_deg, 0.12)


def canonical(R: np.ndarray, p: Params, options: tuple[float, ...]) -> np.ndarray:
    """`R` applied after a yaw (degrees) drawn once for the sequence: roles of an asymmetric object."""
    return R @ rot_y(np.radians(p.choice("role", options)))


def tangent(direction: np.ndarray, normal: np.ndarray) -> np.ndarray:
    """The unit part of `direction` in the plane of `normal`."""
    flat = direction - normal * (normal @ direction)
    if flat @ flat < 1e-4:
        raise Infeasible("fingers would point into the surface")
    return unit(flat)


def elbow_pole(p: Params, side: int, out: tuple[float, float] = (0.2, 1.1)) -> np.ndarray:
    """Elbows down, more or less out, a little back."""
    return unit(
        np.array([SIGN[side] * p(f"elbow out {side}", *out), -1.0, p(f"elbow back {side}", -0.7, -0.1)])
    )


def side_grip(thing: Placed, side: int) -> tuple[Grip, float]:
    """The named place on the person's left or right where the object is carried, and how tall it is there."""
    end = "plus_x" if SIGN[side] * thing.R[0, 0] > 0 else "minus_x"
    for prefix, height in (("", 0.6), ("edge_", 0.0), ("seat_", 0.0), ("rim_", 0.0)):
        grip = thing.template.grips.get(prefix + end)
        if grip is not None:
            return grip, height * float(thing.size[1])
    raise Infeasible("the object has no sides to hold it by")


def _forward(thing: Placed, grip: Grip) -> np.ndarray:
    """The grip's length vector in the template's frame, turned to lead away from the person."""
    lead = grip.direction * grip.length
    return lead if (thing.R @ lead)[2] > 0 else -lead


def from_side(thing: Placed, p: Params, side: int, pull: float = 0.0) -> HandTarget:
    """A palm on the object's left or right, fingers forward; `pull` (share of the depth) nears the body."""
    grip, tall = side_grip(thing, side)
    share = max(-0.42, p(f"grip z {side}", -0.25, 0.2) - pull)
    place = grip.position + share * _forward(thing, grip) + 0.5 * grip.normal * [1, 0, 1]
    low = p(f"grip y {side}", -0.5, 0.25)
    place = place + np.array([0.0, tall * max(low, min(0.3, low + 1.5 * pull)), 0.0])
    point, normal = thing.hit(thing.to_room(place), -thing.R @ (grip.normal * [1, 0, 1]))
    fingers = tangent(np.array([0.0, p(f"fingers up {side}", -0.2, 0.9), 1.0]), normal)
    return HandTarget(point, -normal, fingers, elbow_pole(p, side))


def from_below(thing: Placed, p: Params, side: int, pull: float = 0.0) -> HandTarget:
    """A palm under the object's left or right edge, `pull` as in `from_side`."""
    grip, tall = side_grip(thing, side)
    inset = min(p(f"inset {side}", 0.04, 0.08), abs(float(grip.position[0])))
    share = max(-0.4, p(f"grip z {side}", -0.2, 0.25) - pull)
    under = thing.template.bottom - 0.3 - grip.position[1] if tall else -0.1
    place = grip.position + share * _forward(thing, grip) - inset * grip.normal + np.array([0.0, under, 0.0])
    point, normal = thing.hit(thing.to_room(place), thing.R @ np.array([0.0, 1.0, 0.0]))
    inward = p(f"fingers in {side}", 0.1, 1.0)
    fingers = tangent(np.array([-SIGN[side] * inward, 0.1, 1.0]), normal)
    return HandTarget(point, -normal, fingers, elbow_pole(p, side))


def within_reach(
    pose: Pose,
    side: int,
    make: Callable[[float], HandTarget],
    pulls: tuple[float, ...] = (0.0, 0.15, 0.3, 0.45),
) -> HandTarget:
    """The first target of a row of ever nearer ones that an arm reaches.

    Raises:
        Infeasible: none is.
    """
    for pull in pulls:
        target = make(pull)
        if reach(pose, side, target) < 0.97:
            return target
    raise OutOfReach("an arm is too short")


def reach(pose: Pose, side: int, target: HandTarget) -> float:
    """Distance from the shoulder to where a target puts the wrist, in arm lengths."""
    j = pose.figure.joints
    arm = np.linalg.norm(j[ELBOW[side]] - j[SHOULDER[side]]) + np.linalg.norm(j[WRIST[side]] - j[ELBOW[side]])
    wrist = target.palm - 0.02 * target.normal - 0.07 * target.fingers
    return float(np.linalg.norm(wrist - pose.joints[SHOULDER[side]]) / arm)


def open_hand(pose: Pose, side: int) -> None:
    """Stretch the fingers before they meet a surface."""
    set_curls(pose, side, [_OPEN] * 4 + [-0.5])


def grasp(
    solved: Solved, p: Params, side: int, target: HandTarget, high_deg: float = 75.0, name: str = "hand"
) -> ArmState:
    """Press a palm on the object, close its fingers and declare the contact.

    Raises:
        Infeasible: out of reach, or a wrist bent beyond what people can.
    """
    pose, thing = solved.pose, solved.thing
    open_hand(pose, side)
    state = press_hand(pose, side, thing, target)
    if state.reach > 1.0:
        raise OutOfReach("an arm is too short")
    if state.bend > MAX_BEND or abs(state.twist) > MAX_TWIST:
        raise Infeasible("a wrist is bent too far")
    close_fingers(pose, side, thing, np.radians(-4), np.radians(high_deg), p.degrees(f"curl {side}", 8, 25))
    solved.contacts.append(Contact(f"{SIDE_NAMES[side]} {name}", f"volar{side}"))
    solved.strain.append(state)
    return state
