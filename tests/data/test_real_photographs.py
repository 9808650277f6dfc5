"""Masks drawn by hand on real photographs lie where the photographs show the person and the object."""

import cv2
import numpy as np
import pytest
from real_photographs import MASKS, photograph

from rhobin.data.photos.mask_files import read_masks
from rhobin.data.photos.photo import read_photo

AROUND = np.ones((3, 3), np.uint8)
WIDE = np.ones((11, 11), np.uint8)


def edges(photo, mask):
    """Mean step of brightness along the outline of a mask, leaving out the border of the photograph."""
    grey = cv2.GaussianBlur(cv2.cvtColor(photo.pixels, cv2.COLOR_BGR2GRAY).astype(float), (0, 0), 1)
    step = np.hypot(cv2.Sobel(grey, cv2.CV_64F, 1, 0), cv2.Sobel(grey, cv2.CV_64F, 0, 1))
    outline = cv2.dilate(mask, AROUND) > cv2.erode(mask, AROUND)
    return step[8:-8, 8:-8][outline[8:-8, 8:-8]].mean()


@pytest.mark.parametrize(("name", "thing"), [("astronaut", "helmet"), ("camera", "camera")])
def test_the_outlines_follow_the_edges_of_the_photographs(name, thing):
    photo = read_photo(photograph(name))
    found = read_masks(MASKS[name], photo)
    assert (found["person"].name, found["object"].name, photo.size) == ("person", thing, (512, 512))
    person, obj = found["person"].pixels, found["object"].pixels
    assert ((person & obj) > 0).mean() < 0.001
    for mask in (person, obj):
        moved = [np.roll(mask, step, axis) for step in (-5, 5) for axis in (0, 1)]
        beside = [edges(photo, other) for other in (*moved, cv2.dilate(mask, WIDE), cv2.erode(mask, WIDE))]
        assert edges(photo, mask) > 1.05 * max(beside)
