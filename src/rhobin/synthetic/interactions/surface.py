"""Palms on an object that stands on the floor: touching its top, leaning on it, pushing it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from rhobin.objects.template import Template
from rhobin.synthetic.interactions.contact import Solved, approach
from rhobin.synthetic.interactions.grasp import canonical, elbow_pole, grasp, tangent, within_reach
from rhobin.synthetic.interactions.motion import Params
from rhobin.synthetic.interactions.placed import Infeasible, OutOfReach, Placed
from rhobin.synthetic.interactions.stance import bend_torso, idle_arm, stand, turn_head
from rhobin.synthetic.people.arms import HandTarget
from rhobin.synthetic.people.figure import Figure
from rhobin.synthetic.people.pose import SIGN, Pose, rot_y, unit

_EFFORTS = np.linspace(0.0, 1.0, 8)
_HANDS = ((0, 1), (0, 1), (0,), (1,))
_TOPS = ("top", "keys", "back_top", "seat", "rim_back", "roll")


def on_floor(template: Template, p: Params, roles: tuple[float, ...], yaw_deg: float = 40.0) -> Placed:
    """The object standing at the origin, turned about the vertical."""
    R = canonical(rot_y(p.degrees("object yaw", -yaw_deg, yaw_deg, 0.15)), p, roles)
    thing = Placed(template, R, np.zeros(3))
    return thing.moved(np.array([0.0, -thing.verts[:, 1].min(), 0.0]))


def by_effort(bent: Callable[[float], Solved], act: Callable[[Solved], None]) -> Solved:
    """The least bent body whose arms reach.

    Raises:
        OutOfReach: none does.
    """
    for effort in _EFFORTS:
        solved = bent(float(effort))
        try:
            act(solved)
        except OutOfReach:
            continue
        return solved
    raise OutOfReach("the object is too low or too far")


def touch(figure: Figure, template: Template, p: Params, roles: tuple[float, ...]) -> Solved:
    """One or both palms on top of an object before the person, who bends or squats as far as needed."""
    squat = p("squat", 0.0, 1.0, 0.1)
    hands = p.choice("hands", _HANDS)

    def bent(effort: float) -> Solved:
        pose = Pose(figure)
        lean = np.radians(4 + (86 - 30 * squat) * effort) + p.degrees("lean", -4, 6)
        bend_torso(pose, p, lean, twist=p.degrees("twist", -15, 15), side=p.degrees("side bend", -5, 5))
        stand(pose, p, 0.005 + (0.18 + 0.34 * squat) * effort, 0.25, (0.08, 0.26), splay=0.7 * squat * effort)
        near = 1 - 0.85 * effort
        gap, off = 0.005 + p("gap", 0.0, 0.09) * near, p("off", -0.12, 0.12) * near
        return Solved(pose, _before(pose, on_floor(template, p, roles), gap, off))

    def act(solved: Solved) -> None:
        _use_hands(solved, p, hands, lambda side: lambda pull: from_above(solved.thing, p, side, pull))

    return by_effort(bent, act)


def push(figure: Figure, template: Template, p: Params, roles: tuple[float, ...]) -> Solved:
    """A person who walks an object forward with both palms on its near face or its top edge."""
    squat = p("squat", 0.0, 0.9, 0.1)

    def bent(effort: float) -> Solved:
        pose = Pose(figure)
        lean = np.radians(12 + (70 - 25 * squat) * effort) + p.degrees("lean", -4, 8)
        bend_torso(pose, p, lean, twist=p.degrees("twist", -10, 10), side=p.degrees("side bend", -4, 4))
        stand(pose, p, 0.01 + (0.2 + 0.28 * squat) * effort, stride=0.7 - 0.3 * effort)
        gap = p("gap", 0.04, 0.32) * (1 - 0.9 * effort)
        return Solved(pose, _before(pose, on_floor(template, p, roles, 32.0), gap, p("off", -0.06, 0.06)))

    def act(solved: Solved) -> None:
        held_on_top = "back_top" in template.grips or "edge_back" in template.grips
        near = from_above if held_on_top or p.choice("where", (0, 1)) else _from_behind
        _use_hands(solved, p, (0, 1), lambda side: lambda pull: near(solved.thing, p, side, pull))

    return by_effort(bent, act)


def lean(figure: Figure, template: Template, p: Params, roles: tuple[float, ...]) -> Solved:
    """A person who tilts sideways onto one hand on an object at the side."""
    side = p.choice("side", (0, 1))
    s = SIGN[side]

    def bent(effort: float) -> Solved:
        pose = Pose(figure)
        tilt = -s * (p.degrees("tilt", 4, 16) + 0.25 * effort)
        lean = p.degrees("lean", 0, 14) + 0.9 * effort
        bend_torso(pose, p, lean, twist=s * p.degrees("twist", -5, 25), side=tilt)
        stand(pose, p, 0.005 + 0.3 * effort, stride=0.3, width=(0.04, 0.2))
        thing = on_floor(template, p, roles)
        start = np.array([s * (0.6 + template.diameter), thing.t[1], pose.pelvis[2] + p("along", -0.05, 0.3)])
        gap = p("gap", 0.02, 0.16) * (1 - 0.6 * effort)
        return Solved(
            pose, approach(pose, "core", Placed(template, thing.R, start), np.array([s, 0.0, 0.0]), gap, 0.1)
        )

    def act(solved: Solved) -> None:
        target = within_reach(solved.pose, side, lambda pull: _beside(solved.thing, p, side, pull))
        idle_arm(solved.pose, 1 - side, p)
        turn_head(solved.pose, p)
        grasp(solved, p, side, target, high_deg=55)

    return by_effort(bent, act)


def _before(pose: Pose, thing: Placed, gap: float, off: float) -> Placed:
    start = np.array([off, thing.t[1], pose.pelvis[2] + 0.7 + thing.template.diameter])
    away = np.array([0.0, 0.0, 1.0])
    return approach(pose, "core", Placed(thing.template, thing.R, start), away, gap, pose.pelvis[2] + 0.15)


def _use_hands(
    solved: Solved, p: Params, hands: tuple[int, ...], maker: Callable[[int], Callable[[float], HandTarget]]
) -> None:
    targets = {side: within_reach(solved.pose, side, maker(side)) for side in hands}
    for side in {0, 1} - set(hands):
        idle_arm(solved.pose, side, p)
    turn_head(solved.pose, p, targets[hands[0]].palm)
    for side in hands:
        grasp(solved, p, side, targets[side], high_deg=55)


def from_above(thing: Placed, p: Params, side: int, pull: float) -> HandTarget:
    """A palm laid on the top; `pull` moves it towards the near edge."""
    low, high = thing.bounds
    grip = next((thing.template.grips[name] for name in _TOPS if name in thing.template.grips), None)
    if grip is None:
        raise Infeasible("the object has no top")
    wide = 0.5 * grip.length * abs(grip.direction[0]) or 0.3 * (high[0] - low[0])
    x = SIGN[side] * min(p(f"touch x {side}", 0.06, 0.3), 0.8 * wide)
    if grip.name in ("top", "keys", "seat") and high[2] - low[2] > 0.12 and grip.length > 0.0:
        deep = 0.5 * (high[2] - low[2]) - 0.05
        z = grip.position[2] + max(-deep, deep * (p(f"touch z {side}", -0.95, 0.0) - pull))
    else:
        z = _ridge(thing, x)
    down = np.array([0.0, -1.0, 0.0])
    try:
        hit = thing.hit(thing.to_room(np.array([x, high[1] + 0.3, z])), down)
    except Infeasible:
        hit = thing.hit(thing.to_room(np.array([x, high[1] + 0.3, _ridge(thing, x)])), down)
    return _laid(*hit, p, side)


def _ridge(thing: Placed, x: float) -> float:
    """Where (z, template's frame) the object is highest near an x: a back rest's or a ball's top."""
    verts = thing.template.verts
    near = verts[np.abs(verts[:, 0] - x) < 0.04]
    if len(near) == 0:
        raise Infeasible("the object is too narrow")
    top = near[near[:, 1] > near[:, 1].max() - 0.012]
    return float(0.5 * (top[:, 2].min() + top[:, 2].max()))


def _beside(thing: Placed, p: Params, side: int, pull: float) -> HandTarget:
    """A palm on the top, near the side where the person stands."""
    verts = thing.verts
    top = verts[verts[:, 1] > verts[:, 1].max() - 0.03]
    near = top[np.argmin(SIGN[side] * top[:, 0])]
    middle = 0.5 * (top.min(axis=0) + top.max(axis=0))
    share = min(1.0, 0.25 + max(0.0, p("touch in", 0.0, 0.5) - pull))
    place = near + share * (middle - near)
    target = _laid(*thing.hit(place + np.array([0.0, 0.3, 0.0]), np.array([0.0, -1.0, 0.0])), p, side)
    outward = np.array([SIGN[side], 0.0, p("fingers ahead", -0.2, 1.2)])
    return replace(target, fingers=tangent(outward, -target.normal))


def _laid(point: np.ndarray, normal: np.ndarray, p: Params, side: int) -> HandTarget:
    inward = p(f"fingers in {side}", -0.3, 0.8)
    fingers = tangent(unit(np.array([-SIGN[side] * inward, 0.0, 1.0])), normal)
    return HandTarget(point, -normal, fingers, elbow_pole(p, side, (0.3, 1.2)))


def _from_behind(thing: Placed, p: Params, side: int, pull: float) -> HandTarget:
    """A palm on the face towards the person, in its upper half, fingers up and a little out."""
    low, high = thing.bounds
    x = SIGN[side] * min(p(f"touch x {side}", 0.07, 0.2), 0.4 * (high[0] - low[0]))
    tall = high[1] - low[1]
    y = high[1] - (
        0.05 if "back_top" in thing.template.grips else tall * (p("push y", 0.12, 0.38, 0.1) - 0.2 * pull)
    )
    origin = thing.R @ np.array([x, y, low[2] - 0.3]) + thing.t
    point, normal = thing.hit(origin, thing.R @ np.array([0.0, 0.0, 1.0]))
    up = p(f"fingers up {side}", -0.6, 1.0, 0.1)
    fingers = tangent(np.array([SIGN[side] * p(f"fingers out {side}", 0.1, 0.7), up, 0.3]), normal)
    return HandTarget(point, -normal, fingers, elbow_pole(p, side, (0.3, 1.2)))
