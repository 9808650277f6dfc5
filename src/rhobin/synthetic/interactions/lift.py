"""Lift: both hands on an object near the floor, with bent knees or a bent back."""

from __future__ import annotations

import numpy as np

from rhobin.objects.template import Template
from rhobin.synthetic.contact import Solved, approach
from rhobin.synthetic.figure import Figure
from rhobin.synthetic.interactions.carry import hold_with_both
from rhobin.synthetic.interactions.grasp import canonical, side_grip, turned
from rhobin.synthetic.interactions.stance import bend_torso, stand, turn_head
from rhobin.synthetic.motion import Params
from rhobin.synthetic.placed import OutOfReach, Placed
from rhobin.synthetic.pose import SHOULDER, Pose

# How far the body bends (share), then how much higher (metres) the object is than meant.
_STEPS = [(float(effort), 0.0) for effort in np.linspace(0.1, 1.0, 8)] + [(1.0, 0.1), (0.9, 0.2), (0.8, 0.3)]
_ARM = 0.72  # metres from shoulder to palm that nobody's arm exceeds
_FORWARD = np.array([0.0, 0.0, 1.0])


def solve(figure: Figure, template: Template, p: Params, roles: tuple[float, ...]) -> Solved:
    """A person bent or squatting over an object whose bottom is 0 to 50 cm over the floor."""
    R = canonical(turned(p, tilt_deg=10.0, roll_deg=4.0), p, roles)
    lying = Placed(template, R, np.zeros(3))
    lowest = p("rise", 0.0, 0.5, 0.5) - lying.bottom
    squat = p("squat", 0.0, 1.0, 0.1)
    grips = np.mean([(R @ side_grip(lying, side)[0].position)[1] for side in (0, 1)])
    for effort, higher in _STEPS:
        pose = _bent(figure, p, effort, squat)
        if pose.joints[[*SHOULDER], 1].mean() - (lowest + higher + grips) > _ARM:
            continue
        solved = Solved(pose, _before(pose, lying, p, lowest + higher))
        try:
            hold_with_both(solved, p)
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


def _before(pose: Pose, lying: Placed, p: Params, height: float) -> Placed:
    ahead = pose.pelvis[2] + 0.6 + lying.template.diameter
    thing = lying.moved(np.array([p("lift side", -0.05, 0.05), height, ahead]))
    return approach(pose, "core", thing, _FORWARD, p("carry gap", 0.01, 0.06), pose.pelvis[2] + 0.2)
