"""Several crops of one view in one sample: one camera, one roll, each crop its own square."""

import cv2
import numpy as np
import pytest
import torch
from data_samples import differing, merged, sample_config, truth_of

from rhobin.behave.read import read_release
from rhobin.data.augment.draw import AugmentConfig
from rhobin.data.collate import collate
from rhobin.data.datamodule import BehaveDataModule
from rhobin.data.dataset import BehaveDataset
from rhobin.data.images.crops import crop_square
from rhobin.data.images.source import read_source
from rhobin.geometry.camera import project

SPOT = 1.2  # pixels; seen aslant, a wide spot's centroid is not where its middle is
FURTHER = {
    "person": {"crop": "person", "input_size": 96, "targets": ["heatmaps", "bev"]},
    "object": {"crop": "object", "expand": 2.0, "input_size": 48, "targets": ["maps"]},
}
READS = {"crop": "frame", "targets": ["bev"], "further": FURTHER}
TURNED = AugmentConfig(scale=0.2, rotation_deg=40.0, rotation_p=1.0, colour=0.0)


MOVED = AugmentConfig(scale=0.2, rotation_deg=40.0, rotation_p=1.0, colour=0.0, shift=0.25, truncate_p=0.5)


def make(root, augment=None, **view):
    release = read_release(root, "train")
    config = sample_config(128, reads=READS, **view)
    return BehaveDataset(release, truth_of(release), np.arange(32), config, augment, seed=3)


@pytest.fixture(scope="module")
def turned(release_root):
    return make(release_root, TURNED)


def crops(sample):
    """Image and intrinsics of every crop of a sample."""
    return [(sample.image, sample.K_crop), *((crop.image, crop.K) for crop in sample.further.values())]


def draw_spots(dataset, joint):
    """Replace every colour image by a soft spot at a joint."""
    for view in range(len(dataset.views)):
        camera = dataset.release.cameras[dataset.release.views.camera[view]]
        u, v = project(dataset.targets.joints[view, joint][None].astype(float), camera.K)[0]
        rows, columns = np.indices((camera.height, camera.width))
        spot = 255 * np.exp(-((columns - u) ** 2 + (rows - v) ** 2) / (2 * SPOT**2))
        image = np.repeat(spot[..., None], 3, axis=2).round().astype(np.uint8)
        cv2.imwrite(str(dataset.release.view_files(view)[0]), image, [cv2.IMWRITE_JPEG_QUALITY, 100])


def spot_of(image):
    """Centroid of the brightness, (u, v)."""
    weight = image[0].double().numpy()
    rows, columns = np.indices(weight.shape)
    return np.array([(columns * weight).sum(), (rows * weight).sum()]) / weight.sum()


@pytest.mark.parametrize("ray", ["ignore", "turn"])
@pytest.mark.parametrize("augment", [None, TURNED, MOVED])
def test_a_joint_projects_into_every_crop_where_its_image_shows_it(own_root, augment, ray):
    joint, seen = 3, np.zeros(3, int)
    dataset = make(own_root, augment, ray=ray)
    draw_spots(dataset, joint)
    for index in range(0, 32, 3):
        sample = dataset[(2, index)]
        point = sample.target.human.joints[joint][None].double().numpy()
        for number, (image, K) in enumerate(crops(sample)):
            expected, size = project(point, K.double().numpy())[0], image.shape[-1]
            border = 4 * SPOT * K[0, 0].item() / 76
            if border < min(*expected, *(size - 1 - expected)):
                assert np.abs(spot_of(image) - expected).max() < 0.3
                seen[number] += 1
    assert (seen[:2] > 8).all()
    assert seen[2] > 1


def test_a_further_crop_stays_about_its_own_masks(release_root, turned):
    """The ray through the middle of their box, rolled as the targets were, is the middle of the crop."""
    plain, moved = make(release_root), []
    for index in range(0, 32, 3):
        a, b, outlines = plain[index], turned[(2, index)], turned.decoded.outlines(index)
        Q = (b.target.object.R @ a.target.object.R.T).double().numpy()
        K = turned.decoded.intrinsics(index, outlines[0].size)
        for outline, crop in zip(outlines[1:], b.further.values(), strict=True):
            ray = np.linalg.inv(K) @ [*outline.centre, 1]
            middle = (crop.image.shape[-1] - 1) / 2
            assert np.abs(project((Q @ ray)[None], crop.K.double().numpy())[0] - middle).max() < 0.02
            moved.append(np.abs(project(ray[None], crop.K.double().numpy())[0] - middle).max())
    assert np.median(moved) > 1


def test_plain_further_crops_are_the_squares_of_their_masks(release_root):
    dataset, alone = make(release_root), make_alone(release_root)
    for index in range(0, 32, 5):
        sample = dataset[index]
        source = read_source(dataset.release.view_files(index))
        K = dataset.decoded.intrinsics(index, source.size)
        for name, reads in FURTHER.items():
            centre, side = crop_square(source.boxes, reads["crop"], reads.get("expand"), source.size)
            shown = sample.further[name].K.double().numpy() @ np.linalg.inv(K)
            middle = (reads["input_size"] - 1) / 2
            assert np.allclose(shown @ [*centre, 1], [middle, middle, 1], atol=1e-3)
            assert shown[0, 0] == pytest.approx(reads["input_size"] / side, rel=1e-5)
        assert torch.equal(sample.K_crop, alone[index].K_crop)


def make_alone(root):
    release = read_release(root, "train")
    return BehaveDataset(
        release, truth_of(release), np.arange(32), sample_config(128, reads={"crop": "frame"})
    )


def test_all_crops_grow_by_the_same_factor(release_root, turned):
    plain = make(release_root)
    for index in range(0, 32, 4):
        pairs = zip(crops(plain[index]), crops(turned[(1, index)]), strict=True)
        factors = [(a[0, 0] / b[0, 0]).item() for (_, a), (_, b) in pairs]
        assert factors[1:] == pytest.approx(factors[:1] * 2, rel=1e-4)


def test_each_crop_has_the_targets_it_asked_for(turned):
    sample = turned[(1, 6)]
    person, obj = sample.further["person"], sample.further["object"]
    assert sample.target.heatmaps is sample.target.maps is person.maps is obj.heatmaps is obj.bev is None
    assert sample.target.bev.row.shape == (32,)
    assert person.bev.row.shape == (24,)
    assert obj.maps.region.shape == (12, 12)
    uv = project(sample.target.human.joints[None], person.K[None])[0] / 96 - 0.5
    assert torch.allclose(person.heatmaps.joints_uvd[:, :2], uv, atol=1e-4)
    alone = torch.nonzero(obj.maps.amodal)
    assert len(alone) > 4
    assert (obj.image[4] > 0).any()


def test_colours_change_alike(own_root):
    dataset = make(own_root, AugmentConfig(scale=0.0, rotation_p=0.0, colour=0.5))
    for view in range(8):
        cv2.imwrite(str(dataset.release.view_files(view)[0]), np.full((120, 160, 3), 120, np.uint8))
    for index in range(8):
        images = [image for image, _ in crops(dataset[index])]
        middles = [image[:3, image.shape[1] // 2, image.shape[2] // 2] for image in images]
        assert all((middle - middles[0].int()).abs().max() <= 1 for middle in middles)
    assert len({tuple(dataset[index].image[:3, 64, 64].tolist()) for index in range(8)}) > 4


def test_batches_stack_them_for_any_workers_and_cache(release_root):
    options = {"view": {"input_size": 128}, "reads": READS, "batch_size": 4, "validation": {"fraction": 0}}
    made = []
    for workers, kind in ((0, "none"), (2, "none"), (2, "ram"), (0, "ram")):
        datamodule = BehaveDataModule(
            release_root,
            **merged({}, options),
            augment={"occluder": {"p": 0.5}},
            workers=workers,
            cache={"kind": kind},
        )
        datamodule.setup()
        loader = datamodule.train_dataloader()
        made.append([batch for _ in range(2) for batch in loader])
        if kind == "ram":
            assert datamodule.train_dataset.decoded.cache.ready.sum() == 3 * 32
    assert made[0][0].further["person"].image.shape == (4, 5, 96, 96)
    assert made[0][0].further["object"].maps.region.shape == (4, 12, 12)
    assert made[0][0].to("meta").further["object"].K.device.type == "meta"
    for batches in made[1:]:
        for a, b in zip(batches, made[0], strict=True):
            assert a.keys == b.keys
            assert not differing(a, b)


def test_a_sample_without_further_crops_has_none(release_root):
    assert collate([make_alone(release_root)[0]]).further == {}


def test_settings_are_checked(release_root):
    with pytest.raises(ValueError, match=r"further.near.size is not a setting; expected any of crop"):
        sample_config(reads={"further": {"near": {"size": 3}}})
    with pytest.raises(ValueError, match=r"maps.stride is 4, which does not divide the crop's 50 px"):
        sample_config(reads={"further": {"near": {"input_size": 50, "targets": ["maps"]}}})
    with pytest.raises(ValueError, match=r"model.reads.planes is \['person', 'color'\]; expected color"):
        sample_config(reads={"planes": ["person", "color"]})
    with pytest.raises(ValueError, match=r"model.reads.parts names 'body'; expected any of human, object"):
        sample_config(reads={"parts": ["body"]})
