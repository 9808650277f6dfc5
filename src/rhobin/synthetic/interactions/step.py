"""Feet on objects: stepping on a box, resting a foot on a ball, kicking it."""

from __future__ import annotations

import numpy as np

from rhobin.objects.template import Template
from rhobin.synthetic.interactions.contact import Contact, Solved, approach, touch_body
from rhobin.synthetic.interactions.grasp import SIDE_NAMES
from rhobin.synthetic.interactions.motion import Params
from rhobin.synthetic.interactions.placed import Infeasible, OutOfReach, Placed
from rhobin.synthetic.interactions.stance import bend_torso, idle_arm, settle, support_centre, turn_head
from rhobin.synthetic.interactions.surface import on_floor
from rhobin.synthetic.people.figure import Figure
from rhobin.synthetic.people.limbs import FootTarget, ball_height, place_foot
from rhobin.synthetic.people.pose import ANKLE, BALL, SIGN, Pose, unit

_FORWARD = np.array([0.0, 0.0, 1.0])
_SOLE_DEPTH = 0.003


def step(figure: Figure, template: Template, p: Params, roles: tuple[float, ...]) -> Solved:
    """One foot on top of an object, the other leg carries the person."""
    side = p.choice("side", (0, 1))
    pose, support = _one_leg(figure, p, side, drop=p("drop", 0.0, 0.06), lean=p.degrees("lean", 0, 25))
    thing = on_floor(template, p, roles)
    start = np.array(
        [support[0] + SIGN[side] * p("off", 0.1, 0.24), thing.t[1], pose.pelvis[2] + 0.8 + template.diameter]
    )
    patch = f"leg{1 - side}"
    thing = approach(
        pose, patch, Placed(template, thing.R, start), _FORWARD, p("gap", 0.01, 0.14), pose.pelvis[2]
    )
    low, high = thing.bounds
    z = (high[2] - low[2]) * p("step z", -0.3, 0.05)
    above = thing.R @ np.array([p("step x", -0.15, 0.15) * (high[0] - low[0]), high[1] + 0.3, z]) + thing.t
    point, _ = thing.hit(above, np.array([0.0, -1.0, 0.0]))
    _press_sole(pose, thing, p, side, point)
    solved = Solved(pose, thing, [Contact(f"{SIDE_NAMES[side]} foot", f"foot{side}")])
    _finish(solved, p)
    return solved


def kick(figure: Figure, template: Template, p: Params, roles: tuple[float, ...]) -> Solved:
    """A swinging foot that meets an object on the floor."""
    side = p.choice("side", (0, 1))
    pose, support = _one_leg(figure, p, side, drop=p("drop", 0.0, 0.05), lean=p.degrees("lean", -8, 15))
    heel = p.degrees("kick toes", -25, 40)
    ahead = p("kick z", 0.22, 0.5, 0.4)
    tall = float(np.ptp(template.verts[:, 1]))
    up = ball_height(figure, side) + 0.02 + p("kick y", 0.0, 0.3) * min(tall, 0.35)
    ball = np.array([support[0] + SIGN[side] * p("kick x", 0.12, 0.24), up, support[2] + ahead])
    pole = unit(np.array([SIGN[side] * p("knee out", 0.0, 0.3), 0.3, 1.0]))
    if place_foot(pose, side, FootTarget(ball, p.degrees("kick yaw", 0, 30), heel, pole)) > 0.995:
        raise OutOfReach("the kicking leg is too short")
    thing = on_floor(template, p, roles)
    toes = pose.joints[BALL[side]]
    start = np.array([toes[0] + p("off", -0.03, 0.03), thing.t[1], toes[2] + 0.3 + template.diameter])
    thing = touch_body(pose, "lower", Placed(template, thing.R, start), _FORWARD, depth=_SOLE_DEPTH)
    solved = Solved(pose, thing, [Contact(f"{SIDE_NAMES[side]} foot", f"foot{side}")])
    _finish(solved, p)
    return solved


def _one_leg(figure: Figure, p: Params, side: int, drop: float, lean: float) -> tuple[Pose, np.ndarray]:
    """A body over its other leg; also where the supporting ball of the foot is."""
    pose = Pose(figure)
    bend_torso(pose, p, lean, side=SIGN[side] * p.degrees("side bend", -2, 8))
    centre = support_centre(pose)
    other = 1 - side
    feet = []
    for s in (0, 1):
        x = centre[0] + (SIGN[s] * 0.16 if s == side else SIGN[s] * p("support x", 0.0, 0.05))
        ball = np.array([x, ball_height(figure, s), centre[2] + 0.05 + p("support z", -0.02, 0.04)])
        pole = unit(np.array([SIGN[s] * p(f"knee {s}", 0.0, 0.3), 0.0, 1.0]))
        feet.append(FootTarget(ball, p.degrees(f"toe out {s}", 0, 25), 0.0, pole))
    settle(pose, feet, drop)
    return pose, pose.joints[BALL[other]].copy()


def _press_sole(pose: Pose, thing: Placed, p: Params, side: int, point: np.ndarray) -> None:
    """Lower a level foot on the surface until the sole is pressed in a little."""
    pole = unit(np.array([SIGN[side] * p("knee out", 0.0, 0.4), 0.4, 1.0]))
    ball = point + np.array([0.0, ball_height(pose.figure, side), 0.0])
    tilt = p.degrees("foot tilt", 0, 12)
    for _ in range(6):
        target = FootTarget(ball, p.degrees("step yaw", 0, 20), tilt, pole)
        if place_foot(pose, side, target) > 0.995:
            raise OutOfReach("the stepping leg is too short")
        gap = float(thing.sdf(pose.skin(f"foot{side}")).min()) + _SOLE_DEPTH
        if abs(gap) < 7e-4:
            return
        ball = ball - np.array([0.0, gap, 0.0])
    raise Infeasible("the sole finds no hold")


def _finish(solved: Solved, p: Params) -> None:
    for side in (0, 1):
        idle_arm(solved.pose, side, p)
    turn_head(solved.pose, p, solved.pose.joints[ANKLE[0]] if p.choice("look", (0, 1)) else None)
