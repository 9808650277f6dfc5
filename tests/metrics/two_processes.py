"""One process of a validation over gloo: `python two_processes.py RANK COUNT FOLDER` writes its scores."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
import trimesh
from scipy.spatial.transform import Rotation

from rhobin.metrics.joint import FrameMeshes
from rhobin.metrics.points import PointSet
from rhobin.metrics.protocol import CAMERA_K, JointProtocol
from rhobin.metrics.shells import HumanMetric, JointMetric, ObjectMetric

FRAMES = 11


def validate(rows: np.ndarray) -> dict[str, dict[str, float]]:
    """Scores of some rows of a fixed set of predictions, added in two batches."""
    rng = np.random.default_rng(0)
    joints = rng.normal(0, 0.3, (FRAMES, 24, 3))
    rotations = Rotation.random(FRAMES * 24, random_state=0).as_matrix().reshape(FRAMES, 24, 3, 3)
    noisy = joints + rng.normal(0, 0.04, joints.shape)
    turned = Rotation.from_rotvec(rng.normal(0, 0.2, (FRAMES * 24, 3))).as_matrix().reshape(rotations.shape)
    human, obj, joint = HumanMetric(), ObjectMetric(), JointMetric(JointProtocol(samples=200))
    box = trimesh.creation.box((0.4, 0.3, 0.2)).subdivide()
    points = PointSet(np.array(box.vertices))
    t = np.array([0.1, 0.2, 2.5]) + rng.normal(0, 0.1, (FRAMES, 3))
    off = rng.normal(0, 0.02, (FRAMES, 3))
    identity = (np.eye(3)[None], np.zeros((1, 3)))
    verts, faces = np.array(box.vertices), np.array(box.faces)
    beside = verts + np.array([1.0, 0.0, 0.0])
    for part in np.array_split(rows, 2):
        arrays = (noisy, turned @ rotations, joints, rotations)
        human.update(*(torch.from_numpy(a[part]) for a in arrays))
        poses = (turned[:, 0] @ rotations[:, 0], t + off, rotations[:, 0], t)
        obj.update(*(a[part] for a in poses), points, identity, np.array(CAMERA_K))
        joint.update(FrameMeshes(f"s/{i}", verts + off[i], beside, verts, beside, faces, faces) for i in part)
    return {name: metric.compute() for name, metric in (("human", human), ("object", obj), ("joint", joint))}


def main(rank: int, count: int, folder: Path) -> None:
    """Join the group, score every `count`-th row, write the reduced scores."""
    dist.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=count)
    scores = validate(np.arange(FRAMES)[rank::count])
    (folder / f"scores-{rank}.json").write_text(json.dumps(scores))
    dist.destroy_process_group()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
