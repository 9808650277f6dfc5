"""Analytic two-bone limbs, and legs that stand on the floor."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rhobin.synthetic.people.figure import Figure
from rhobin.synthetic.people.pose import ANKLE, BALL, HIP, KNEE, SIGN, Pose, cross, frame, rot_x, rot_y, unit

STRETCH = 0.99  # a limb never gets straighter than this share of its length
FORWARD = np.array([0.0, 0.0, 1.0])


def bend_two_bones(
    root: np.ndarray, tip: np.ndarray, lengths: tuple[float, float], pole: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Directions of the two bones, the hinge axis, and the reach in limb lengths (over 1: too far)."""
    span = tip - root
    total = lengths[0] + lengths[1]
    distance = np.linalg.norm(span)
    along = span / distance
    reach = distance / total
    d = np.clip(distance, abs(lengths[0] - lengths[1]) + 0.02, STRETCH * total)
    across = pole - along * (pole @ along)
    across = unit(across) if across @ across > 1e-12 else unit(cross(along, np.array([1.0, 0.1, 0.0])))
    cos = (lengths[0] ** 2 + d**2 - lengths[1] ** 2) / (2 * lengths[0] * d)
    upper = along * cos + across * np.sqrt(max(0.0, 1 - cos**2))
    lower = unit(along * d - upper * lengths[0])
    return upper, lower, cross(across, along), float(reach)


def rest_bone(figure: Figure, a: int, b: int) -> np.ndarray:
    """From joint `a` to joint `b` (3,), at rest."""
    return figure.joints[b] - figure.joints[a]


@dataclass(frozen=True)
class FootTarget:
    """A foot on a level surface.

    Attributes:
        ball: (3,) where the ball of the foot goes; its height is the surface's plus the ball's own.
        yaw: outward turn of the foot, radians.
        heel: how far the heel is raised, radians; negative raises the toes.
        pole: (3,) where the knee should point.
    """

    ball: np.ndarray
    yaw: float
    heel: float
    pole: np.ndarray


def ball_height(figure: Figure, side: int) -> float:
    """Rest height of the ball joint over the sole."""
    return float(figure.joints[BALL[side], 1] - figure.patch(f"foot{side}").rest[:, 1].min())


def ankle_of(figure: Figure, side: int, target: FootTarget) -> np.ndarray:
    """Where the ankle of a placed foot is."""
    R = rot_y(SIGN[side] * target.yaw) @ rot_x(target.heel)
    return target.ball - R @ rest_bone(figure, ANKLE[side], BALL[side])


def leg_length(figure: Figure, side: int) -> float:
    """Thigh plus shin, metres."""
    hip, knee, ankle = HIP[side], KNEE[side], ANKLE[side]
    return float(
        np.linalg.norm(rest_bone(figure, hip, knee)) + np.linalg.norm(rest_bone(figure, knee, ankle))
    )


def place_foot(pose: Pose, side: int, target: FootTarget) -> float:
    """Stand a foot on its target with the toes level; returns the reach in leg lengths."""
    figure = pose.figure
    h, k, a = HIP[side], KNEE[side], ANKLE[side]
    thigh_rest, shin_rest = rest_bone(figure, h, k), rest_bone(figure, k, a)
    ankle = ankle_of(figure, side, target)
    lengths = (float(np.linalg.norm(thigh_rest)), float(np.linalg.norm(shin_rest)))
    thigh, shin, hinge, reach = bend_two_bones(pose.joints[h], ankle, lengths, target.pole)
    pose.set_global(h, frame(thigh, hinge) @ frame(thigh_rest, cross(FORWARD, thigh_rest)).T)
    pose.set_global(k, frame(shin, hinge) @ frame(shin_rest, cross(FORWARD, shin_rest)).T)
    turned = rot_y(SIGN[side] * target.yaw)
    pose.set_global(a, turned @ rot_x(target.heel))
    pose.set_global(BALL[side], turned @ rot_x(min(0.0, target.heel)))
    pose.update()
    return reach
