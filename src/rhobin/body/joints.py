"""Joint names, trees and subsets of SMPL-H and of the 29 HybrIK joints."""

_FINGERS = ("index", "middle", "pinky", "ring", "thumb")

SMPL_BODY_NAMES = (
    "pelvis",
    "left_hip",
    "right_hip",
    "spine1",
    "left_knee",
    "right_knee",
    "spine2",
    "left_ankle",
    "right_ankle",
    "spine3",
    "left_foot",
    "right_foot",
    "neck",
    "left_collar",
    "right_collar",
    "head",
    "left_shoulder",
    "right_shoulder",
    "left_elbow",
    "right_elbow",
    "left_wrist",
    "right_wrist",
)
SMPLH_NAMES = SMPL_BODY_NAMES + tuple(
    f"{side}_{finger}{knuckle}" for side in ("left", "right") for finger in _FINGERS for knuckle in (1, 2, 3)
)

_BODY_PARENTS = (-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19)
SMPL_PARENTS = (*_BODY_PARENTS, 20, 21)
SMPLH_PARENTS = _BODY_PARENTS + tuple(
    wrist if joint % 3 == 0 else first + joint - 1
    for wrist, first in ((20, 22), (21, 37))
    for joint in range(15)
)

SMPLX_PARENTS = (  # jaw and eyes on the head, then the hands
    *_BODY_PARENTS,
    *(15, 15, 15),
    *(parent if parent < 22 else parent + 3 for parent in SMPLH_PARENTS[22:]),
)

# The challenge's 24 joints as indices into SMPL-H: SMPL's hands are the first index knuckles.
JOINTS24 = (*range(22), 22, 37)
JOINTS24_OF = {24: tuple(range(24)), 52: JOINTS24, 55: (*range(22), 25, 40)}  # by the model's joints

LEAF_NAMES = ("head_top", "left_middle_tip", "right_middle_tip", "left_bigtoe", "right_bigtoe")
LEAF_PARENTS = (15, 22, 23, 10, 11)  # indices into the 24 joints

JOINTS29_NAMES = (*SMPL_BODY_NAMES, "left_index1", "right_index1", *LEAF_NAMES)
PARENTS29 = SMPL_PARENTS + LEAF_PARENTS

# The one child whose bone fixes a joint's swing: spine1 for the pelvis, the neck for spine3, otherwise the
# only child (HybrIK); -1 for the leaves.
CHILD29 = (3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 27, 28, 15, 16, 17, 24, 18, 19, 20, 21, 22, 23, 25, 26) + (
    -1,
) * 5


def mirrored(names: tuple[str, ...]) -> tuple[int, ...]:
    """For every joint, the index of the one that its mirror image shows."""
    other = {"left": "right", "right": "left"}
    sides = [name.partition("_") for name in names]
    return tuple(names.index(other.get(side, side) + line + rest) for side, line, rest in sides)


SMPLH_MIRROR, MIRROR29 = mirrored(SMPLH_NAMES), mirrored(JOINTS29_NAMES)
MIRROR24 = MIRROR29[:24]


def depth_levels(parents: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
    """Joints grouped by their distance from the root, the root's group first."""
    depth: list[int] = []
    for parent in parents:
        depth.append(0 if parent < 0 else depth[parent] + 1)
    return tuple(tuple(j for j, d in enumerate(depth) if d == level) for level in range(max(depth) + 1))
