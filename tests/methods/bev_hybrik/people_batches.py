"""Batches of posed people with drawn targets, and outputs that are perfect or mean nothing."""

import numpy as np
import torch
from scipy.spatial.transform import Rotation

from rhobin.body.twist import twist_targets
from rhobin.data.collate import collate
from rhobin.data.targets.bev import BevConfig, draw_bev
from rhobin.data.targets.heatmaps import HeatmapConfig, draw_heatmaps
from rhobin.methods.bev_hybrik.net import BevHybrikOutput
from rhobin.nets.bev import BevOutput
from rhobin.nets.heatmap import Keypoints
from rhobin.types import HumanTarget, Sample, SampleKey, Target

SIZE, DEPTH_RANGE = 64, 2.2
VOLUME = BevConfig(stride=4, bins=16, near=0.4, far=6.4)


def make_batch(bodies, count, spread=0.35):
    """People who stand before the camera in random poses, each in the middle of a crop."""
    return collate([_sample(bodies, index, spread) for index in range(count)])


def _sample(bodies, index, spread):
    rng = np.random.default_rng(index)
    gender = torch.tensor([index % 2])
    turn = Rotation.from_euler("yx", [rng.uniform(-np.pi, np.pi), np.pi])  # upright: y points down
    theta = torch.eye(3).repeat(1, 52, 1, 1)
    theta[0, 0] = torch.tensor((turn * Rotation.from_rotvec(0.2 * rng.normal(size=3))).as_matrix())
    theta[0, 1:22] = torch.tensor(Rotation.from_rotvec(spread * rng.normal(size=(21, 3))).as_matrix())
    theta[0, 22:] = bodies.mean_hands(gender)[0]
    beta = torch.tensor(rng.normal(size=(1, 10)), dtype=torch.float32)
    pelvis = torch.tensor([[*rng.uniform(-0.8, 0.8, 2), rng.uniform(2.0, 3.5)]], dtype=torch.float32)
    trans = pelvis - bodies.rest29(beta, gender)[:, 0]
    joints = bodies.joints29(bodies.kinematics(theta, beta, trans, gender), beta, gender)
    twist, weight = twist_targets(theta, bodies.rest29(beta, gender))
    K = crop_about(joints[0].numpy().astype(float))
    values = {"joints": joints[0].numpy().astype(float)}
    human = HumanTarget(theta[0], beta[0], trans[0], joints[0], twist[0], weight[0], torch.tensor(1.0))
    target = Target(
        human=human,
        heatmaps=draw_heatmaps(values, K, HeatmapConfig(DEPTH_RANGE), SIZE),
        bev=draw_bev(values["joints"][0], np.array([0.5, 0.8]), K, VOLUME, SIZE),
    )
    return Sample(
        image=torch.tensor(rng.integers(0, 255, (3, SIZE, SIZE)), dtype=torch.uint8),
        K_crop=torch.tensor(K, dtype=torch.float32),
        window=torch.tensor([0.1, 0.15, 0.25]),
        turn=torch.eye(3),
        gender=int(gender),
        object_id=-1,
        target=target,
        key=SampleKey("Date01_Sub01_stool", f"t{index:04d}.000", 1, index),
    )


def crop_about(joints):
    """Intrinsics of a crop that shows the joints with a margin."""
    rays = joints[:, :2] / joints[:, 2:]
    middle, focal = (rays.min(0) + rays.max(0)) / 2, SIZE / (1.3 * np.ptp(rays, axis=0).max())
    at = SIZE / 2 - 0.5 - focal * middle
    return np.array([[focal, 0, at[0]], [0, focal, at[1]], [0, 0, 1]])


def perfect_output(batch):
    """What a network that knows everything would say."""
    human, bev = batch.target.human, batch.target.bev
    offset = torch.zeros(len(batch), 3, *bev.volume.shape[1:])
    rows = torch.arange(len(batch))
    offset[rows, :, bev.cell[:, 0], bev.cell[:, 1], bev.cell[:, 2]] = bev.offset
    return BevHybrikOutput(
        human=Keypoints(batch.target.heatmaps.joints_uvd, torch.full((len(batch), 29), 0.1)),
        beta=human.beta,
        twist=human.twist,
        bev=BevOutput(bev.front, bev.bird, bev.volume, offset),
        place=bev.cell + bev.offset,
    )
