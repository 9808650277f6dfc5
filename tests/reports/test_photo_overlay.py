"""Meshes over photographs: only where they can be, and the same as anywhere."""

import numpy as np
import pytest

from rhobin.objects.load import load_templates
from rhobin.reports.overlay import Surface, Window, draw_surfaces
from rhobin.reports.photo_overlay import OPACITY, draw_meshes

K = np.array([[150.0, 0, 79.5], [0, 150, 59.5], [0, 0, 1]])
SIZE = (160, 120)


@pytest.mark.parametrize(
    "place", [(0.1, 0, 2), (0.9, 0.6, 2), (-1.2, 0, 2), (0, 0, 0.4), (5, 0, 2), (0, 0, -2)]
)
def test_drawing_a_part_is_drawing_the_whole(place):
    """Inside, at a corner, at the left edge, about the camera, beside the image, behind the camera."""
    stool = load_templates()["stool"]
    surfaces = [Surface(stool.verts + np.array(place), stool.faces, (90, 120, 200))]
    pixels = np.random.default_rng(0).integers(0, 255, (*SIZE[::-1], 3), dtype=np.uint8)
    found = draw_meshes(pixels, surfaces, K, SIZE)
    image = np.ascontiguousarray(pixels[..., ::-1])
    whole = draw_surfaces(image, surfaces, K, Window(0, 0, 160, 160), OPACITY)[:120]
    assert np.abs(found.astype(int) - whole.astype(int)).max() <= 1
    inside = place in ((0.1, 0, 2), (0.9, 0.6, 2), (0, 0, 0.4))
    assert bool((found != image).any()) == inside or place == (-1.2, 0, 2)
