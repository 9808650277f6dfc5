"""BEV's cameras against its own numbers."""

import numpy as np
import pytest
import torch

from rhobin.geometry.bev_camera import bev_anchors, bev_camera, bev_cell, bev_translation

SIZE = 64


@pytest.fixture
def vectors(oracle):
    return oracle("romp_camera_parse")


@pytest.mark.parametrize(("count", "size"), [(64, 128), (32, 64)])
def test_anchors_are_bevs(vectors, count, size):
    np.testing.assert_allclose(bev_anchors(count), vectors[f"cam3dmap_anchor_fov60_size{size}"], rtol=1e-6)


def test_translations_are_bevs(vectors):
    translation = bev_translation(torch.from_numpy(vectors["cam_syx"]))
    np.testing.assert_allclose(translation, vectors["cam_to_trans_xyz"], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(translation[:, 2], vectors["scale_to_depth"], rtol=1e-5, atol=1e-5)


def test_cameras_are_bevs_and_their_return_too(vectors):
    camera = bev_camera(torch.from_numpy(vectors["trans_xyz"]))
    np.testing.assert_allclose(camera, vectors["trans_to_cam_syx"], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(
        bev_translation(camera), vectors["trans_to_cam_to_trans"], rtol=1e-5, atol=1e-5
    )


def test_a_return_is_one_percent_short_at_ten_metres():
    point = torch.tensor([1.0, -2.0, 10.0])
    torch.testing.assert_close(bev_translation(bev_camera(point)), point / 1.01)


def test_cells_are_bevs(vectors):
    camera, anchors = torch.from_numpy(vectors["cam_syx"]), torch.tensor(bev_anchors(SIZE // 2))
    cell = bev_cell(camera, anchors, SIZE)
    np.testing.assert_array_equal(cell, vectors["centermap_index_zyx"])
    np.testing.assert_array_equal(cell[:, 0], vectors["depth_level"].clip(1))
    coordinates = vectors["centermap_coords_zyx"]
    np.testing.assert_allclose(2 * vectors["depth_level"] / SIZE - 1, coordinates[:, 0], atol=1e-5)
    np.testing.assert_array_equal(coordinates[:, 1:], camera[:, 1:])
