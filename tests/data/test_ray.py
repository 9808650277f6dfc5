"""Ray correction: a person at the image's border makes the sample that it makes at the centre."""

import numpy as np
import pytest
import torch
from data_samples import differing, sample_config, tensors, truth_of
from prepared_roots import compare, make, make_prepared
from turned_scene import SIZE, K, write_scene

from rhobin.behave.read import read_release
from rhobin.data.augment.draw import Augmentation, AugmentConfig, move_crop
from rhobin.data.dataset import BehaveDataset
from rhobin.data.images.framing import map_pixels, mask_outline, overlap, turned_homography
from rhobin.geometry.camera import look_along, project

READS = {
    "targets": ["heatmaps", "bev"],
    "further": {"object": {"crop": "object", "input_size": 64, "targets": ["maps"]}},
}
BORDER = np.array([382.0, 215.0])  # 27.5 degrees from the axis
MOVES = AugmentConfig(scale=0.1, rotation_deg=30, rotation_p=1.0, colour=0.0, shift=0.2, truncate_p=1.0)


def dataset_of(root, ray, augment=None, crop="union"):
    release = read_release(root, "train")
    config = sample_config(96, reads={**READS, "crop": crop}, ray=ray)
    return BehaveDataset(release, truth_of(release), np.arange(4), config, augment, seed=2)


@pytest.fixture(scope="module")
def centred(tmp_path_factory):
    return write_scene(tmp_path_factory.mktemp("centred"))


@pytest.fixture(scope="module")
def at_border(centred, tmp_path_factory):
    """The scene turned so that the turned camera sees the one of `centred`."""
    turn = dataset_of(centred, "turn")[1].turn.double().numpy()
    return write_scene(tmp_path_factory.mktemp("border"), look_along(BORDER, K).T @ turn)


def masks_overlap(a, b):
    both, either = (a[3:] & b[3:]) > 0, (a[3:] | b[3:]) > 0
    return (both.sum((1, 2)) / either.sum((1, 2))).min().item()


@pytest.mark.parametrize("crop", ["union", "window"])
def test_a_person_at_the_border_looks_like_one_at_the_centre(centred, at_border, crop):
    middle, border = (dataset_of(root, "turn", crop=crop)[1] for root in (centred, at_border))
    assert (border.turn - middle.turn).abs().max() > 0.3
    for a, b in ((middle, border), (middle.further["object"], border.further["object"])):
        seen = b.image[:3].amax(0) > 40  # beyond the image's border there is nothing
        assert seen.float().mean() > 0.7
        assert (a.image[:3, seen].float() - b.image[:3, seen].float()).abs().mean() < 4
        assert masks_overlap(a.image * seen, b.image * seen) > 0.94
    assert torch.allclose(middle.K_crop, border.K_crop, rtol=0.015, atol=1.0)
    assert torch.allclose(middle.window, border.window, rtol=0.03)
    same = tensors(border.target)
    for name, value in tensors(middle.target).items():
        if name.startswith(("human", "object")) or name.endswith("uvd"):
            assert (value - same[name]).abs().max() < (0.02 if name.endswith("uvd") else 0.005), name


def test_without_ray_correction_it_does_not(centred, at_border):
    middle, border = (dataset_of(root, "ignore")[1] for root in (centred, at_border))
    assert torch.equal(border.turn, torch.eye(3))
    assert masks_overlap(middle.image, border.image) < 0.9
    turned = middle.target.human.theta[0].T @ border.target.human.theta[0]
    assert np.rad2deg(np.arccos((turned.trace() - 1) / 2)) > 20


@pytest.mark.parametrize("ray", ["ignore", "turn"])
def test_turn_tells_where_the_camera_went(at_border, ray):
    """X_crop = turn X_view, whatever rolled or turned it."""
    for augment in (None, MOVES):
        dataset = dataset_of(at_border, ray, augment)
        sample, truth = dataset[1], dataset.targets
        turn = sample.turn
        assert torch.allclose(turn @ turn.T, torch.eye(3), atol=1e-6)
        joints = torch.from_numpy(truth.joints[1]) @ turn.T
        assert torch.allclose(sample.target.human.joints, joints, atol=1e-5)
        assert torch.allclose(sample.target.object.t, turn @ torch.from_numpy(truth.obj_t[1]), atol=1e-5)
        if ray == "turn":
            middle = torch.tensor([47.5, 47.5])  # the axis goes through the crop's centre
            assert torch.allclose(sample.K_crop[:2, 2], middle, atol=1e-3)
        elif augment is None:
            assert torch.equal(turn, torch.eye(3))


def test_a_prepared_root_gives_the_same_samples(release_root, tmp_path):
    out = make_prepared(release_root, tmp_path / "out")
    changes = {"view": {"ray": "turn"}, "reads": {"targets": ["heatmaps"]}, "augment": {}}
    raw, stored = make(release_root, **changes), make(out, **changes)
    mean, _, overlap_of_masks = compare(raw.train_dataloader(), stored.train_dataloader())
    assert mean < 3.5
    assert overlap_of_masks == 1
    small = make_prepared(release_root, tmp_path / "small", margin=1.1)
    with pytest.raises(ValueError, match=r"was prepared with --margin 1.1.*Prepare again with --margin"):
        make(small, **changes)


def test_a_cache_gives_the_same_samples(release_root):
    kept, fresh = (
        make(release_root, view={"ray": "turn"}, cache={"kind": kind}).train_dataset
        for kind in ("ram", "none")
    )
    for index in range(0, 12, 3):
        kept[(0, index)]  # fills the cache
        assert not differing(kept[(1, index)], fresh[(1, index)])


def test_unknown_names_are_refused():
    with pytest.raises(ValueError, match=r"data.view.ray is 'on'; expected one of ignore, turn"):
        sample_config(ray="on")


def test_look_along_is_the_smallest_rotation_to_the_axis():
    rng = np.random.default_rng(0)
    for _ in range(20):
        pixel = rng.uniform((0, 0), SIZE)
        Q, ray = look_along(pixel, K), np.linalg.solve(K, [*pixel, 1.0])
        assert np.allclose(Q @ ray / np.linalg.norm(ray), [0, 0, 1])
        assert np.allclose(Q @ Q.T, np.eye(3))
        angle = np.arccos((np.trace(Q) - 1) / 2)
        assert angle == pytest.approx(np.arccos(ray[2] / np.linalg.norm(ray)))
    assert np.array_equal(look_along(K[:2, 2], K), np.eye(3))


def test_overlap_is_what_an_image_shows():
    """Compared with asking every pixel."""
    rng, (width, height) = np.random.default_rng(1), SIZE
    corners = np.array([[0.0, 0], [width, 0], [width, height], [0, height]]) - 0.5
    columns, rows = np.meshgrid(np.arange(width), np.arange(height))
    pixels = np.stack([columns, rows], -1).reshape(-1, 2).astype(float)
    for _ in range(8):
        to_view = turned_homography(rng.uniform((0, 0), SIZE), K)
        moved = np.column_stack([pixels, np.ones(len(pixels))]) @ to_view.T
        places = moved[:, :2] / moved[:, 2:]
        inside = (moved[:, 2] > 0) & (places > -0.5).all(1) & (places < np.array(SIZE) - 0.5).all(1)
        part = overlap(corners, to_view, SIZE)
        x, y = part.T
        area = abs((x * np.roll(y, -1) - y * np.roll(x, -1)).sum()) / 2
        assert area == pytest.approx(inside.sum(), rel=0.01)
        assert np.allclose(part.min(0), pixels[inside].min(0) - 0.5, atol=1.5)
    assert not len(overlap(corners, np.array([[1.0, 0, 9999], [0, 1, 0], [0, 0, 1]]), SIZE))


def test_mask_outlines_hold_every_pixel():
    rng = np.random.default_rng(2)
    part = (rng.random((40, 30)) > 0.98).astype(np.uint8) * 255
    rows, columns = np.nonzero(part)
    outline = mask_outline(part, np.array([100.0, 50, 30, 40]))
    assert outline[:, 0].min() == 100 + columns.min() - 0.5
    assert outline[:, 0].max() == 100 + columns.max() + 0.5
    assert outline[:, 1].min() == 50 + rows.min() - 0.5
    assert mask_outline(np.zeros((0, 0), np.uint8), np.zeros(4)).shape == (0, 2)


def test_moves_are_measured_as_the_turned_camera_sees_them(at_border):
    view = dataset_of(at_border, "turn").view(1)
    to_view = turned_homography(view.centre, K)
    moved = move_crop(Augmentation(shift=(0.2, 0.0)), view, "union", 0.3, to_view)
    step = map_pixels(moved, to_view) - map_pixels(view.centre, to_view)
    points = np.concatenate([np.argwhere(m.pixels > 127)[:, ::-1] @ m.to_image[:2, :2].T + m.to_image[:2, 2]
                             for m in view.masks])  # fmt: skip
    assert step[0] == pytest.approx(0.2 * np.ptp(map_pixels(points, to_view), axis=0)[0], rel=1e-6)
    assert step[1] == pytest.approx(0, abs=1e-9)
    assert project(np.array([[0.0, 0, 1]]), K)[0] == pytest.approx(map_pixels(view.centre, to_view))
