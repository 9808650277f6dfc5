import numpy as np
import pytest
import torch
from scipy.optimize import least_squares
from scipy.spatial.transform import Rotation

from rhobin.geometry.camera import (
    crop_intrinsics,
    crop_matrix,
    extrinsics,
    project,
    resize_intrinsics,
    solve_translation,
    unproject,
    world_to_camera,
)
from rhobin.types import Camera

K = np.array([[979.784, 0, 1018.952], [0, 979.840, 779.486], [0, 0, 1]])
RNG = np.random.default_rng(0)


def _points(batch=5, count=29):
    rng = np.random.default_rng(1)
    return rng.normal(scale=0.4, size=(batch, count, 3)), rng.uniform([-1, -1, 1.5], [1, 1, 5], (batch, 3))


def test_project_equals_opencv():
    cv2 = pytest.importorskip("cv2")
    points, t = _points()
    points = points + t[:, None]
    expected, _ = cv2.projectPoints(points.reshape(-1, 3), np.zeros(3), np.zeros(3), K, np.zeros(5))
    np.testing.assert_allclose(project(points, K).reshape(-1, 2), expected[:, 0], atol=1e-9)
    as_tensors = project(torch.from_numpy(points), torch.from_numpy(K))
    np.testing.assert_allclose(as_tensors.numpy(), project(points, K), atol=1e-9)


def test_unproject_inverts_project_for_any_invertible_intrinsics():
    points, t = _points()
    points = torch.from_numpy(points + t[:, None])
    turned = torch.from_numpy(Rotation.from_rotvec([0.1, -0.2, 0.3]).as_matrix() @ K)
    for intrinsics in (torch.from_numpy(K), turned):
        uv = project(points, intrinsics)
        ray_depth = points[..., 2]
        torch.testing.assert_close(unproject(uv, ray_depth, intrinsics), points, rtol=0, atol=1e-9)


def test_pixel_coordinates_count_from_the_centre_of_the_first_pixel():
    """A crop of the whole image is the image: its first pixel's centre stays (0, 0), its edges stay."""
    whole = crop_matrix(np.array([4.5, 4.5]), 10, 10)
    np.testing.assert_allclose(whole, np.eye(3), atol=1e-12)
    halved = crop_matrix(np.array([4.5, 4.5]), 10, 5)
    np.testing.assert_allclose(halved @ [-0.5, 9.5, 1], [-0.5, 4.5, 1])
    np.testing.assert_allclose(
        halved @ [0.5, 0.5, 1], [0, 0, 1]
    )  # between two pixels -> centre of their blend


def test_crop_intrinsics_project_where_the_crop_shows_them():
    points, t = _points()
    points = points + t[:, None]
    centre, side = np.array([900.25, 700.5]), 611.3
    uv = project(points, K)
    expected = (uv - centre + side / 2) * 256 / side - 0.5
    np.testing.assert_allclose(project(points, crop_intrinsics(K, centre, side, 256)), expected, atol=1e-9)


def test_crop_matrices_are_batched():
    centres, sides = RNG.uniform(100, 900, (4, 2)), RNG.uniform(50, 400, 4)
    batched = crop_matrix(centres, sides, 128)
    for one, centre, side in zip(batched, centres, sides, strict=True):
        np.testing.assert_array_equal(one, crop_matrix(centre, float(side), 128))


def test_resized_intrinsics_see_the_same_image():
    """The relative position within the image, edge to edge, must not change."""
    small = resize_intrinsics(K, 640 / 2048, 480 / 1536)
    points, t = _points()
    points = points + t[:, None]
    relative = (project(points, K) + 0.5) / [2048, 1536]
    np.testing.assert_allclose((project(points, small) + 0.5) / [640, 480], relative, atol=1e-12)


def test_world_and_camera_frames():
    camera = Camera(K, Rotation.from_rotvec([0.2, 2.1, -0.3]).as_matrix(), np.array([1.0, -2, 3]), 2048, 1536)
    world = RNG.normal(size=(7, 3))
    local = world_to_camera(world, camera)
    np.testing.assert_allclose(local, np.linalg.solve(camera.R, (world - camera.t).T).T, atol=1e-12)
    R, t = extrinsics(camera)
    np.testing.assert_allclose(world @ R.T + t, local, atol=1e-12)
    np.testing.assert_allclose(world_to_camera(camera.t, camera), 0, atol=1e-12)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-11), (torch.float32, 2e-4)])
def test_translation_of_exact_projections_is_exact(dtype, tolerance):
    points, t = (torch.from_numpy(x).to(dtype) for x in _points())
    intrinsics = torch.from_numpy(K).to(dtype).expand(5, 3, 3)
    uv = project(points + t[:, None], intrinsics)
    torch.testing.assert_close(solve_translation(points, uv, intrinsics), t, rtol=0, atol=tolerance)


def test_translation_is_the_weighted_least_squares_optimum():
    points, t = _points(2, 12)
    weight = np.random.default_rng(3).uniform(0, 1, (2, 12))
    uv = project(points + t[:, None], K) + np.random.default_rng(4).normal(scale=20, size=(2, 12, 2))
    found = solve_translation(
        *map(torch.from_numpy, (points, uv)), torch.from_numpy(K).expand(2, 3, 3), torch.from_numpy(weight)
    )
    for b in range(2):
        ray = (uv[b] - K[:2, 2]) / K[[0, 1], [0, 1]]

        def residual(x, b=b, ray=ray):
            moved = points[b] + x
            return (np.sqrt(weight[b])[:, None] * (moved[:, :2] - ray * moved[:, 2:])).ravel()

        np.testing.assert_allclose(found[b].numpy(), least_squares(residual, t[b]).x, atol=1e-6)


def test_points_of_no_weight_do_not_matter():
    points, t = (torch.from_numpy(x) for x in _points())
    intrinsics = torch.from_numpy(K).expand(5, 3, 3)
    uv = project(points + t[:, None], intrinsics)
    weight = torch.ones(5, 29, dtype=torch.float64)
    weight[:, ::3] = 0
    uv[:, ::3] += 300
    torch.testing.assert_close(solve_translation(points, uv, intrinsics, weight), t, rtol=0, atol=1e-10)
    assert (solve_translation(points, uv, intrinsics) - t).norm(dim=-1).min() > 0.01


def test_unobservable_depth_gives_finite_numbers_and_gradients():
    points = torch.zeros(3, 4, 3, requires_grad=True)
    uv = torch.full((3, 4, 2), 500.0)
    weight = torch.ones(3, 4)
    weight[2] = 0
    t = solve_translation(points, uv, torch.from_numpy(K).float().expand(3, 3, 3), weight)
    t.sum().backward()
    assert torch.isfinite(t).all()
    assert torch.isfinite(points.grad).all()


def test_translation_gradients_equal_finite_differences():
    points, t = _points(2, 6)
    intrinsics = torch.from_numpy(K).expand(2, 3, 3)
    uv = torch.from_numpy(project(points + t[:, None], K)).requires_grad_()
    inputs = (torch.from_numpy(points).requires_grad_(), uv)
    assert torch.autograd.gradcheck(lambda p, q: solve_translation(p, q, intrinsics), inputs, atol=1e-5)


def test_mixed_precision_does_not_reach_the_geometry():
    points, t = (torch.from_numpy(x).float() for x in _points())
    intrinsics = torch.from_numpy(K).float().expand(5, 3, 3)
    uv = project(points + t[:, None], intrinsics)
    with torch.autocast("cpu", torch.bfloat16):
        inside = solve_translation(points, uv, intrinsics)
        torch.testing.assert_close(project(points + t[:, None], intrinsics), uv)
    torch.testing.assert_close(inside, t, rtol=0, atol=2e-4)
