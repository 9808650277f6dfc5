import numpy as np
import pytest

from rhobin.synthetic.places.cameras import INTRINSICS, camera_rig, date_number, look_at, scaled_intrinsics

DATES = [f"Date{day:02d}" for day in range(1, 8)]


def test_world_is_kinect_1():
    rig = camera_rig("Date04")
    np.testing.assert_array_equal(rig.cameras[1].R, np.eye(3))
    np.testing.assert_array_equal(rig.cameras[1].t, np.zeros(3))
    in_room = rig.in_room(1)
    np.testing.assert_allclose(rig.R @ in_room.R, np.eye(3), atol=1e-12)
    np.testing.assert_allclose(rig.R @ in_room.t + rig.t, 0, atol=1e-12)


@pytest.mark.parametrize("date", DATES)
def test_cameras_surround_the_room_and_look_at_its_middle(date):
    rig = camera_rig(date)
    azimuths = []
    for k in range(4):
        camera = rig.in_room(k)
        assert np.linalg.det(camera.R) == pytest.approx(1)
        middle = camera.R.T @ (np.array([0, 0.9, 0]) - camera.t)
        u, v, _ = camera.K @ middle / middle[2]
        assert 1.9 < middle[2] < 3.2
        assert abs(u / camera.width - 0.5) < 0.12
        assert abs(v / camera.height - 0.5) < 0.12
        azimuths.append(np.degrees(np.arctan2(camera.t[0], camera.t[2])) % 360)
    gaps = np.diff([*sorted(azimuths), min(azimuths) + 360])
    assert gaps.min() > 60


def test_world_is_tilted_against_gravity():
    for date in DATES:
        up = camera_rig(date).R @ [0, 1, 0]
        assert np.degrees(np.arccos(-up[1])) > 8


def test_intrinsics_keep_pixel_centres_when_scaled():
    full = np.array([[979.784, 0, 1018.952], [0, 979.840, 779.486], [0, 0, 1]])
    small = scaled_intrinsics(1, 640)
    ray = np.array([0.3, -0.2, 1.0])
    u, v = (full @ ray)[:2]
    expected = (np.array([u, v]) + 0.5) * 640 / 2048 - 0.5
    np.testing.assert_allclose((small @ ray)[:2], expected)
    assert INTRINSICS[1] == (979.784, 979.840, 1018.952, 779.486)


def test_look_at_has_no_roll_against_the_horizon():
    R = look_at(np.array([1.0, 1.5, -2.0]), np.array([0.0, 0.8, 0.1]), 0.0)
    np.testing.assert_allclose(R.T @ R, np.eye(3), atol=1e-12)
    assert abs(R[1, 0]) < 1e-12
    assert R[1, 1] < 0


def test_days_differ_and_stay():
    a, b, again = camera_rig("Date01"), camera_rig("Date02"), camera_rig("Date01")
    np.testing.assert_array_equal(a.R, again.R)
    assert not np.allclose(a.R, b.R, atol=1e-3)
    np.testing.assert_array_equal(a.cameras[2].K, b.cameras[2].K)


def test_wrong_names_and_widths_are_refused():
    with pytest.raises(ValueError, match="Date03"):
        date_number("Day3")
    with pytest.raises(ValueError, match="multiple of 4"):
        camera_rig("Date01", 642)
