"""The rotation of every Anny bone that takes a rest body to the T-pose (y up, palms down, facing +z)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .skeleton import TOES, mirror_order

COLLAR_LIFT, SHOULDER_LIFT = np.radians(3.5), np.radians(7.0)
THIGH_SLOPE, SHIN_SLOPE = np.radians(2.5), np.radians(1.5)
FLIP = np.diag([-1.0, 1.0, 1.0])


@dataclass(frozen=True)
class Tips:
    """Fingertip vertices of the left hand, one per finger 1..5, that aim the last phalanges."""

    vertices: tuple[int, ...]


def find_tips(verts: np.ndarray, heads: np.ndarray, weights: np.ndarray, labels: list[str]) -> Tips:
    """The farthest vertex of each left finger's last bone, along the bone before it."""
    index = {label: i for i, label in enumerate(labels)}
    tips = []
    for finger in range(1, 6):
        second, last = (index[f"finger{finger}-{k}.L"] for k in (2, 3))
        own = np.flatnonzero(weights[:, last] > 0.5)
        along = (verts[own] - heads[last]) @ (heads[last] - heads[second])
        tips.append(int(own[along.argmax()]))
    return Tips(tuple(tips))


def unit(v: np.ndarray) -> np.ndarray:
    """Vectors (..., 3) scaled to length one."""
    return v / np.linalg.norm(v, axis=-1, keepdims=True)


def aim(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(N, 3, 3) smallest rotations that turn directions a (N, 3) into b (N, 3)."""
    a, b = np.broadcast_arrays(unit(a), unit(b))
    v, c = np.cross(a, b), (a * b).sum(-1)[..., None, None]
    k = np.zeros((*v.shape, 3))
    k[..., 0, 1], k[..., 0, 2], k[..., 1, 2] = -v[..., 2], v[..., 1], -v[..., 0]
    k -= np.swapaxes(k, -1, -2)
    return np.eye(3) + k + k @ k / (1 + c)


def frame(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """(N, 3, 3) right-handed frames: columns first, second made orthogonal to it, and their cross."""
    x = unit(first)
    y = unit(second - (second * x).sum(-1, keepdims=True) * x)
    return np.stack([x, y, np.cross(x, y)], -1)


def turn(axis: int, angle: np.ndarray | float) -> np.ndarray:
    """(N, 3, 3) rotations by angle (N,) about a coordinate axis."""
    angle = np.atleast_1d(angle)
    c, s, i, j = np.cos(angle), np.sin(angle), (axis + 1) % 3, (axis + 2) % 3
    out = np.zeros((len(angle), 3, 3))
    out[:, axis, axis] = 1
    out[:, i, i], out[:, j, j], out[:, i, j], out[:, j, i] = c, c, -s, s
    return out


def roll_about_x(rotation: np.ndarray) -> np.ndarray:
    """(N,) angle of the twist about x in rotations (N, 3, 3)."""
    return np.arctan2(rotation[:, 2, 1] - rotation[:, 1, 2], rotation[:, 1, 1] + rotation[:, 2, 2])


def left_rotations(verts: np.ndarray, heads: np.ndarray, labels: list[str], tips: Tips) -> dict:
    """World rotation (N, 3, 3) of each left bone that does not simply stay as it is.

    Args:
        verts: (N, V, 3) rest vertices.
        heads: (N, B, 3) rest bone heads.
        labels: bone names.
        tips: fingertips.
    """
    at = {label: heads[:, i] for i, label in enumerate(labels)}
    arm = _arm(at)
    lift = {"clavicle.L": turn(2, COLLAR_LIFT), "shoulder01.L": turn(2, SHOULDER_LIFT)}
    return lift | arm | _fingers(at, verts, tips, arm["wrist.L"]) | _leg(at)


def _arm(at: dict[str, np.ndarray]) -> dict:
    x, down, back = np.eye(3)[0], -np.eye(3)[1], -np.eye(3)[2]
    upper = at["lowerarm01.L"] - at["upperarm01.L"]
    fore = at["wrist.L"] - at["lowerarm01.L"]
    hinge = np.cross(upper, fore)
    goal = frame(x, down)
    arm = goal @ frame(upper, hinge).swapaxes(-1, -2)
    least = aim(upper, x)
    forearm = goal @ frame(fore, hinge).swapaxes(-1, -2)
    across = at["finger5-1.L"] - at["finger2-1.L"]
    hand = frame(x, back) @ frame(at["finger3-1.L"] - at["wrist.L"], across).swapaxes(-1, -2)
    half = turn(0, roll_about_x(arm @ least.swapaxes(-1, -2)) / 2)
    twist = turn(0, roll_about_x(hand @ forearm.swapaxes(-1, -2)) / 2)
    out = {"upperarm01.L": half @ least, "upperarm02.L": arm}
    return out | {"lowerarm01.L": forearm, "lowerarm02.L": twist @ forearm, "wrist.L": hand}


def _fingers(at: dict[str, np.ndarray], verts: np.ndarray, tips: Tips, hand: np.ndarray) -> dict:
    out = {f"finger1-{k}.L": hand for k in (1, 2, 3)} | {f"metacarpal{k}.L": hand for k in (1, 2, 3, 4)}
    for finger in (2, 3, 4, 5):
        points = [at[f"finger{finger}-{k}.L"] for k in (1, 2, 3)] + [verts[:, tips.vertices[finger - 1]]]
        for k in range(3):
            now = (hand @ (points[k + 1] - points[k])[..., None])[..., 0]
            out[f"finger{finger}-{k + 1}.L"] = aim(now, now * [1, 0, 1]) @ hand
    return out


def _leg(at: dict[str, np.ndarray]) -> dict:
    thigh = aim(at["lowerleg01.L"] - at["upperleg01.L"], np.array([np.tan(THIGH_SLOPE), -1, 0]))
    shin = aim(at["foot.L"] - at["lowerleg01.L"], np.array([np.tan(SHIN_SLOPE), -1, 0]))
    ball = np.mean([at[toe + ".L"] for toe in TOES], 0) - at["foot.L"]
    foot = turn(1, -np.arctan2(ball[:, 0], ball[:, 2]))
    out = {"upperleg01.L": thigh, "upperleg02.L": thigh, "lowerleg01.L": shin, "lowerleg02.L": shin}
    return out | {"foot.L": foot} | {f"toe{i}-{k}.L": foot for i in range(1, 6) for k in (1, 2, 3)}


def bone_transforms(
    verts: np.ndarray, heads: np.ndarray, labels: list[str], parents: list[int], tips: Tips
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rigid transforms of all bones into the T-pose.

    Args:
        verts: (N, V, 3) rest vertices, of which the left fingertips are read.
        heads: (N, B, 3) left/right symmetric rest bone heads.
        labels: bone names.
        parents: parent of each bone.
        tips: fingertips.

    Returns:
        Rotations (N, B, 3, 3), translations (N, B, 3) and T-posed heads (N, B, 3).
    """
    rotation = np.broadcast_to(np.eye(3), (*heads.shape, 3)).copy()
    other = mirror_order(labels)
    index = {label: i for i, label in enumerate(labels)}
    for label, value in left_rotations(verts, heads, labels, tips).items():
        if label in index:
            rotation[:, index[label]] = value
            rotation[:, other[index[label]]] = FLIP @ value @ FLIP
    posed = heads.copy()
    for bone, parent in enumerate(parents):
        if parent >= 0:
            offset = heads[:, bone] - heads[:, parent]
            posed[:, bone] = posed[:, parent] + np.einsum("nij,nj->ni", rotation[:, parent], offset)
    translation = posed - np.einsum("nbij,nbj->nbi", rotation, heads)
    return rotation, translation, posed


def skin(verts: np.ndarray, weights: np.ndarray, rotation: np.ndarray, translation: np.ndarray) -> np.ndarray:
    """Linear blend skinning of (N, V, 3) vertices with (V, B) weights and (N, B, ...) transforms."""
    n, b = rotation.shape[:2]
    affine = np.concatenate([rotation, translation[..., None]], -1).reshape(n, b, 12)
    blend = (weights @ affine).reshape(n, -1, 3, 4)
    return np.einsum("nvij,nvj->nvi", blend[..., :3], verts) + blend[..., 3]
