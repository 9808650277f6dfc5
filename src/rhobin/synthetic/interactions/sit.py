"""Sit: the under-body on a seat, feet on the floor, hands on the thighs, on the seat or free."""

from __future__ import annotations

import numpy as np

from rhobin.objects.template import Template
from rhobin.synthetic.interactions.contact import BodySurface, Contact, Solved, press_hand
from rhobin.synthetic.interactions.grasp import canonical, elbow_pole, open_hand, tangent
from rhobin.synthetic.interactions.motion import Params
from rhobin.synthetic.interactions.placed import Infeasible, Placed
from rhobin.synthetic.interactions.stance import bend_torso, idle_arm, turn_head
from rhobin.synthetic.people.arms import HandTarget
from rhobin.synthetic.people.figure import Figure
from rhobin.synthetic.people.hands import close_fingers
from rhobin.synthetic.people.limbs import FootTarget, ball_height, leg_length, place_foot
from rhobin.synthetic.people.pose import HIP, KNEE, SIGN, Pose, rot_y, unit

SINK = 0.008  # how deep the lowest half percent of the under-body is in the seat, metres
DEPTH_LIMIT = 0.025


def solve(figure: Figure, template: Template, p: Params, roles: tuple[float, ...]) -> Solved:
    """A person who sits on the object, which stands on the floor."""
    thing = Placed(template, canonical(rot_y(p.degrees("object yaw", -25, 25, 0.0)), p, roles), np.zeros(3))
    grip = template.grips.get("seat") or template.grips["top"]
    thing = thing.moved(np.array([0.0, -thing.verts[:, 1].min(), 0.0]))
    seat = thing.R @ grip.position + thing.t
    pose = Pose(figure)
    bend_torso(pose, p, p.degrees("lean", -14, 28, 0.35))
    above = np.array([p("seat x", -0.03, 0.03), 0.12, _seat_offset(template, p)])
    pose.move(seat + above - pose.pelvis)
    for _ in range(2):
        _place_feet(pose, p)
        pose.move(np.array([0.0, _sink(pose, thing), 0.0]))
    _place_feet(pose, p)
    turn_head(pose, p)
    solved = Solved(pose, thing, [Contact("seat", "under")], depth_limit=DEPTH_LIMIT)
    for side in (0, 1):
        _arm(solved, p, side)
    return solved


def _seat_offset(template: Template, p: Params) -> float:
    """Where (z) the pelvis is relative to the seat's middle: behind it, but clear of a back rest."""
    if "back_top" in template.grips:
        return p("seat z", -0.06, 0.01)
    if "seat" not in template.grips and template.grips["top"].position[1] > 0.3:
        return p("seat z", 0.04, 0.14)  # a ball, as high as a bar stool: sit on its front
    return p("seat z", -0.05, 0.05)


def _place_feet(pose: Pose, p: Params) -> None:
    for side in (0, 1):
        s = SIGN[side]
        hip = pose.joints[HIP[side]]
        x = hip[0] + s * p(f"foot out {side}", -0.05, 0.14)
        far = np.sqrt(max(0.0, (0.97 * leg_length(pose.figure, side)) ** 2 - (hip[1] - 0.06) ** 2)) + 0.1
        z = hip[2] + p(f"foot before {side}", min(0.42, far - 0.12), min(0.72, far))
        heel = max(0.0, p.degrees(f"heel {side}", -30, 25))
        ball = np.array([x, ball_height(pose.figure, side), z])
        pole = unit(np.array([s * p(f"knee out {side}", -0.1, 0.6), 1.0, 1.0]))
        if place_foot(pose, side, FootTarget(ball, p.degrees(f"toe out {side}", 0, 25), heel, pole)) > 1.0:
            raise Infeasible("a foot does not reach the floor")


def _sink(pose: Pose, thing: Placed) -> float:
    """Vertical shift that puts the lowest half percent of the under-body `SINK` into the seat, from above."""
    points = pose.skin("under")
    shift = 0.15
    for _ in range(16):
        gap = float(np.percentile(thing.sdf(points + np.array([0.0, shift, 0.0])), 0.5)) + SINK
        shift -= gap
        if abs(gap) < 1e-3:
            break
    return shift


def _arm(solved: Solved, p: Params, side: int) -> None:
    """A hand on the thigh, or an idle arm."""
    if p.choice(f"sitting arm {side}", ("thigh", "thigh", "thigh", "idle")) == "idle":
        idle_arm(solved.pose, side, p)
        return
    pose = solved.pose
    thighs = BodySurface(pose, (HIP[side], KNEE[side]))
    share = p(f"thigh {side}", 0.4, 0.95)
    bone = pose.joints[KNEE[side]] - pose.joints[HIP[side]]
    above = (
        pose.joints[HIP[side]]
        + share * bone
        + np.array([SIGN[side] * p(f"thigh x {side}", -0.03, 0.02), 0.3, 0])
    )
    point, normal = thighs.hit(above, np.array([0.0, -1.0, 0.0]))
    normal = unit(normal + np.array([0.0, 0.8, 0.0]))
    fingers = tangent(unit(bone) + np.array([-SIGN[side] * p(f"fingers in {side}", -0.1, 0.7), 0, 0]), normal)
    open_hand(pose, side)
    state = press_hand(
        pose, side, thighs, HandTarget(point, -normal, fingers, elbow_pole(p, side, (0.5, 1.5)))
    )
    if state.reach > 1.0:
        idle_arm(pose, side, p)
        return
    close_fingers(pose, side, thighs, np.radians(-4), np.radians(60), np.radians(20))
    solved.strain.append(state)
