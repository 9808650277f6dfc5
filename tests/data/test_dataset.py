"""From files to samples: right pixels, right targets, same bits every time, broken files reported."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from data_samples import differing, make_dataset, sample_config

from rhobin.body.load import load_bodies
from rhobin.data.augment.draw import AugmentConfig
from rhobin.data.images.framing import frame_crop
from rhobin.data.images.outline import outline_view, warp_view
from rhobin.data.images.source import read_source
from rhobin.data.reads import CropReads
from rhobin.data.settings import ViewConfig
from rhobin.data.shared import ViewCache, shared_array
from rhobin.data.targets.heatmaps import HeatmapConfig, heatmap_coordinates
from rhobin.geometry.camera import crop_matrix


@pytest.fixture(scope="module")
def plain(release_root):
    return make_dataset(release_root)


@pytest.fixture(scope="module")
def augmented(release_root):
    return make_dataset(release_root, augment=AugmentConfig())


def same(a, b):
    return a.key == b.key and not differing(a, b)


def outline_iou(points, K, mask):
    drawn = np.zeros(mask.shape, np.uint8)
    pixels = points @ K.T
    hull = cv2.convexHull(np.round(pixels[:, :2] / pixels[:, 2:] * 16).astype(np.int32))
    cv2.fillConvexPoly(drawn, hull, 1, shift=4)
    return (mask & (drawn > 0)).sum() / (mask | (drawn > 0)).sum()


@pytest.mark.parametrize("kind", ["plain", "augmented"])
def test_projected_object_covers_its_mask(kind, request):
    """Image, K_crop and targets agree, with and without roll and scaling, in all four views."""
    dataset = request.getfixturevalue(kind)
    found = []
    for index in range(len(dataset)):
        sample = dataset[(5, index)]
        name = sample.key.sequence.split("_")[2]
        verts = dataset.release.templates[name].verts @ sample.target.object.R.numpy().T
        mask = sample.image[4].numpy() > 0
        found.append(outline_iou(verts + sample.target.object.t.numpy(), sample.K_crop.numpy(), mask))
    assert np.min(found) > 0.8  # silhouettes of 15 to 40 pixels
    assert np.mean(found) > 0.9


def test_targets_of_an_augmented_sample_are_one_rotation_of_the_plain_ones(plain, augmented):
    rolled = 0
    bodies = load_bodies()
    for index in range(0, len(plain), 3):
        a, b = plain[index].target, augmented[(1, index)].target
        Q = b.object.R @ a.object.R.T
        rolled += bool((Q - torch.eye(3)).abs().max() > 1e-3)
        for mine, theirs in ((b.human.joints, a.human.joints), (b.object.kpts, a.object.kpts)):
            assert torch.allclose(mine, theirs @ Q.T, atol=1e-5)
        assert torch.allclose(b.object.t, Q @ a.object.t, atol=1e-5)
        assert torch.allclose(b.human.theta[0], Q @ a.human.theta[0], atol=1e-5)
        assert torch.equal(b.human.theta[1:], a.human.theta[1:])
        gender, person = torch.tensor([augmented[index].gender]), b.human
        body = bodies.kinematics(person.theta[None], person.beta[None], person.trans[None], gender)
        assert torch.allclose(bodies.joints29(body, person.beta[None], gender)[0], person.joints, atol=1e-5)
    assert rolled > 2


def test_heatmap_coordinates(augmented):
    for index in range(0, len(augmented), 5):
        sample = augmented[(2, index)]
        target = sample.target
        for points, uvd, weight in (
            (target.human.joints, target.heatmaps.joints_uvd, target.heatmaps.joints_weight),
            (target.object.kpts, target.heatmaps.kpts_uvd, target.heatmaps.kpts_weight),
        ):
            pixels = points @ sample.K_crop.T
            assert torch.allclose(uvd[:, :2], pixels[:, :2] / pixels[:, 2:] / 64 - 0.5, atol=1e-5)
            assert torch.allclose(uvd[:, 2], (points[:, 2] - target.human.joints[0, 2]) / 4.4, atol=1e-6)
            assert torch.equal(weight, ((uvd >= -0.5) & (uvd < 0.5)).all(1).float())


def test_points_outside_the_crop_or_behind_the_camera_weigh_nothing():
    points = np.array([[0, 0, 2.0], [9, 0, 2.0], [0, 0, -1.0], [0, 0, 5.0]])
    K = np.array([[60.0, 0, 32], [0, 60, 32], [0, 0, 1]])
    uvd, weight = heatmap_coordinates(points, 2.0, K, 4.4, 64)
    assert weight.tolist() == [True, False, False, False]
    assert np.isfinite(uvd).all()


def test_image_planes(plain):
    """A crop of the full image by hand gives the same planes."""
    sample = plain[7]
    color, person, obj = (cv2.imread(str(f)) for f in plain.release.view_files(7))
    context = plain.view(7)
    matrix = crop_matrix(context.centre, context.side, 64)
    by_hand = cv2.warpPerspective(color, matrix, (64, 64))
    assert sample.image.dtype == torch.uint8
    # the sample comes from an image that was decoded at a reduced size first
    assert np.abs(sample.image[:3].numpy().transpose(1, 2, 0) - by_hand[..., ::-1].astype(int)).mean() < 6
    for plane, file in ((3, person), (4, obj)):
        mask = cv2.warpPerspective(file[..., 0], matrix, (64, 64)) > 127
        assert set(np.unique(sample.image[plane])) == {0, 255}
        assert (mask != (sample.image[plane].numpy() > 0)).mean() < 0.02


def test_zero_background_blackens_what_no_mask_covers(release_root):
    sample = make_dataset(release_root, sample_config(background="zero"))[3]
    outside = (sample.image[3] | sample.image[4]) == 0
    assert outside.any()
    assert not sample.image[:3, outside].any()
    assert sample.image[:3, ~outside].float().mean() > 6


@pytest.mark.parametrize(("output", "scale"), [(192, 1), (96, 1 / 2), (48, 1 / 4), (110, 0.714), (64, 0.414)])
def test_reduced_decoding_keeps_places(tmp_path, output, scale):
    """A spot lands on the same output pixel whatever the size it was decoded at."""
    rows, columns = np.indices((240, 320))
    spot = 255 * np.exp(-((columns - 171.3) ** 2 + (rows - 96.7) ** 2) / (2 * 9.0**2))
    mask = np.zeros((240, 320), np.uint8)
    mask[20:212, 60:252] = 255
    files = tuple(tmp_path / f"{name}.png" for name in ("color", "person", "object"))
    cv2.imwrite(str(files[0]), np.repeat(spot[..., None], 3, 2).round().astype(np.uint8))
    for file in files[1:]:
        cv2.imwrite(str(file), mask)
    source = read_source(files)
    framing = frame_crop(source.boxes, CropReads("union", 1.0, output), source.size, 1.0)
    context = outline_view(source, framing, output).decode()
    assert np.isclose(context.color.from_image[0, 0], scale, rtol=0.01)
    matrix = crop_matrix(context.centre, context.side, output)
    color, person, _ = warp_view(context, matrix, output)
    weight = color[..., 0].astype(float)
    r, c = np.indices(weight.shape)
    found = np.array([(c * weight).sum(), (r * weight).sum()]) / weight.sum()
    assert np.abs(found - (matrix @ [171.3, 96.7, 1])[:2]).max() < 0.1
    assert person.all()


def test_same_item_same_bits(release_root, augmented):
    again = make_dataset(release_root, augment=AugmentConfig())
    assert same(augmented[(4, 9)], again[(4, 9)])
    assert not torch.equal(augmented[(4, 9)].image, augmented[(5, 9)].image)
    assert same(augmented[(0, 9)], augmented[9])


def test_cache_changes_nothing_and_stays_within_its_budget(release_root, augmented):
    cached = make_dataset(release_root, augment=AugmentConfig(), cache_mb=1)
    for epoch in (0, 1, 2):
        for index in range(len(cached)):
            assert same(cached[(epoch, index)], augmented[(epoch, index)])
    kept = int(cached.decoded.cache.ready.sum())
    assert 5 < kept < len(cached)  # 1 MB does not hold all 32 views
    assert cached.decoded.cache.used[0] <= 2**20
    cached.release = replace(cached.release, root=Path("gone"))  # a cached view needs no file
    first = int(np.flatnonzero(cached.decoded.cache.ready)[0])
    assert same(cached[(1, first)], augmented[(1, first)])


def test_resized_images_get_resized_intrinsics(own_root, plain):
    small, large = make_dataset(own_root), plain
    for file in small.release.view_files(2):
        image = cv2.imread(str(file))
        cv2.imwrite(str(file), cv2.resize(image, (80, 60), interpolation=cv2.INTER_AREA))
    a, b = small[2].K_crop, large[2].K_crop
    assert torch.allclose(a, b, rtol=0.05)
    assert torch.allclose(small[2].target.human.joints, large[2].target.human.joints)


def test_index_and_settings_are_checked(plain):
    with pytest.raises(IndexError):
        plain[len(plain)]
    with pytest.raises(
        ValueError, match=r"model.reads.crop names 'square'; expected any of union, window, object"
    ):
        sample_config(reads={"crop": "square"})
    with pytest.raises(ValueError, match=r"depth_range is 0; expected more than 0 metres"):
        HeatmapConfig(0)
    with pytest.raises(ValueError, match="must be positive"):
        sample_config(input_size=0)
    with pytest.raises(ValueError, match=r"data.view.background is 'blue'; expected one of keep, zero"):
        ViewConfig(background="blue")


def test_shared_arrays_start_filled():
    assert shared_array((2, 3), np.int64, -1).tolist() == [[-1] * 3] * 2
    assert not shared_array(4, np.uint8).any()


def test_a_pickled_cache_starts_empty_and_can_be_filled(plain):
    """What spawned workers get."""
    cache = ViewCache(3, 1)
    cache.put(1, plain.view(1))
    kept, original = cache.get(1), plain.view(1)
    for mine, theirs in zip((kept.color, *kept.masks), (original.color, *original.masks), strict=True):
        assert np.array_equal(mine.pixels, theirs.pixels)
        assert np.array_equal(mine.from_image, theirs.from_image)
    assert (kept.side, kept.size) == (original.side, original.size)
    make, arguments = cache.__reduce__()
    fresh = make(*arguments)
    assert fresh.get(1) is None
    fresh.put(1, original)
    assert np.array_equal(fresh.get(1).color.pixels, original.color.pixels)
