"""Masks and colour that are warped from patches, beside warps of the whole image."""

import cv2
import numpy as np
import pytest

from rhobin.data.images.crops import mask_box
from rhobin.data.images.patch import Patch, reduce_mask, resize_map, warp_color, warp_mask

WIDTH, HEIGHT = 333, 250


def blob():
    """A mask with a ragged outline that touches the right border."""
    noise = np.random.default_rng(1).random((HEIGHT // 10, WIDTH // 9)).astype(np.float32)
    mask = cv2.resize(noise, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC) > 0.5
    mask[:61] = mask[190:] = mask[:, :87] = False
    return np.where(mask, np.uint8(255), np.uint8(0))


def inside(mask):
    box = mask_box(mask)
    x, y, w, h = box.astype(int)
    return mask[y : y + h, x : x + w], box


@pytest.mark.parametrize("factor", [1, 2, 4, 8])
def test_a_reduced_mask_is_the_whole_one_reduced(factor):
    """Cells are counted from the image's corner; what lies beyond its border counts as empty."""
    mask = blob()
    patch = reduce_mask(*inside(mask), factor)
    padded = cv2.copyMakeBorder(mask, 0, -HEIGHT % factor, 0, -WIDTH % factor, cv2.BORDER_CONSTANT, value=0)
    size = (padded.shape[1] // factor, padded.shape[0] // factor)
    expected = cv2.resize(padded, size, interpolation=cv2.INTER_AREA)
    found = warp_color(patch, resize_map(0, 0, 1 / factor, 1 / factor), size)
    assert np.array_equal(found, expected)


@pytest.mark.parametrize("roll", [0.0, 0.7])
def test_a_warped_mask_is_that_of_the_whole_image(roll):
    mask = blob()
    c, s = 0.8 * np.cos(roll), 0.8 * np.sin(roll)
    matrix = np.array([[c, -s, 30.0 + 90 * s], [s, c, -40.0], [2e-4, 1e-4, 1]])
    found = warp_mask(reduce_mask(*inside(mask), 1), matrix, (160, 200))
    expected = cv2.warpPerspective(mask, matrix, (160, 200)) > 127
    assert 0.1 < expected.mean() < 0.9
    assert set(np.unique(found)) == {0, 255}
    assert ((found > 0) != expected).mean() < 1e-3  # OpenCV samples at 32nds of a pixel


def test_colour_is_warped_as_each_of_its_channels_alone():
    pixels = np.random.default_rng(2).integers(0, 256, (150, 170, 3), np.uint8)
    matrix = np.array([[0.7, -0.3, 30.0], [0.3, 0.7, -20.0], [3e-4, -1e-4, 1]])
    found = warp_color(Patch(pixels, np.eye(3)), matrix, (128, 120))
    alone = [cv2.warpPerspective(np.ascontiguousarray(pixels[..., c]), matrix, (128, 120)) for c in range(3)]
    assert np.array_equal(found, np.stack(alone, axis=-1))


@pytest.mark.parametrize("shift", [(-400.0, 0.0), (0.0, 300.0)])
def test_a_mask_beside_the_output_is_empty(shift):
    patch = reduce_mask(*inside(blob()), 1)
    matrix = np.eye(3)
    matrix[:2, 2] = shift
    assert not warp_mask(patch, matrix, (WIDTH, HEIGHT)).any()


def test_a_patch_that_reaches_behind_the_camera_is_warped_whole():
    patch = Patch(np.full((40, 40), 255, np.uint8), np.eye(3))
    matrix = np.array([[1.0, 0, 0], [0, 1, 0], [-0.05, 0, 1]])  # columns from 20 on lie behind
    found = warp_mask(patch, matrix, (64, 64))
    expected = cv2.warpPerspective(patch.pixels, matrix, (64, 64)) > 127
    assert expected.any()
    assert np.array_equal(found > 0, expected)
