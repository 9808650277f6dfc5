"""Which of an object's equal-looking poses the keypoints are compared with."""

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from rhobin.assets import Assets
from rhobin.body.load import load_bodies
from rhobin.data.targets.heatmaps import heatmap_coordinates
from rhobin.methods.khor.loss import KhorLoss
from rhobin.methods.khor.net import KhorOutput
from rhobin.methods.khor.symmetry import nearest_target
from rhobin.methods.symmetry import AXIS, LISTED, SPHERE, Symmetries
from rhobin.nets.heatmap import Keypoints
from rhobin.objects.load import load_templates
from rhobin.types import Batch, Heatmaps, HumanTarget, ObjectTarget, Target

SIZE, DEPTH_RANGE, PELVIS = 128, 4.4, 2.6
K = np.array([[150.0, 0, 63], [0, 150, 64], [0, 0, 1]])


@pytest.fixture(scope="module")
def assets():
    return Assets.of(load_bodies(), load_templates())


@pytest.fixture(scope="module")
def symmetries(assets):
    return Symmetries(assets.templates, len(assets.names))


@pytest.fixture(scope="module")
def kpts(assets):
    return assets.keypoints()


def poses_of(assets, seed):
    """A pose in front of the camera for every object."""
    rng = np.random.default_rng(seed)
    R = Rotation.random(len(assets.names), random_state=seed).as_matrix()
    return R, np.array([0.1, 0, 2.8]) + rng.normal(0, 0.1, (len(R), 3))


def motions_of(assets, seed):
    """A symmetry of every object: a listed one, any turn about a free axis, any rotation of a ball."""
    rng = np.random.default_rng(seed)
    motions = []
    for template in (assets.templates[i] for i in range(len(assets.names))):
        if template.group.sphere:
            S = Rotation.random(random_state=seed).as_matrix()
        elif template.group.order == 0:
            S = Rotation.from_rotvec(rng.uniform(0, 6) * np.asarray(template.group.axis)).as_matrix()
        else:
            member = rng.integers(len(template.symmetries))
            motions.append((template.symmetries[member], template.symmetry_offsets[member]))
            continue
        motions.append((S, template.centre - S @ template.centre))
    return motions


def make_batch(assets, R, t):
    """A batch of every object, drawn as the data draw it."""
    count, rows = len(assets.names), []
    for i in range(count):
        points = assets.templates[i].kpts @ R[i].T + t[i]
        rows.append((points, *heatmap_coordinates(points, PELVIS, K, DEPTH_RANGE, SIZE)))
    points, uvd, weight = (
        torch.tensor(np.stack(column), dtype=torch.float32) for column in zip(*rows, strict=True)
    )
    joints = torch.zeros(count, 29, 3)
    joints[:, 0, 2] = PELVIS
    nothing = torch.zeros(count)
    human = HumanTarget(*(nothing,) * 3, joints=joints, twist=nothing, twist_weight=nothing, present=nothing)
    R, t = (torch.tensor(value, dtype=torch.float32) for value in (R, t))
    target = Target(
        human, ObjectTarget(R, t, points, nothing + 1), Heatmaps(kpts_uvd=uvd, kpts_weight=weight)
    )
    image, turn = torch.zeros(count, 5, SIZE, SIZE), torch.eye(3).expand(count, 3, 3)
    camera = torch.tensor(K, dtype=torch.float32).expand(count, 3, 3)
    return Batch(image, camera, nothing, turn, nothing, torch.arange(count), target, [])


def said_of(batch, noise, seed):
    """What a network says that sees keypoints with an error."""
    rng = torch.Generator().manual_seed(seed)
    uvd = batch.target.heatmaps.kpts_uvd
    return KhorOutput(
        object=Keypoints(uvd + noise * torch.randn(uvd.shape, generator=rng), uvd[..., 0] * 0 + 0.1)
    )


def losses_of(output, batch, symmetries, kpts):
    return KhorLoss()(output, nearest_target(output, batch, symmetries, kpts, DEPTH_RANGE))


def relabelled(R, t, motions):
    told = [(r @ S, r @ s + d) for r, d, (S, s) in zip(R, t, motions, strict=True)]
    return np.stack([r for r, _ in told]), np.stack([d for _, d in told])


def test_every_kind_of_symmetry_is_among_the_objects(symmetries):
    assert {*symmetries.kind.tolist()} == {LISTED, AXIS, SPHERE}


@pytest.mark.parametrize("seed", range(3))
def test_relabelling_by_a_symmetry_changes_no_loss(assets, symmetries, kpts, seed):
    R, t = poses_of(assets, seed)
    batch, retold = make_batch(assets, R, t), make_batch(assets, *relabelled(R, t, motions_of(assets, seed)))
    output = said_of(batch, 0.02, seed)
    one, other = (losses_of(output, told, symmetries, kpts) for told in (batch, retold))
    for name, value in one.items():
        assert other[name].item() == pytest.approx(value.item(), rel=1e-4), name
    assert KhorLoss()(output, retold)["kpts"] > 1.5 * one["kpts"]


def test_an_equivalent_answer_is_a_perfect_answer(assets, symmetries, kpts):
    R, t = poses_of(assets, 7)
    seen = make_batch(assets, *relabelled(R, t, motions_of(assets, 7)))
    losses = losses_of(said_of(seen, 0.0, 7), make_batch(assets, R, t), symmetries, kpts)
    assert losses["kpts"] < 2e-5


def test_no_listed_symmetry_is_nearer(assets, symmetries, kpts):
    """In metres, over every listed motion of every object (free turns are listed in steps)."""
    R, t = poses_of(assets, 3)
    batch = make_batch(assets, R, t)
    output = said_of(batch, 0.1, 3)
    told = nearest_target(output, batch, symmetries, kpts, DEPTH_RANGE).target.object
    uvd = output.object.uvd.numpy().astype(float)
    depth = PELVIS + uvd[..., 2] * DEPTH_RANGE
    pixels = np.concatenate([(uvd[..., :2] + 0.5) * SIZE, np.ones((*depth.shape, 1))], axis=-1)
    seen = pixels @ np.linalg.inv(K).T * depth[..., None]
    for i, template in assets.templates.items():
        chosen = np.square(told.kpts[i].numpy() - seen[i]).sum()
        for S, s in zip(template.symmetries, template.symmetry_offsets, strict=True):
            moved = (template.kpts @ S.T + s) @ R[i].T + t[i]
            assert chosen <= np.square(moved - seen[i]).sum() + 1e-4, assets.names[i]


def test_an_object_without_symmetry_keeps_its_label_to_the_bit(assets, symmetries, kpts):
    batch = make_batch(assets, *poses_of(assets, 1))
    told = nearest_target(said_of(batch, 0.3, 1), batch, symmetries, kpts, DEPTH_RANGE).target.heatmaps
    plain = [i for i, t in assets.templates.items() if len(t.symmetries) == 1]
    assert plain
    assert torch.equal(told.kpts_uvd[plain], batch.target.heatmaps.kpts_uvd[plain])
    assert torch.equal(told.kpts_weight[plain], batch.target.heatmaps.kpts_weight[plain])


def test_keypoints_outside_the_crop_lose_their_weight(assets, symmetries, kpts):
    R, t = poses_of(assets, 5)
    t[:, 0] += 0.9
    seen, batch = make_batch(assets, *relabelled(R, t, motions_of(assets, 5))), make_batch(assets, R, t)
    told = nearest_target(said_of(seen, 0.0, 5), batch, symmetries, kpts, DEPTH_RANGE).target.heatmaps
    assert 0 < seen.target.heatmaps.kpts_weight.mean() < 1
    listed = symmetries.kind == LISTED
    assert torch.equal(told.kpts_weight[listed], seen.target.heatmaps.kpts_weight[listed])
