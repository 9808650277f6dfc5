"""Lift: both hands on an object near the floor, with bent knees or a bent back."""

from __future__ import annotations

import numpy as np

from rhobin.objects.template import Template
from rhobin.synthetic.contact import Solved, approach
from rhobin.synthetic.figure import Figure
from rhobin.synthetic.interactions.carry import hold_with_both
from rhobin.synthetic.interactions.grasp import canonical, turned
from rhobin.synthetic.interactions.stance import bend_torso, stand, turn_head
from rhobin.synthetic.motion import Params
from rhobin.synthetic.placed import Infeasible, OutOfReach, Placed
from rhobin.synthetic.pose import Pose

_FORWARD = np.array([0.0, 0.0, 1.0])


def solve(figure: Figure, template: Template, p: Params, roles: tuple[float, ...] = (0.0,)) -> Solved:
    """A person bent or squatting over an object whose bottom is 0 to 50 cm over the floor."""
    R = canonical(turned(p, tilt_deg=10.0, roll_deg=4.0), p, roles)
    rise = p("rise", 0.0, 0.5, 0.5)
    lying = Placed(template, R, np.zeros(3))
    start = np.array([p("lift side", -0.05, 0.05), rise - lying.verts[:, 1].min(), 0.0])
    squat = p("squat", 0.0, 1.0, 0.1)
    for effort in np.linspace(0.1, 1.0, 8):
        solved = _bent(figure, Placed(template, R, start), p, float(effort), squat)
        turn_head(solved.pose, p, solved.thing.t)
        try:
            hold_with_both(solved, p)
        except OutOfReach:
            continue
        return solved
    raise Infeasible("the object lies too low")


def _bent(figure: Figure, thing: Placed, p: Params, effort: float, squat: float) -> Solved:
    pose = Pose(figure)
    lean = np.radians(10 + (90 - 30 * squat) * effort) + p.degrees("lean", -5, 5)
    bend_torso(pose, p, float(lean), twist=p.degrees("twist", -10, 10), side=p.degrees("side bend", -4, 4))
    stand(pose, p, 0.01 + (0.2 + 0.34 * squat) * effort, 0.18, (0.12, 0.28), splay=squat * effort)
    start = np.array([thing.t[0], thing.t[1], pose.pelvis[2] + 0.6 + thing.template.diameter])
    moved = Placed(thing.template, thing.R, start)
    return Solved(
        pose, approach(pose, "core", moved, _FORWARD, p("carry gap", 0.01, 0.06), pose.pelvis[2] + 0.2)
    )
