"""Fingers: relaxed curls, and closing them on a surface until they touch."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from rhobin.synthetic.people.arms import hand_frame
from rhobin.synthetic.people.pose import THUMB, WRIST, Pose, cross, rotation, unit
from rhobin.synthetic.people.regions import finger_chain

FINGER_DEPTH = 0.004  # how deep a closing finger may press in, metres
_FINGER, _THUMB = (0.9, 1.0, 0.7), (0.35, 0.7, 0.9)  # share of the curl at each joint
_THUMB_OPENS = (1.0, 0.3, 0.1)  # the same when the thumb is stretched away from the palm
_THUMB_LOW = -0.7  # radians


class Surface(Protocol):
    """Anything with signed distances."""

    def sdf(self, points: np.ndarray) -> np.ndarray:
        """Signed distances (n,) of points (n, 3)."""


def curl_axis(pose: Pose, side: int, finger: int) -> np.ndarray:
    """Rest axis (3,) about which a finger bends towards the palm."""
    hand = hand_frame(pose.figure, side)
    if finger != THUMB:
        return hand[:, 2]
    first, _, last = finger_chain(side, finger)
    along = pose.figure.joints[last] - pose.figure.joints[first]
    return unit(cross(along, 0.8 * hand[:, 1] + 0.6 * hand[:, 0]))


def set_curl(pose: Pose, side: int, finger: int, angle: float) -> None:
    """Bend one finger by `angle` radians a joint, less at the ends."""
    axis = curl_axis(pose, side, finger)
    turns = _joint_angles(finger, np.array(angle))
    for joint, turn in zip(finger_chain(side, finger), turns, strict=True):
        pose.theta[joint] = rotation(axis, turn)


def _joint_angles(finger: int, angles: np.ndarray) -> np.ndarray:
    """Angles (3, ...) of a finger's three joints for curls (...)."""
    if finger != THUMB:
        return np.multiply.outer(_FINGER, angles)
    return np.where(angles < 0, np.multiply.outer(_THUMB_OPENS, angles), np.multiply.outer(_THUMB, angles))


def set_curls(pose: Pose, side: int, angles: list[float]) -> None:
    """Bend all five fingers and refresh the pose."""
    for finger, angle in enumerate(angles):
        set_curl(pose, side, finger, angle)
    pose.update()


def close_fingers(
    pose: Pose, side: int, thing: Surface, low: float, high: float, relaxed: float, levels: int = 11
) -> None:
    """Curl every finger from `low` towards `high` (radians) until it touches; else leave it `relaxed`."""
    stops = []
    for finger in range(5):
        angles = np.linspace(_THUMB_LOW if finger == THUMB else low, high, levels)
        nearest = _nearest(pose, side, finger, thing, angles)
        stops.append(_stop(angles, nearest, relaxed))
    set_curls(pose, side, stops)


def _stop(angles: np.ndarray, nearest: np.ndarray, relaxed: float) -> float:
    """The curl at which a closing finger meets the surface, from the first one that is free of it."""
    free = np.flatnonzero(nearest >= -FINGER_DEPTH)
    if len(free) == 0:
        return float(angles[nearest.argmax()])
    deep = np.flatnonzero(nearest[free[0] :] < -FINGER_DEPTH)
    if len(deep):
        k = free[0] + deep[0]
        share = (nearest[k - 1] + FINGER_DEPTH) / (nearest[k - 1] - nearest[k])
        return float(angles[k - 1] + share * (angles[k] - angles[k - 1]))
    best = free[0] + int(nearest[free[0] :].argmin())
    if nearest[best] < 0.002:
        return float(angles[best])
    return float(max(angles[free[0]], min(relaxed, angles[-1])))


def _nearest(pose: Pose, side: int, finger: int, thing: Surface, angles: np.ndarray) -> np.ndarray:
    """Smallest signed distance (L,) of a finger at each curl angle (L,)."""
    figure = pose.figure
    chain, wrist = finger_chain(side, finger), WRIST[side]
    axis = curl_axis(pose, side, finger)
    patch = figure.patch(f"finger{side}{finger}")
    G, at = np.tile(pose.G[wrist], (len(angles), 1, 1)), np.tile(pose.joints[wrist], (len(angles), 1))
    parent, points, weight = wrist, np.zeros(3), np.zeros(len(patch.ids))
    for joint, turns in zip(chain, _joint_angles(finger, angles), strict=True):
        at = at + G @ (figure.joints[joint] - figure.joints[parent])
        G = G @ rotation(axis, turns)
        w = patch.weights[:, joint]
        points = points + w[:, None] * ((patch.rest - figure.joints[joint]) @ G.swapaxes(1, 2) + at[:, None])
        weight, parent = weight + w, joint
    rigid = (patch.rest - figure.joints[wrist]) @ pose.G[wrist].T + pose.joints[wrist]
    points = points + (1 - weight)[:, None] * rigid
    return thing.sdf(points.reshape(-1, 3)).reshape(len(angles), -1).min(axis=1)
