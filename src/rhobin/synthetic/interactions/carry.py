"""Carry: both palms on an object before the waist or chest."""

from __future__ import annotations

from functools import partial

import numpy as np

from rhobin.objects.template import Template
from rhobin.synthetic.interactions.contact import Solved, approach
from rhobin.synthetic.interactions.grasp import (
    canonical,
    from_below,
    from_side,
    grasp,
    side_grip,
    turned,
    within_reach,
    yaw_of,
)
from rhobin.synthetic.interactions.motion import Params
from rhobin.synthetic.interactions.placed import OutOfReach, Placed
from rhobin.synthetic.interactions.stance import bend_torso, stand, turn_head
from rhobin.synthetic.people.figure import Figure
from rhobin.synthetic.people.pose import PELVIS, Pose

_FORWARD = np.array([0.0, 0.0, 1.0])
STYLES = ("sides", "sides", "under", "left under", "right under")


def solve(figure: Figure, template: Template, p: Params, roles: tuple[float, ...]) -> Solved:
    """A standing or walking person who carries the object with two hands.

    An object out of reach is brought nearer and towards the height of the elbows.
    """
    R = canonical(turned(p), p, roles)
    for ease in (0.0, 0.35, 0.7, 1.0):
        pose = Pose(figure)
        bend_torso(pose, p, p.degrees("lean", -7, 12), twist=p.degrees("twist", -12, 12) + 0.45 * yaw_of(p))
        stand(pose, p, p("drop", 0.003, 0.05), stride=0.5)
        solved = Solved(pose, before_body(pose, template, p, R, ease))
        turn_head(pose, p, solved.thing.t)
        try:
            hold_with_both(solved, p)
        except OutOfReach:
            continue
        return solved
    raise OutOfReach("both arms are too short")


def before_body(pose: Pose, template: Template, p: Params, R: np.ndarray, ease: float) -> Placed:
    """The object before the body; `ease` 1 puts it as near as it gets."""
    hands = pose.joints[PELVIS, 1] + (1 - ease) * p("carry height", 0.0, 0.42, 0.3) + ease * 0.2
    origin = Placed(template, R, np.zeros(3))
    grips = np.mean([(R @ side_grip(origin, side)[0].position)[1] for side in (0, 1)])
    ahead = pose.pelvis[2] + 0.35 + 0.5 * template.diameter
    start = np.array([(1 - ease) * p("carry side", -0.06, 0.06), hands - grips, ahead])
    small = max(0.0, 1.0 - 1.3 * template.diameter)
    gap = p("carry gap", 0.006 + 0.07 * small, 0.02 + 0.2 * small) * (1 - 0.8 * ease)
    return approach(pose, "core", Placed(template, R, start), _FORWARD, gap, pose.pelvis[2] + 0.12)


def hold_with_both(solved: Solved, p: Params, styles: tuple[str, ...] = STYLES) -> None:
    """Palms from the sides, from below, or one of each."""
    style = p.choice("two hands", styles)
    under = (style in ("under", "left under"), style in ("under", "right under"))
    for side in (0, 1):
        place = from_below if under[side] else from_side
        target = within_reach(solved.pose, side, partial(place, solved.thing, p, side))
        grasp(solved, p, side, target)
