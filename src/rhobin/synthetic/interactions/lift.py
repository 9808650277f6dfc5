"""Lift: both hands on an object near the floor, with bent knees or a bent back."""

from __future__ import annotations

import numpy as np

from rhobin.objects.template import Template
from rhobin.synthetic.interactions.carry import STYLES, hold_with_both
from rhobin.synthetic.interactions.contact import Solved, approach
from rhobin.synthetic.interactions.grasp import canonical, side_grip, turned
from rhobin.synthetic.interactions.motion import Params
from rhobin.synthetic.interactions.placed import OutOfReach, Placed
from rhobin.synthetic.interactions.stance import bend_torso, stand, turn_head
from rhobin.synthetic.people.figure import Figure
from rhobin.synthetic.people.pose import SHOULDER, Pose

# How far the body bends (share), then how much higher (metres) the object is than meant.
_STEPS = [(float(effort), 0.0) for effort in np.linspace(0.1, 1.0, 8)] + [(1.0, 0.1), (0.9, 0.2), (0.8, 0.3)]
_ARM = 0.72  # metres from shoulder to palm that nobody's arm exceeds
_CROWDED = 0.03  # metres that an arm may be inside the tubes around the bones
_FORWARD = np.array([0.0, 0.0, 1.0])


def solve(figure: Figure, template: Template, p: Params, roles: tuple[float, ...]) -> Solved:
    """A person bent or squatting over an object whose bottom is 0 to 50 cm over the floor."""
    R = canonical(turned(p, tilt_deg=10.0, roll_deg=4.0), p, roles)
    lying = Placed(template, R, np.zeros(3))
    lowest = p("rise", 0.0, 0.5, 0.5) - lying.bottom
    squat = p("squat", 0.0, 1.0, 0.1) * min(
        1.0, 2.0 * float(lying.size[0])
    )  # narrow things: arms before knees
    grips = np.mean([(R @ side_grip(lying, side)[0].position)[1] for side in (0, 1)])
    tall = side_grip(lying, 0)[1] > 0
    for effort, higher in _STEPS:
        pose = _bent(figure, p, effort, squat)
        if pose.joints[[*SHOULDER], 1].mean() - (lowest + higher + grips) > _ARM:
            continue
        try:
            solved = _hold_clear(pose, lying, p, lowest + higher, ("sides",) if tall else STYLES)
        except OutOfReach:
            continue
        turn_head(pose, p, solved.thing.t)
        return solved
    raise OutOfReach("the object lies too low")


def _bent(figure: Figure, p: Params, effort: float, squat: float) -> Pose:
    pose = Pose(figure)
    lean = np.radians(10 + (90 - 30 * squat) * effort) + p.degrees("lean", -5, 5)
    bend_torso(pose, p, float(lean), twist=p.degrees("twist", -10, 10), side=p.degrees("side bend", -4, 4))
    stand(pose, p, 0.01 + (0.2 + 0.34 * squat) * effort, 0.18, (0.12, 0.28), splay=squat * effort)
    return pose


def _hold_clear(pose: Pose, lying: Placed, p: Params, height: float, styles: tuple[str, ...]) -> Solved:
    """Hands on the object, which moves ahead while the forearms cut into the knees."""
    start = np.array([p("lift side", -0.05, 0.05), height, pose.pelvis[2] + 0.6 + lying.template.diameter])
    for further in (0.0, 0.08, 0.16):
        gap = p("carry gap", 0.02, 0.1) + further
        thing = approach(pose, "core", lying.moved(start), _FORWARD, gap, pose.pelvis[2] + 0.2 + further)
        solved = Solved(pose, thing)
        hold_with_both(solved, p, styles)
        if max(arm.crowding for arm in solved.strain) < _CROWDED:
            break
    return solved
