import numpy as np
import pytest

from rhobin.geometry.raycast import Scene
from rhobin.synthetic.light.shading import (
    DITHER_FILTER,
    Light,
    irradiance,
    openness,
    seen_from,
    tone,
    visibility,
)
from rhobin.synthetic.light.umbra import Umbra

UP = np.float32([[0, 1, 0]])
LAMP = Light(np.array([0, 2.0, 0]), np.array([0.2, 0, 0]), np.array([0, 0, 0.2]), np.ones(3, np.float32), 2.0)


def slab(x0: float, x1: float, y: float) -> tuple[np.ndarray, np.ndarray]:
    verts = np.array([[x0, y, -5], [x1, y, -5], [x1, y, 5], [x0, y, 5.0]])
    return verts, np.array([[0, 1, 2], [0, 2, 3]])


def test_irradiance_follows_cosine_and_distance():
    points = np.float32([[0, 0, 0], [0, -2, 0], [2, 0, 0]])
    normals = np.repeat(UP, 3, axis=0)
    np.testing.assert_allclose(irradiance(LAMP, points, normals), [1, 0.25, 0.5 / np.sqrt(2)], rtol=1e-6)
    assert irradiance(LAMP, points[:1], -UP)[0] == 0


def test_half_a_lamp_behind_an_edge_is_half_visible():
    phases = np.arange(16)
    points, normals = np.zeros((16, 3), np.float32), np.repeat(UP, 16, axis=0)
    half = visibility([Scene([slab(0.0, 9.0, 1.0)])], points, normals, LAMP, 4, phases)
    assert half.mean() == pytest.approx(0.5, abs=0.05)
    assert visibility([Scene([slab(0.3, 9.0, 1.0)])], points, normals, LAMP, 4, phases).min() == 1
    assert visibility([Scene([slab(-9.0, 9.0, 1.0)])], points, normals, LAMP, 4, phases).max() == 0


def test_every_scene_can_block():
    left, right = Scene([slab(-9.0, 0.0, 1.0)]), Scene([slab(0.0, 9.0, 1.0)])
    points, normals = np.zeros((16, 3), np.float32), np.repeat(UP, 16, axis=0)
    assert visibility([left, right], points, normals, LAMP, 2, np.arange(16)).max() == 0


def test_openness_under_a_wide_slab_and_in_a_corner():
    floor = np.float32([[0, 0, 0]])
    assert openness([Scene([slab(-9, 9, 0.5)])], floor, UP, 64, 2.0)[0] < 0.15
    assert openness([Scene([slab(-9, 9, 3.0)])], floor, UP, 64, 2.0)[0] == 1
    wall = (np.array([[0, -9, -9], [0, 9, -9], [0, 9, 9], [0, -9, 9.0]]), np.array([[0, 1, 2], [0, 2, 3]]))
    corner = openness([Scene([wall])], np.float32([[0.001, 0, 0]]), UP, 400, 50.0)[0]
    assert corner == pytest.approx(0.5, abs=0.02)


def test_tone_rises_from_black_to_white():
    values = tone(np.linspace(0, 5, 200, dtype=np.float32))
    assert values[0] == 0
    assert values[-1] == 255
    assert (np.diff(values.astype(int)) >= 0).all()
    assert 100 < tone(np.float32(0.3)) < 150


def test_dither_filter_removes_the_sample_pattern():
    for pattern in ([1, 0, 0, 0], [0, 1, 0, 1], [3, 1, 4, 1]):
        smooth = np.convolve(np.tile(pattern, 6).astype(float), DITHER_FILTER, mode="valid")
        assert np.ptp(smooth) < 1e-6


def test_umbra_covers_what_lies_behind():
    probes = np.stack(np.meshgrid(np.linspace(-0.2, 0.2, 20), [1.0], np.linspace(-0.2, 0.2, 20)), -1).reshape(
        -1, 3
    )
    umbra = Umbra.of(LAMP, probes.astype(np.float32))
    behind, beside = np.float32([[0.05, 0, 0.1]]), np.float32([[1.9, 0, 0]])
    assert len(umbra.covers(seen_from(LAMP, behind)[:2])) == 1
    assert len(umbra.covers(seen_from(LAMP, beside)[:2])) == 0
