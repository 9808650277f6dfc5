"""Samples that lack a part in one batch with samples that have it."""

import torch

from rhobin.data.collate import collate
from rhobin.types import Heatmaps, HumanTarget, ObjectMaps, ObjectTarget, Sample, SampleKey, Target


def sample(human, obj):
    one = torch.ones
    person = HumanTarget(one(52, 3, 3), one(10), one(3), one(29, 3), one(23, 2), one(23), torch.tensor(1.0))
    pose = ObjectTarget(one(3, 3), one(3), one(8, 3), torch.tensor(1.0))
    drawn = Heatmaps(
        one(29, 3) if human else None, one(29) if human else None,
        one(8, 3) if obj else None, one(8) if obj else None,
    )  # fmt: skip
    maps = ObjectMaps(one(3, 4, 4), one(4, 4).long(), one(4, 4), one(4, 4), one(2, 3), one(3, 3))
    target = Target(person if human else None, pose if obj else None, drawn, maps if obj else None)
    key = SampleKey("Date01_Sub01_stool", "t0003.000", 1, 0)
    return Sample(
        one(5, 8, 8), one(3, 3), one(3), one(3, 3), 1 if human else 2, 12 if obj else -1, target, key
    )


def test_what_a_sample_lacks_counts_for_nothing():
    batch = collate([sample(True, False), sample(True, True), sample(False, True)])
    target = batch.target
    assert target.human.present.tolist() == [1, 1, 0]
    assert target.object.present.tolist() == [0, 1, 1]
    assert target.human.twist_weight.sum(1).tolist() == [23, 23, 0]
    assert target.heatmaps.joints_weight.sum(1).tolist() == [29, 29, 0]
    assert target.heatmaps.kpts_weight.sum(1).tolist() == [0, 8, 8]
    assert target.maps.visible.sum((1, 2)).tolist() == [0, 16, 16]
    assert target.maps.amodal.sum((1, 2)).tolist() == [0, 16, 16]
    assert torch.equal(target.object.R[0], target.object.R[1])  # a rotation all the same
    assert batch.gender.tolist() == [1, 1, 1]
    assert batch.object_id.tolist() == [12, 12, 12]


def test_a_part_that_no_sample_has_is_none():
    batch = collate([sample(False, True), sample(False, True)])
    assert batch.target.human is None
    assert batch.target.heatmaps.joints_uvd is None
    assert batch.target.object.present.tolist() == [1, 1]
    assert collate([sample(True, False)]).object_id.tolist() == [-1]
