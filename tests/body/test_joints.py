from itertools import pairwise

import numpy as np
from smplx.joint_names import JOINT_NAMES, SMPLH_JOINT_NAMES

from rhobin.body.joints import (
    CHILD29,
    JOINTS24,
    JOINTS29_NAMES,
    PARENTS29,
    SMPL_PARENTS,
    SMPLH_NAMES,
    SMPLH_PARENTS,
    depth_levels,
)


def test_names_equal_those_of_smplx():
    assert list(SMPLH_NAMES) == SMPLH_JOINT_NAMES[:52]
    assert len(set(JOINT_NAMES) & set(SMPLH_NAMES)) == 52


def test_trees_equal_the_reference_files(oracle):
    for name, parents in (("smplh_male", SMPLH_PARENTS), ("smpl24_neutral", SMPL_PARENTS)):
        table = oracle(name)["kintree_table"].astype(np.int64)
        assert table[0, 1:].tolist() == list(parents[1:])
        assert parents[0] == -1


def test_finger_names_follow_the_tree():
    for joint in range(22, 52):
        side, finger, knuckle = (
            SMPLH_NAMES[joint].split("_")[0],
            SMPLH_NAMES[joint][:-1],
            SMPLH_NAMES[joint][-1],
        )
        parent = SMPLH_NAMES[SMPLH_PARENTS[joint]]
        assert parent == (f"{side}_wrist" if knuckle == "1" else f"{finger}{int(knuckle) - 1}")


def test_every_bone_of_the_29_joints_leads_to_a_child():
    assert len(JOINTS29_NAMES) == len(PARENTS29) == len(CHILD29) == 29
    for joint, child in enumerate(CHILD29):
        assert (child == -1) == (joint >= 24)
        assert child == -1 or PARENTS29[child] == joint
    assert (CHILD29[0], CHILD29[9]) == (3, 12)
    others = [j for j in range(24) if j not in (0, 9)]
    assert all(CHILD29[j] == PARENTS29.index(j) for j in others)


def test_the_24_joints_keep_smpls_names_and_parents():
    assert [SMPLH_NAMES[j] for j in JOINTS24] == list(JOINTS29_NAMES[:24])
    for joint, parent in enumerate(SMPL_PARENTS[1:], start=1):
        assert SMPLH_PARENTS[JOINTS24[joint]] == JOINTS24[parent]


def test_levels_put_parents_one_level_above():
    for parents in (SMPLH_PARENTS, SMPL_PARENTS):
        levels = depth_levels(parents)
        assert sorted(sum(levels, ())) == list(range(len(parents)))
        for above, level in pairwise(levels):
            assert all(parents[joint] in above for joint in level)
