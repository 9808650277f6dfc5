"""The SMPL-H skeleton and the Anny bone that stands for each of its joints."""

from __future__ import annotations

import numpy as np

_BODY = (
    ("pelvis", -1, "root"),
    ("left_hip", 0, "upperleg01.L"),
    ("right_hip", 0, "upperleg01.R"),
    ("spine1", 0, "spine04"),
    ("left_knee", 1, "lowerleg01.L"),
    ("right_knee", 2, "lowerleg01.R"),
    ("spine2", 3, "spine02"),
    ("left_ankle", 4, "foot.L"),
    ("right_ankle", 5, "foot.R"),
    ("spine3", 6, "spine01"),
    ("left_foot", 7, "toe.L"),
    ("right_foot", 8, "toe.R"),
    ("neck", 9, "neck01"),
    ("left_collar", 9, "clavicle.L"),
    ("right_collar", 9, "clavicle.R"),
    ("head", 12, "head"),
    ("left_shoulder", 13, "upperarm01.L"),
    ("right_shoulder", 14, "upperarm01.R"),
    ("left_elbow", 16, "lowerarm01.L"),
    ("right_elbow", 17, "lowerarm01.R"),
    ("left_wrist", 18, "wrist.L"),
    ("right_wrist", 19, "wrist.R"),
)
_FINGERS = (("index", 2), ("middle", 3), ("pinky", 5), ("ring", 4), ("thumb", 1))


def _hand(side: str, wrist: int, first: int) -> list[tuple[str, int, str]]:
    """The fifteen joints of one hand as (name, parent, Anny bone)."""
    rows = []
    for finger, number in _FINGERS:
        for knuckle in (1, 2, 3):
            parent = wrist if knuckle == 1 else first + len(rows) - 1
            rows.append((f"{side}_{finger}{knuckle}", parent, f"finger{number}-{knuckle}.{side[0].upper()}"))
    return rows


_JOINTS = (*_BODY, *_hand("left", 20, 22), *_hand("right", 21, 37))
NAMES = tuple(name for name, _, _ in _JOINTS)
PARENTS = tuple(parent for _, parent, _ in _JOINTS)
BONES = tuple(bone for _, _, bone in _JOINTS)
TOES = tuple(f"toe{i}-1" for i in range(1, 6))


def swap_side(name: str) -> str:
    """The name of the joint or bone on the other side; midline names come back unchanged."""
    for one, other in (("left_", "right_"), ("right_", "left_")):
        if name.startswith(one):
            return other + name[len(one) :]
    for one, other in ((".L", ".R"), (".R", ".L")):
        if name.endswith(one):
            return name[: -len(one)] + other
    return name


def mirror_order(names: tuple[str, ...] | list[str]) -> np.ndarray:
    """(n,) index of each name's counterpart on the other side."""
    index = {name: i for i, name in enumerate(names)}
    return np.array([index[swap_side(name)] for name in names])


def joint_of_bone(labels: list[str], parents: list[int]) -> np.ndarray:
    """(n_bones,) SMPL-H joint that moves each Anny bone: its own, or its nearest mapped ancestor's."""
    own = {bone: joint for joint, bone in enumerate(BONES)}
    own |= {toe + side: own["toe" + side] for toe in TOES for side in (".L", ".R")}
    joints: list[int] = []
    for label, parent in zip(labels, parents, strict=True):
        joints.append(own[label] if label in own else joints[parent])
    return np.array(joints)


def joints_from_heads(heads: np.ndarray, labels: list[str]) -> np.ndarray:
    """(..., 52, 3) joint positions from bone heads (..., n_bones, 3); the ball of the foot is a toe mean."""
    index = {label: i for i, label in enumerate(labels)}
    columns = []
    for bone in BONES:
        if bone.startswith("toe."):
            columns.append(heads[..., [index[toe + bone[3:]] for toe in TOES], :].mean(-2))
        else:
            columns.append(heads[..., index[bone], :])
    return np.stack(columns, -2)
