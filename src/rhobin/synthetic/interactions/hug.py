"""Hug: an object held against the chest or belly with both arms around it."""

from __future__ import annotations

from functools import partial

import numpy as np

from rhobin.objects.template import Template
from rhobin.synthetic.interactions.contact import Contact, Solved, touch_body
from rhobin.synthetic.interactions.grasp import canonical, elbow_pole, grasp, tangent, turned, within_reach
from rhobin.synthetic.interactions.motion import Params
from rhobin.synthetic.interactions.placed import Placed
from rhobin.synthetic.interactions.stance import bend_torso, stand, turn_head
from rhobin.synthetic.people.arms import HandTarget
from rhobin.synthetic.people.figure import Figure
from rhobin.synthetic.people.pose import PELVIS, SIGN, Pose

_PULLS = (0.0, 0.25, 0.5, 0.75, 1.0)  # radians from the front towards the flank
_FORWARD = np.array([0.0, 0.0, 1.0])


def solve(figure: Figure, template: Template, p: Params, roles: tuple[float, ...]) -> Solved:
    """A standing person with the object on the trunk and the palms on its flanks or front."""
    pose = Pose(figure)
    bend_torso(pose, p, p.degrees("lean", -14, 10))
    stand(pose, p, p("drop", 0.003, 0.05), stride=0.4)
    R = canonical(turned(p, tilt_deg=12.0), p, roles)
    height = pose.joints[PELVIS, 1] + p("hug height", 0.1, 0.36, 0.2)
    start = np.array([p("hug side", -0.04, 0.04), height, pose.pelvis[2] + 0.4 + 0.5 * template.diameter])
    thing = touch_body(pose, "core", Placed(template, R, start), _FORWARD, depth=0.003)
    turn_head(pose, p)
    solved = Solved(pose, thing, [Contact("trunk", "core")])
    for side in (0, 1):
        target = within_reach(pose, side, partial(_around, thing, p, side), _PULLS)
        grasp(solved, p, side, target)
    return solved


def _around(thing: Placed, p: Params, side: int, pull: float) -> HandTarget:
    """A palm on the surface met from an azimuth before and beside the object, at about its middle."""
    azimuth = min(p.degrees(f"azimuth {side}", 35, 80) + pull, 1.9)
    height = p(f"hug y {side}", -0.3, 0.25) * min(0.4, thing.template.diameter)
    out = np.array([SIGN[side] * np.sin(azimuth), 0.0, np.cos(azimuth)])
    origin = thing.t + out * 1.2 + np.array([0, height, 0])
    point, normal = thing.hit(origin, -out)
    inward = np.array([-SIGN[side] * np.cos(azimuth), p(f"fingers up {side}", -0.2, 0.7), np.sin(azimuth)])
    return HandTarget(point, -normal, tangent(inward, normal), elbow_pole(p, side, (0.6, 1.6)))
