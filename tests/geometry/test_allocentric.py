"""Poses as a crop shows them, against scipy's rotations and projection by hand."""

import numpy as np
import torch
from scipy.spatial.transform import Rotation

from rhobin.geometry.allocentric import crop_frame, decode_site, encode_site, to_allocentric, to_egocentric
from rhobin.geometry.camera import crop_intrinsics

K = np.array([[979.784, 0, 1018.952], [0, 979.84, 779.486], [0, 0, 1]])


def places(count=50):
    rng = np.random.default_rng(0)
    t = rng.normal(0, 0.8, (count, 3)) + np.array([0, 0, 2.5])
    t[0] = [0, 0, 2]  # on the axis
    t[:, 2] = np.maximum(t[:, 2], 0.4)
    return torch.from_numpy(t), torch.from_numpy(Rotation.random(count, rng=1).as_matrix())


def test_egocentric_is_allocentric_turned_to_the_ray():
    t, R = places()
    for place, turn, found in zip(t.numpy(), R.numpy(), to_egocentric(R, t).numpy(), strict=True):
        ray = place / np.linalg.norm(place)
        axis = np.cross([0, 0, 1], ray)
        angle = np.arctan2(np.linalg.norm(axis), ray[2])
        unit = axis / max(np.linalg.norm(axis), 1e-12)
        expected = Rotation.from_rotvec(unit * angle).as_matrix() @ turn
        np.testing.assert_allclose(found, expected, atol=1e-12)
    torch.testing.assert_close(to_allocentric(to_egocentric(R, t), t), R)
    torch.testing.assert_close(to_egocentric(R, t)[0], R[0])


def test_an_object_looks_the_same_wherever_the_camera_turns():
    """A camera that turns about its own centre changes the egocentric rotation only."""
    R = places(1)[1]
    turn = torch.from_numpy(Rotation.from_rotvec([0.0, 0.4, 0.0]).as_matrix())
    before = to_allocentric(R, torch.tensor([[0.0, 0, 2]], dtype=torch.float64))
    after = to_allocentric(turn @ R, torch.tensor([[0.0, 0, 2]], dtype=torch.float64) @ turn.T)
    torch.testing.assert_close(before, after)


def test_site_says_where_in_the_crop_and_how_far():
    t, _ = places()
    pixels = (K @ t.numpy().T).T
    pixels = pixels[:, :2] / pixels[:, 2:]
    crop = torch.from_numpy(crop_intrinsics(K, np.array([900.0, 700.0]), 500, 64)).expand(len(t), 3, 3)
    site = encode_site(t, crop, crop_frame(crop, 64))
    np.testing.assert_allclose(site[:, :2], (pixels - [900, 700]) / 500, atol=1e-9)
    np.testing.assert_allclose(site[:, 2], t[:, 2] * 500 / K[0, 0], atol=1e-9)
    torch.testing.assert_close(decode_site(site, crop, crop_frame(crop, 64)), t)
    larger = torch.from_numpy(crop_intrinsics(K, np.array([900.0, 700.0]), 500, 256)).expand(len(t), 3, 3)
    torch.testing.assert_close(encode_site(t, larger, crop_frame(larger, 256)), site)
