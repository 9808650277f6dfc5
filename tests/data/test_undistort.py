"""Images without their lens: marks drawn where the lens puts them come out where a pinhole does."""

import cv2
import numpy as np
import pytest

from rhobin.data.images import Context
from rhobin.data.undistort import undistort_context
from rhobin.geometry.camera import project
from rhobin.geometry.distortion import project_distorted

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
    masks = np.stack([np.where(drawn > 127, 255, 0)] * 2).astype(np.uint8)
    context = Context(color, masks, from_image, seen[0], 200.0, SIZE)
    found = undistort_context(context, K, KINECT)
    for expected in pinhole * scale + (scale - 1) / 2:
        assert np.abs(middle(found.color[..., 0], expected) - expected).max() < 0.06
        assert np.abs(middle(found.masks[1], expected) - expected).max() < 0.5
    assert set(np.unique(found.masks)) == {0, 255}
    assert np.abs(found.centre - pinhole[0]).max() < 1e-6
    assert (found.side, found.size) == (context.side, context.size)


def test_the_whole_image_agrees_with_opencv():
    rng = np.random.default_rng(0)
    color = cv2.resize(rng.integers(0, 255, (48, 64, 3), dtype=np.uint8), SIZE, interpolation=cv2.INTER_CUBIC)
    context = Context(color, np.zeros((2, *SIZE[::-1]), np.uint8), np.eye(3), np.zeros(2), 10.0, SIZE)
    expected = cv2.undistort(color, K, KINECT)
    gap = np.abs(undistort_context(context, K, KINECT).color.astype(int) - expected)
    assert gap.max() <= 5  # OpenCV samples at 32nds of a pixel
    assert gap.mean() < 0.4 < np.abs(color.astype(int) - expected).mean()
