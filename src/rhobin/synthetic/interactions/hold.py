"""Hold: one hand by a handle at the side, or one palm under a small object."""

from __future__ import annotations

from functools import partial

import numpy as np

from rhobin.objects.template import Grip, Template
from rhobin.synthetic.interactions.contact import Contact, Solved
from rhobin.synthetic.interactions.grasp import (
    SIDE_NAMES,
    canonical,
    elbow_pole,
    grasp,
    open_hand,
    tangent,
    turned,
    within_reach,
    yaw_of,
)
from rhobin.synthetic.interactions.motion import Params
from rhobin.synthetic.interactions.placed import Infeasible, Placed
from rhobin.synthetic.interactions.stance import bend_torso, idle_arm, plumb, stand, turn_head
from rhobin.synthetic.interactions.surface import from_above
from rhobin.synthetic.people.arms import HandTarget, hand_frame
from rhobin.synthetic.people.figure import Figure
from rhobin.synthetic.people.hands import close_fingers
from rhobin.synthetic.people.pose import (
    ELBOW,
    FINGERS,
    SHOULDER,
    SIGN,
    WRIST,
    Pose,
    rot_x,
    rot_y,
    rot_z,
    unit,
)

_TUBE_BACK, _TUBE_PALMWARD = 0.010, 0.024  # of a bar's axis from the middle knuckle, radius not counted


def by_handle(figure: Figure, template: Template, p: Params, roles: tuple[float, ...]) -> Solved:
    """A person with a handle in one hanging hand; the other arm is free."""
    side = p.choice("side", (0, 1))
    pose = _upright(figure, p, 1 - side)
    handle = template.grips["handle"]
    for abduct in np.radians(np.arange(0.0, 40.0, 5.0)):
        thing = _hang(pose, template, handle, p, side, float(abduct))
        clear = thing.sdf(pose.skin("core")).min()
        if clear > 0.004:
            break
    else:
        raise Infeasible("the object does not clear the leg")
    solved = Solved(pose, thing)
    close_fingers(pose, side, thing, np.radians(10), np.radians(95), np.radians(60))
    solved.contacts.append(Contact(f"{SIDE_NAMES[side]} hand", f"volar{side}"))
    return solved


def _upright(figure: Figure, p: Params, idle: int) -> Pose:
    pose = Pose(figure)
    bend_torso(pose, p, p.degrees("lean", -5, 12))
    stand(pose, p, p("drop", 0.003, 0.04), stride=0.6)
    turn_head(pose, p)
    idle_arm(pose, idle, p)
    return pose


def _hang(pose: Pose, template: Template, handle: Grip, p: Params, side: int, abduct: float) -> Placed:
    """Hang the arm, then hang the object on its bar: the bar lies across the palm behind the knuckles."""
    s = SIGN[side]
    fall = p.degrees("hang", 62, 76) - abduct
    swing = p.degrees("hang forward", -15, 22, 0.4)
    pose.set_global(SHOULDER[side], plumb(pose, 0.3) @ rot_x(-swing) @ rot_z(-s * fall))
    pose.theta[ELBOW[side]] = rot_y(-s * p.degrees("hang elbow", 4, 40)) @ rot_x(
        p.degrees("hang turn", -12, 20)
    )
    pose.theta[WRIST[side]] = rot_z(-s * p.degrees("hang wrist", -8, 12))
    open_hand(pose, side)
    hand = pose.G[WRIST[side]] @ hand_frame(pose.figure, side)
    along, palm, across = hand.T
    knuckle = pose.joints[FINGERS[side][1]]
    axis = knuckle - _TUBE_BACK * along + (_TUBE_PALMWARD + handle.radius) * palm
    flat = np.arctan2(across[0], across[2])
    own = np.arctan2(handle.direction[0], handle.direction[2])
    yaw = flat - own
    if np.cos(yaw - p.choice("handle way", (0.5 * np.pi, -0.5 * np.pi))) < 0:
        yaw += np.pi
    R = rot_y(yaw) @ rot_x(p.degrees("swing", -6, 6, 0.4)) @ rot_z(p.degrees("swing side", -4, 4, 0.4))
    return Placed(template, R, axis - R @ handle.position)


def on_palm(figure: Figure, template: Template, p: Params, roles: tuple[float, ...]) -> Solved:
    """A person who holds a small object up on one open palm."""
    return _served(figure, template, p, roles)[0]


def operate(figure: Figure, template: Template, p: Params, roles: tuple[float, ...]) -> Solved:
    """A person with an object on one palm who touches its top with the other hand, as to type on it."""
    solved, side = _served(figure, template, p, roles, before=0.12)
    other = 1 - side
    target = within_reach(solved.pose, other, partial(from_above, solved.thing, p, other))
    grasp(solved, p, other, target, high_deg=55)
    return solved


def _served(
    figure: Figure, template: Template, p: Params, roles: tuple[float, ...], before: float | None = None
) -> tuple[Solved, int]:
    """An object on a palm beside the chest, or `before` it (metres beside the middle); and which hand."""
    side = p.choice("side", (0, 1))
    pose = _upright(figure, p, 1 - side)
    R = rot_y(yaw_of(p)) @ canonical(turned(p, 0.0, 6.0, 6.0), p, roles)
    shoulder = pose.joints[SHOULDER[side]]
    out = SIGN[side] * p("palm out", -0.1, 0.22)
    if before is not None:
        out = SIGN[side] * p("palm out", 0.0, before) - shoulder[0]
    away = np.array([out, -p("palm down", 0.0, 0.32), p("palm before", 0.28, 0.46)])
    thing = Placed(template, R, np.zeros(3))
    thing = thing.moved(shoulder + away + np.array([0.0, -thing.bottom, 0.0]))
    offset = thing.R @ np.array([p("under x", -0.15, 0.15), 0.0, p("under z", -0.15, 0.1)])
    below = thing.t + offset * template.diameter - np.array([0.0, template.diameter, 0.0])
    point, normal = thing.hit(below, np.array([0.0, 1.0, 0.0]))
    fingers = tangent(unit(np.array([SIGN[side] * p("fingers out", -0.8, 0.8), 0.1, 1.0])), normal)
    solved = Solved(pose, thing)
    grasp(solved, p, side, HandTarget(point, -normal, fingers, elbow_pole(p, side)), high_deg=50)
    turn_head(pose, p, thing.t)
    return solved, side
