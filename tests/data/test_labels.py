"""Optional targets in samples and batches: asked for, exact under augmentation, absent otherwise."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from data_samples import sample_config, tensors, truth_of
from torch.utils.data import DataLoader

from rhobin.behave.read import read_release
from rhobin.data.augment.draw import AugmentConfig
from rhobin.data.collate import collate
from rhobin.data.datamodule import BehaveDataModule
from rhobin.data.dataset import BehaveDataset
from rhobin.data.reads import CropReads
from rhobin.data.sections import read_section
from rhobin.data.settings import TargetConfig
from rhobin.data.targets.bev import BevConfig
from rhobin.data.targets.extras import Extras
from rhobin.data.targets.maps import MapConfig
from rhobin.geometry.camera import project
from rhobin.objects.canonical import canonical_pose
from rhobin.objects.names import OBJECT_NAMES
from rhobin.objects.nocs import from_nocs
from rhobin.types import to_device

PLAIN = sample_config()
BINS = BevConfig(bins=32)
BOTH = sample_config(reads={"targets": ["heatmaps", "maps", "bev"]}, bev=BINS)

MEMBERS = 7 + 4 + 4
"""Tensors of the person, of the object, and of the heatmaps."""


@pytest.fixture(scope="module")
def source(release_root):
    release = read_release(release_root, "train")
    return release, truth_of(release)


@pytest.fixture(scope="module")
def make(source):
    def build(config, augment=None):
        release, targets = source
        return BehaveDataset(release, targets, np.arange(len(release.views.frame)), config, augment, seed=3)

    return build


@pytest.fixture(scope="module")
def augmented(make):
    return make(BOTH, AugmentConfig())


def leaves(value):
    """Tensors of a target and of what it holds."""
    return list(tensors(value).values())


def test_coordinates_of_augmented_samples_project_back(augmented):
    """Crop, zoom and roll: K_crop and the target pose lead every NOCS value to its own pixel."""
    pixels_checked = 0
    for index in range(len(augmented)):
        sample = augmented[(1, index)]
        maps = sample.target.maps
        rows, columns = np.nonzero(maps.amodal.numpy())
        points = from_nocs(maps.nocs.double().numpy()[:, rows, columns].T, maps.box.double().numpy())
        R, t = sample.target.object.R.double().numpy(), sample.target.object.t.double().numpy()
        found = project(points @ R.T + t, sample.K_crop.double().numpy())
        assert np.abs(found - (np.stack([columns, rows], axis=1) * 4 + 1.5)).max() < 0.01
        pixels_checked += len(rows)
    assert pixels_checked > 300


def test_amodal_maps_cover_the_masks_of_the_image(augmented):
    """Drawn masks are convex hulls at a few pixels; the maps lie in them and fill them."""
    shares = []
    for index in range(len(augmented)):
        sample = augmented[(2, index)]
        mask = sample.image[4].reshape(16, 4, 16, 4).float().mean(dim=(1, 3)) > 127
        amodal, visible = sample.target.maps.amodal > 0, sample.target.maps.visible > 0
        assert torch.equal(visible, amodal & mask)
        shares.append((visible.sum() / amodal.sum()).item())
    assert np.mean(shares) > 0.9


def test_the_centre_is_the_pelvis(augmented):
    bins = BINS.depth_bins
    inside = 0
    for index in range(len(augmented)):
        sample = augmented[(1, index)]
        bev, pelvis = sample.target.bev, sample.target.human.joints[0].double().numpy()
        if not bev.weight:
            continue
        inside += 1
        z, row, column = (bev.cell + bev.offset).double().tolist()
        assert float(bins.depth(torch.tensor(z), sample.K_crop[0, 0] / 64)) == pytest.approx(
            pelvis[2], rel=1e-4
        )
        pixel = project(pelvis[None], sample.K_crop.double().numpy())[0]
        assert np.abs(pixel - (np.array([column, row]) * 4 + 1.5)).max() < 1e-3
    assert inside > len(augmented) / 2


def test_a_joint_beside_the_lens_does_not_fill_the_map(augmented):
    values = {
        "joints": np.array([[0, 0, 2.0], [0, 0.1, 2.0], [0.4, 0.1, 1e-6]]),
    }
    K_crop = np.array([[60.0, 0, 31.5], [0, 60, 31.5], [0, 0, 1]])
    bev = Extras(CropReads(input_size=64, targets=["bev"]), TargetConfig(), {})(
        -1, values, K_crop, np.zeros((64, 64), np.uint8)
    )["bev"]
    assert (bev.front > 0).sum() < 64


def test_extras_change_no_other_target(make, augmented):
    plain = make(PLAIN, AugmentConfig())
    for index in (0, 9, 21):
        a, b = plain[(1, index)], augmented[(1, index)]
        assert a.target.maps is None
        assert a.target.bev is None
        assert torch.equal(a.image, b.image)
        assert all(
            torch.equal(x, y) for x, y in zip(leaves(a.target), leaves(b.target)[:MEMBERS], strict=True)
        )


def test_same_item_same_bits(make, augmented):
    again = make(BOTH, AugmentConfig())
    for index in (3, 14):
        first, second = leaves(augmented[(4, index)].target), leaves(again[(4, index)].target)
        assert len(first) == MEMBERS + 6 + 8
        assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize(("names", "count"), [((), 0), (("maps",), 6), (("bev",), 8), (("bev", "maps"), 14)])
def test_batches_hold_what_was_asked_for(make, names, count):
    dataset = make(sample_config(reads={"targets": ["heatmaps", *names]}, bev=BINS))
    batch = collate([dataset[0], dataset[1]])
    assert (batch.target.maps is None) == ("maps" not in names)
    assert (batch.target.bev is None) == ("bev" not in names)
    moved = to_device(batch, "meta")
    assert len(leaves(moved.target)) == MEMBERS + count
    assert all(leaf.device.type == "meta" and leaf.shape[0] == 2 for leaf in leaves(moved.target))
    if "maps" in names:
        assert batch.target.maps.region.dtype == torch.int64
        assert torch.equal(batch.target.maps.nocs[1], dataset[1].target.maps.nocs)


def test_a_bad_request_says_what_is_possible(make):
    with pytest.raises(
        ValueError, match=r"model.reads.targets names 'nocs'; expected any of heatmaps, maps, bev"
    ):
        sample_config(reads={"targets": ["nocs"]})
    with pytest.raises(
        ValueError, match=r"data.targets.maps.stride is 5, which does not divide the crop's 64 px"
    ):
        sample_config(reads={"targets": ["maps"]}, maps=MapConfig(stride=5))
    with pytest.raises(ValueError, match=r"data.targets.maps.regions is 9999, but \w+ has \d+ vertices"):
        make(sample_config(reads={"targets": ["maps"]}, maps=MapConfig(regions=9999)))
    with pytest.raises(
        ValueError, match=r"data.targets.bev.deep is not a setting; expected any of stride, bins"
    ):
        read_section(TargetConfig, "data.targets", {"bev": {"deep": 3}})
    assert read_section(TargetConfig, "data.targets", None) == TargetConfig()
    assert read_section(TargetConfig, "data.targets", {"maps": {"regions": 8}}).maps == MapConfig(regions=8)


def test_canonical_labels_are_one_pose_moved_as_a_whole(make, source):
    """Pose, keypoints and maps follow the same equivalent pose; body and image stay."""
    config = replace(BOTH, targets=replace(BOTH.targets, canonical_symmetry=True))
    plain, canonical = make(BOTH, AugmentConfig()), make(config, AugmentConfig())
    changed = 0
    for index in range(0, len(plain), 2):
        a, b = plain[(1, index)], canonical[(1, index)]
        template = source[0].templates[OBJECT_NAMES[a.object_id]]
        R, t = canonical_pose(
            template, a.target.object.R.double().numpy(), a.target.object.t.double().numpy()
        )
        assert np.abs(b.target.object.R.numpy() - R).max() < 1e-5
        assert np.abs(b.target.object.t.numpy() - t).max() < 1e-5
        assert np.abs(b.target.object.kpts.numpy() - (template.kpts @ R.T + t)).max() < 1e-5
        uv = project(b.target.object.kpts, b.K_crop) / 64 - 0.5
        assert torch.allclose(b.target.heatmaps.kpts_uvd[:, :2], uv, atol=1e-4)
        assert torch.equal(a.target.human.joints, b.target.human.joints)
        assert torch.equal(a.image, b.image)
        assert (a.target.maps.amodal != b.target.maps.amodal).float().mean() < 0.02
        changed += bool((a.target.object.R - b.target.object.R).abs().max() > 0.1)
    assert changed > 3


def test_a_truncated_object_keeps_its_camera_frame_and_loses_weight(make):
    """Keypoints beside a person crop weigh nothing; those in it still do."""
    dataset = make(sample_config(reads={"crop": "person"}))
    samples = [dataset[index] for index in range(len(dataset))]
    weights = torch.stack([sample.target.heatmaps.kpts_weight for sample in samples])
    assert 0 < weights.mean() < 1
    for sample in samples:
        pixels = project(sample.target.object.kpts, sample.K_crop)
        inside = ((pixels >= 0) & (pixels < 64)).all(dim=1)
        assert torch.equal(sample.target.heatmaps.kpts_weight > 0, inside)
        assert torch.isfinite(sample.target.heatmaps.kpts_uvd).all()


@pytest.mark.parametrize(("crop", "plane"), [("object", 4), ("person", 3)])
def test_a_crop_of_one_shows_it_in_the_middle(make, crop, plane):
    dataset = make(sample_config(reads={"crop": crop}))
    for index in range(0, len(dataset), 5):
        rows, columns = torch.nonzero(dataset[index].image[plane], as_tuple=True)
        middle = [(axis.min() + axis.max()).item() / 2 for axis in (rows, columns)]
        assert np.abs(np.array(middle) - 31.5).max() < 2.5


def test_the_frame_crop_keeps_the_intrinsics_of_the_image(make):
    sample = make(sample_config(reads={"crop": "frame"}))[1]
    K = sample.K_crop.numpy()
    assert K[0, 0] == pytest.approx((76.5 + 1) * 64 / 160, rel=0.02)
    assert not sample.image[3:, :8].any(), "above a wide image there is nothing"


def test_what_is_read_is_a_list(release_root):
    assert BehaveDataModule(release_root, reads={"targets": ["bev"]}).settings.samples.reads.targets == (
        "bev",
    )
    with pytest.raises(ValueError, match=r"model.reads.targets is 'bev'; expected a list: \[bev\]"):
        BehaveDataModule(release_root, reads={"targets": "bev"})
    with pytest.raises(ValueError, match=r"model.reads.targets names 'depth'; expected any of heatmaps"):
        BehaveDataModule(release_root, reads={"targets": ["maps", "depth"]})


def test_workers_draw_the_same_batches(augmented):
    items = [(1, index) for index in range(8)]
    here = collate([augmented[item] for item in items])  # rays were cast here before the workers fork
    loader = DataLoader(augmented, 4, sampler=items, num_workers=2, collate_fn=collate)
    batches = [leaves(batch.target) for batch in loader]
    joined = [torch.cat(pair) for pair in zip(*batches, strict=True)]
    assert all(torch.equal(a, b) for a, b in zip(leaves(here.target), joined, strict=True))
