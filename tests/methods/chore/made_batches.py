"""Batches whose numbers are made up, with points about two metres away."""

import torch

from rhobin.geometry.rotation import rotvec_to_rotmat
from rhobin.methods.chore.space import Space
from rhobin.types import Batch, Fields, HumanTarget, ObjectTarget, SampleKey, Target


def space(count=2, size=64):
    K = torch.tensor([[50.0, 0, 31.5], [0, 50.0, 31.5], [0, 0, 1]])
    return Space(K.repeat(count, 1, 1), size, 2.6945)


def made_batch(count=2, scale=1.0, seed=0):
    rng = torch.Generator().manual_seed(seed)
    rand = lambda *shape: torch.rand(*shape, generator=rng)  # noqa: E731
    joints = (rand(count, 29, 3) + torch.tensor([0, 0, 2.0])) * scale
    human = HumanTarget(
        rotvec_to_rotmat(rand(count, 52, 3)), rand(count, 10), rand(count, 3), joints,
        rand(count, 23, 2), rand(count, 23), torch.ones(count),
    )  # fmt: skip
    obj = ObjectTarget(
        rotvec_to_rotmat(rand(count, 3)), (rand(count, 3) + torch.tensor([0, 0, 2.0])) * scale,
        rand(count, 8, 3), torch.ones(count),
    )  # fmt: skip
    points = (rand(count, 40, 3) + torch.tensor([0, 0, 1.5])) * scale
    fields = Fields(points, rand(count, 40, 2) * scale, torch.randint(14, (count, 40), generator=rng))
    frame = torch.zeros(count, 5, 64, 64, dtype=torch.uint8)
    eye, none = torch.eye(3).repeat(count, 1, 1), torch.zeros(count, dtype=torch.long)
    keys = [SampleKey("sequence", f"t{i:04d}.000", 1, i) for i in range(count)]
    target = Target(human, obj, fields=fields)
    return Batch(frame, space(count).K, torch.ones(count, 3), eye, none, none, target, keys)
