"""Batches of objects with drawn maps, and outputs that mean nothing."""

import numpy as np
import torch
from scipy.spatial.transform import Rotation

from rhobin.methods.g2dr.net import G2drOutput
from rhobin.types import Batch, ObjectTarget, SampleKey, Target

SIZE, STRIDE, REGIONS = 64, 4, 64


def place(seed):
    """A random pose before a crop that shows the object in its middle."""
    rng = np.random.default_rng(seed)
    R = Rotation.random(random_state=rng).as_matrix()
    t = np.array([*rng.uniform(-0.4, 0.4, 2), rng.uniform(1.5, 3.0)])
    focal = SIZE * t[2] / 1.2
    middle = SIZE / 2 - 0.5 - focal * t[:2] / t[2]
    return R, t, np.array([[focal, 0, middle[0]], [0, focal, middle[1]], [0, 0, 1]])


def make_batch(mapper, ids, moves=None, mask=None):
    """Objects (B,) in random poses, each told after a motion of its own frame where one is given."""
    rows = []
    mask = np.full((SIZE, SIZE), 255, np.uint8) if mask is None else mask
    for row, object_id in enumerate(ids):
        R, t, K = place(row)
        if moves is not None:
            S, s = moves[row]
            R, t = R @ S, R @ s + t
        rows.append((torch.tensor(K), torch.tensor(R), torch.tensor(t), mapper(object_id, R, t, K, mask)))
    K, R, t = (torch.stack(column).float() for column in list(zip(*rows, strict=True))[:3])
    maps = type(rows[0][3])(*(torch.stack(v) for v in zip(*(vars(r[3]).values() for r in rows), strict=True)))
    pose = ObjectTarget(R, t, torch.zeros(len(ids), 8, 3), torch.ones(len(ids)))
    return Batch(
        image=torch.randint(0, 255, (len(ids), 3, SIZE, SIZE), dtype=torch.uint8),
        K_crop=K,
        window=torch.tensor([[0.1, 0.15, 0.25]]).repeat(len(ids), 1),
        turn=torch.eye(3).repeat(len(ids), 1, 1),
        gender=torch.zeros(len(ids), dtype=torch.long),
        object_id=torch.tensor(ids),
        target=Target(object=pose, maps=maps),
        keys=[SampleKey("Date01_Sub01_stool", f"t{i:04d}.000", 1, i) for i in range(len(ids))],
    )


def random_output(count, seed=0, amodal=True):
    """Raw predictions that mean nothing."""
    generator = torch.Generator().manual_seed(seed)
    size = SIZE // STRIDE

    def rand(*shape):
        return torch.randn(count, *shape, generator=generator)

    return G2drOutput(
        visible=rand(size, size),
        amodal=rand(size, size) if amodal else None,
        nocs=0.5 + 0.3 * rand(3, size, size),
        region=rand(1 + REGIONS, size, size),
        rot6d=rand(6),
        site=torch.cat([0.1 * rand(2), 1 + 0.1 * rand(1).abs()], dim=1),
    )
