"""Mirrored samples: the same person and object with left and right exchanged, seen by a mirrored camera."""

import numpy as np
import pytest
import torch
from scipy.spatial import cKDTree

from rhobin.body.ik import hybrik
from rhobin.body.joints import MIRROR29
from rhobin.data.augment import mirror
from rhobin.data.augment.mirror import mirror_intrinsics, mirror_person
from rhobin.data.datamodule import BehaveDataModule
from rhobin.geometry.camera import project
from rhobin.geometry.mesh import sample_surface
from rhobin.geometry.rotation import geodesic_angle
from rhobin.objects.canonical import canonical_pose

HUMAN = {"parts": ["human"], "crop": "person", "targets": ["heatmaps", "bev"]}


def dataset(root, mirror_p, reads=HUMAN, **targets):
    module = BehaveDataModule(
        root,
        view={"input_size": 64},
        reads=reads,
        batch_size=2,
        workers=0,
        validation={"fraction": 0},
        targets={"heatmaps": {"depth_range": 2.2}, **targets},
        augment={"mirror_p": mirror_p},
    )
    module.setup()
    return module.train_dataset


def test_pixels_and_joints_move_together(release_root):
    """Every other augmentation is drawn alike with and without the mirror."""
    plain, mirrored = dataset(release_root, 0.0), dataset(release_root, 1.0)
    for index in range(4):
        before, after = plain[3, index], mirrored[3, index]
        assert torch.equal(after.image, before.image.flip(-1))
        at, still = (project(s.target.human.joints[None], s.K_crop[None])[0] for s in (after, before))
        still = still[list(MIRROR29)]
        assert torch.allclose(at[:, 0], 63 - still[:, 0], atol=2e-3)
        assert torch.allclose(at[:, 1], still[:, 1], atol=2e-3)
        assert torch.equal(after.target.human.beta, before.target.human.beta)
        assert after.target.object is None
        column = after.target.bev.cell[2] + after.target.bev.offset[2]
        other = before.target.bev.cell[2] + before.target.bev.offset[2]
        assert column.item() == pytest.approx(15 - other.item(), abs=1e-4)


def test_a_mirrored_pose_explains_its_joints(release_root):
    """Inverse kinematics of the mirrored joints and twists gives the mirrored rotations.

    Body templates are not symmetric to the last degree, so a few degrees stay.
    """
    data = dataset(release_root, 1.0)
    for index in range(4):
        sample = data[0, index]
        human, gender = sample.target.human, torch.tensor([sample.gender])
        rest = data.targets.assets.bodies.rest29(human.beta[None], gender)
        theta = hybrik(human.joints[None], rest, human.twist[None])
        turned = torch.rad2deg(geodesic_angle(theta[0, :22], human.theta[:22]))
        assert turned.max() < 6
        rest_pelvis = data.targets.assets.bodies.rest_joints(human.beta[None], gender)[0, 0]
        assert torch.allclose(rest_pelvis + human.trans, human.joints[0], atol=1e-4)


def test_mirrored_twice_is_the_same():
    rng = np.random.default_rng(0)
    values = {
        "theta": rng.normal(size=(52, 3, 3)), "beta": rng.normal(size=10), "trans": rng.normal(size=3),
        "joints": rng.normal(size=(29, 3)), "twist": rng.normal(size=(23, 2)),
        "twist_weight": rng.integers(0, 2, 23),
    }  # fmt: skip
    once = mirror_person(values)
    assert not np.allclose(once["joints"], values["joints"])
    for name, value in mirror_person(once).items():
        np.testing.assert_allclose(value, values[name], atol=1e-12)
    K = np.array([[50.0, 0, 20], [0, 50, 30], [0, 0, 1]])
    np.testing.assert_array_equal(mirror_intrinsics(mirror_intrinsics(K, 64), 64), K)


def test_only_some_samples_are_mirrored(release_root):
    data, plain = dataset(release_root, 0.5), dataset(release_root, 0.0)
    same = [torch.equal(data[e, i].image, plain[e, i].image) for e in range(4) for i in range(4)]
    assert any(same)
    assert not all(same)
    assert any("mirrored" in data.describe(e, i) for e in range(4) for i in range(4))


BOTH = {"parts": ["human", "object"], "crop": "union", "targets": ["heatmaps", "maps"]}


def test_a_mirrored_object_covers_its_mirror_image(release_root):
    """Its pose puts the template where the mirror shows it, and its maps lie on the mirrored mask."""
    plain, mirrored = dataset(release_root, 0.0, BOTH), dataset(release_root, 1.0, BOTH)
    for index in range(4):
        before, after = plain[3, index], mirrored[3, index]
        assert torch.equal(after.image, before.image.flip(-1))
        template = plain.targets.assets.templates[before.object_id]
        verts = torch.from_numpy(template.verts).float()
        was, now = (verts @ o.R.T + o.t for o in (before.target.object, after.target.object))
        assert torch.linalg.det(after.target.object.R) == pytest.approx(1)
        surface = cKDTree(sample_surface(now.numpy(), template.faces, 100_000, np.random.default_rng(0)))
        assert surface.query(was.numpy() * (-1, 1, 1))[0].mean() < 0.005 * template.diameter
        kpts = verts[torch.from_numpy(template.kpt_ids)] @ after.target.object.R.T + after.target.object.t
        assert torch.allclose(kpts, after.target.object.kpts, atol=1e-5)
        was, now = (s.target.maps.amodal for s in (before, after))
        assert (was.flip(-1) != now).float().mean() < 0.02


def test_the_canonical_pose_of_a_mirrored_object_is_canonical(release_root):
    data = dataset(release_root, 1.0, BOTH, canonical_symmetry=True)
    for index in range(4):
        obj, template = data[0, index].target.object, data.targets.assets.templates[data[0, index].object_id]
        R, t = canonical_pose(template, obj.R.double().numpy(), obj.t.double().numpy())
        np.testing.assert_allclose(R, obj.R, atol=1e-5)
        np.testing.assert_allclose(t, obj.t, atol=1e-5)


def test_views_of_an_object_that_is_not_its_own_mirror_image_stay_as_they_are(
    release_root, monkeypatch, caplog
):
    real = mirror.mirror_plane
    monkeypatch.setattr(mirror, "mirror_plane", lambda t: None if "chair" in t.name else real(t))
    with caplog.at_level("INFO"):
        data, plain = dataset(release_root, 1.0, BOTH), dataset(release_root, 0.0, BOTH)
    names = [data.targets.assets.templates[data[0, i].object_id].name for i in range(len(data))]
    assert {"chair" in name for name in names} == {True, False}
    for i, name in enumerate(names):
        same = torch.equal(data[0, i].image, plain[0, i].image)
        assert same == ("chair" in name) == ("mirrored" not in data.describe(0, i))
        assert data[0, i].target.object is not None
    assert "other shapes, are not mirrored: chair" in caplog.text
