"""Images without their lens: marks drawn where the lens puts them come out where a pinhole does."""

import json
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from data_samples import sample_config, truth_of

from rhobin.behave.read import read_release
from rhobin.data.datamodule import BehaveDataModule
from rhobin.data.dataset import BehaveDataset
from rhobin.data.images.outline import DecodedView
from rhobin.data.images.patch import Patch
from rhobin.data.images.undistort import undistort_outline, undistort_patch
from rhobin.data.prepare.build import plan, prepare
from rhobin.data.prepare.recipe import Recipe
from rhobin.data.splits import available_splits
from rhobin.geometry.camera import project
from rhobin.geometry.distortion import project_distorted
from rhobin.objects.names import OBJECT_NAMES

KINECT = np.array([0.722746, -2.885590, 0.000783, -0.000143, 1.632723, 0.602199, -2.719626, 1.565053])
K = np.array([[245.0, 0, 254.7], [0, 245, 194.9], [0, 0, 1]])
SIZE = (512, 384)


def spots(points, size):
    """An image with a soft spot at each pixel, and which pixel that is."""
    rows, columns = np.indices(size[::-1])
    image = np.zeros(size[::-1])
    for u, v in points:
        image += 255 * np.exp(-((columns - u) ** 2 + (rows - v) ** 2) / (2 * 4.0**2))
    return image


def middle(image, near, radius=10):
    """Centroid of the brightness around a pixel."""
    u, v = np.round(near).astype(int)
    window = image[v - radius : v + radius + 1, u - radius : u + radius + 1].astype(float)
    r, c = np.indices(window.shape)
    return np.array([(c * window).sum(), (r * window).sum()]) / window.sum() + (u - radius, v - radius)


@pytest.mark.parametrize("scale", [1.0, 0.5])
def test_marks_come_out_where_a_pinhole_puts_them(scale):
    x, y = np.meshgrid([-0.9, -0.45, 0.0, 0.45, 0.9], [-0.65, 0.0, 0.65])
    points = np.stack([x.ravel(), y.ravel(), np.ones(15)], axis=1)
    seen, pinhole = project_distorted(points, K, KINECT), project(points, K)
    assert np.abs(seen - pinhole).max() > 1.2
    from_image = np.diag([scale, scale, 1])
    from_image[:2, 2] = (scale - 1) / 2
    drawn = spots(seen * scale + (scale - 1) / 2, (int(SIZE[0] * scale), int(SIZE[1] * scale)))
    color = np.repeat(drawn[..., None], 3, 2).round().astype(np.uint8)
    mask = Patch(np.where(drawn > 127, np.uint8(255), np.uint8(0)), from_image)
    context = DecodedView(Patch(color, from_image), (mask, mask), seen[0], 200.0, SIZE)
    found = replace(undistort_outline(context, K, KINECT), color=undistort_patch(context.color, K, KINECT))
    for expected in pinhole * scale + (scale - 1) / 2:
        at = found.color.from_image[:2, 2] - from_image[:2, 2] + expected
        assert np.abs(middle(found.color.pixels[..., 0], at) - at).max() < 0.06
        assert np.abs(middle(found.masks_on_color()[1], at) - at).max() < 0.5
    assert np.abs(found.centre - pinhole[0]).max() < 1e-6
    assert (found.side, found.size) == (context.side, context.size)


def test_the_whole_image_agrees_with_opencv():
    rng = np.random.default_rng(0)
    color = cv2.resize(rng.integers(0, 255, (48, 64, 3), dtype=np.uint8), SIZE, interpolation=cv2.INTER_CUBIC)
    expected = cv2.undistort(color, K, KINECT)
    found = undistort_patch(Patch(color, np.eye(3)), K, KINECT)
    x, y = found.from_image[:2, 2].astype(int)
    gap = np.abs(found.pixels[y : y + SIZE[1], x : x + SIZE[0]].astype(int) - expected)
    assert gap.max() <= 5  # OpenCV samples at 32nds of a pixel
    assert gap.mean() < 0.4 < np.abs(color.astype(int) - expected).mean()


PINCUSHION = np.array([3.0, 0.0, 0.02, -0.03, 0.0, 0.0, 0.0, 0.0])


@pytest.fixture
def seen_through_lenses(own_root):
    """A tree whose calibration tells a strong lens, and whose object masks were drawn through it."""
    for path in (own_root / "calibs/intrinsics").glob("*/calibration.json"):
        content = json.loads(path.read_text())
        content["color"]["opencv"][4:] = PINCUSHION.tolist()
        path.write_text(json.dumps(content))
    release = read_release(own_root, "train")
    targets = truth_of(release)
    for view, frame in enumerate(release.views.frame):
        camera = release.cameras[release.views.camera[view]]
        verts = release.templates[OBJECT_NAMES[release.frames.object_id[frame]]].verts
        points = verts @ targets.obj_R[view].T + targets.obj_t[view]
        outline = np.zeros((camera.height, camera.width), np.uint8)
        pixels = project_distorted(points.astype(float), camera.K, camera.distortion)
        cv2.fillConvexPoly(outline, cv2.convexHull(np.round(pixels).astype(np.int32)), 255)
        cv2.imwrite(str(release.view_files(view)[2]), outline, [cv2.IMWRITE_JPEG_QUALITY, 98])
    return release, targets


def mean_overlap(release, targets, distortion):
    """How well objects projected by the pinhole cover their masks."""
    views = np.arange(len(release.views.frame))
    config = sample_config(96, distortion=distortion, on_bad_sample="skip")
    dataset, found = BehaveDataset(release, targets, views, config), []
    for index in range(0, len(dataset), 3):
        sample = dataset[index]
        verts = release.templates[sample.key.sequence.split("_")[2]].verts
        points = verts @ sample.target.object.R.numpy().T + sample.target.object.t.numpy()
        pixels = project(points, sample.K_crop.numpy().astype(float))
        drawn = np.zeros((96, 96), np.uint8)
        cv2.fillConvexPoly(drawn, cv2.convexHull(np.round(pixels * 16).astype(np.int32)), 1, shift=4)
        mask = sample.image[4].numpy() > 0
        found.append((mask & (drawn > 0)).sum() / (mask | (drawn > 0)).sum())
    return np.mean(found)


def test_targets_project_onto_undistorted_images(seen_through_lenses):
    release, targets = seen_through_lenses
    assert np.array_equal(release.cameras[0].distortion, PINCUSHION)
    ignored, applied = (mean_overlap(release, targets, how) for how in ("ignore", "apply"))
    assert applied > 0.9
    assert ignored < applied - 0.03


def test_a_prepared_root_knows_its_lenses(seen_through_lenses, tmp_path):
    release, targets = seen_through_lenses
    out = tmp_path / "out"
    prepare(plan(list(available_splits(release.root).releases.values()), out, Recipe()))
    stored = available_splits(out).releases["train"]
    config, views = sample_config(distortion="apply"), np.array([0, 5, 10])
    raw, kept = (BehaveDataset(r, targets, views, config) for r in (release, stored))
    for index in range(3):
        a, b = raw[index].image, kept[index].image
        assert torch.equal(a[3:], b[3:])
        # this lens turns more into the crop than a raw view decodes
        reached = cv2.erode((a[:3].max(dim=0).values > 0).byte().numpy(), np.ones((5, 5))) > 0
        reached = torch.from_numpy(reached)
        assert reached.float().mean() > 0.4
        assert (a[:3, reached].float() - b[:3, reached].float()).abs().mean() < 6


def test_without_lenses_nothing_changes(release_root):
    release = read_release(release_root, "train")
    targets = truth_of(release)
    a, b = (
        BehaveDataset(release, targets, np.arange(8), sample_config(distortion=how))[3].image
        for how in ("ignore", "apply")
    )
    assert torch.equal(a, b)
    with pytest.raises(ValueError, match=r"data.view.distortion is 'maybe'; expected one of ignore, apply"):
        sample_config(distortion="maybe")
    with pytest.raises(ValueError, match=r"data.view.distortion is 'maybe'"):
        BehaveDataModule(release_root, view={"distortion": "maybe"})
