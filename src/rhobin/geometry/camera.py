"""Pinhole cameras: projection, crops, world and camera frames, absolute translation from known intrinsics.

OpenCV camera (x right, y down, z forward). Pixel coordinates count from the centre of the first pixel, so
an image of width W spans -0.5 to W - 0.5.
"""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from rhobin.geometry.precision import full_precision
from rhobin.types import Camera

NO_SPREAD = 1e-12  # squared image-plane spread (at depth one) below which depth is not observable


@full_precision
def project(
    points: Float[Tensor, "*B N 3"] | Float[np.ndarray, "*B N 3"],
    K: Float[Tensor, "*b 3 3"] | Float[np.ndarray, "*b 3 3"],
) -> Float[Tensor, "*B N 2"] | Float[np.ndarray, "*B N 2"]:
    """Pixel positions of camera-frame points; tensors or arrays alike.

    Args:
        points: metres, camera frame; depth must not be zero.
        K: intrinsics in pixels, one for all or one per batch element; any invertible 3x3 matrix.

    Returns:
        Pixel coordinates (u right, v down).
    """
    pixels = points @ K.mT
    return pixels[..., :2] / pixels[..., 2:]


@full_precision
def unproject(
    uv: Float[Tensor, "*B N 2"], depth: Float[Tensor, "*B N"], K: Float[Tensor, "*b 3 3"]
) -> Float[Tensor, "*B N 3"]:
    """Camera-frame points at given pixels and depths (z, metres): the inverse of `project`."""
    return _rays(uv, K) * depth[..., None]


def crop_matrix(
    centre: Float[np.ndarray, "*B 2"], side: float | int | Float[np.ndarray, "*B"], size: int
) -> Float[np.ndarray, "*B 3 3"]:
    """Homogeneous map from image pixels to pixels of a square crop.

    Args:
        centre: middle of the crop in the image, pixels.
        side: width of the crop in the image, pixels.
        size: width of the crop after resizing, pixels.

    Returns:
        Matrices A with ``(u', v', 1) = A (u, v, 1)``; the crop's left edge maps to -0.5.
    """
    centre = np.asarray(centre, dtype=np.float64)
    scale = size / np.asarray(side, dtype=np.float64)
    matrix = np.zeros((*centre.shape[:-1], 3, 3))
    matrix[..., 0, 0] = matrix[..., 1, 1] = scale
    matrix[..., :2, 2] = size / 2 - 0.5 - centre * np.asarray(scale)[..., None]
    matrix[..., 2, 2] = 1
    return matrix


def crop_intrinsics(
    K: Float[np.ndarray, "*B 3 3"],
    centre: Float[np.ndarray, "*B 2"],
    side: float | int | Float[np.ndarray, "*B"],
    size: int,
) -> Float[np.ndarray, "*B 3 3"]:
    """Intrinsics of a square crop resized to `size` pixels; arguments as in `crop_matrix`."""
    return crop_matrix(centre, side, size) @ K


def look_along(pixel: Float[np.ndarray, "2"], K: Float[np.ndarray, "3 3"]) -> Float[np.ndarray, "3 3"]:
    """The smallest rotation of the camera frame that takes the ray through a pixel to the optical axis.

    Args:
        pixel: (2,) where the turned camera looks.
        K: intrinsics in pixels.

    Returns:
        Q with ``X' = Q X``; an image of the same intrinsics moves by the homography K Q K^-1.
    """
    x, y, z = np.linalg.solve(K, np.array([pixel[0], pixel[1], 1.0]))
    x, y, z = np.array([x, y, z]) / np.linalg.norm([x, y, z])
    across = -x * y / (1 + z)
    return np.array([[1 - x * x / (1 + z), across, -x], [across, 1 - y * y / (1 + z), -y], [x, y, z]])


def resize_intrinsics(
    K: Float[np.ndarray, "*B 3 3"], scale_x: float, scale_y: float
) -> Float[np.ndarray, "*B 3 3"]:
    """Intrinsics after the image is resized: ``c' = (c + 0.5) s - 0.5``, since pixels have a size."""
    resize = np.array([[scale_x, 0, (scale_x - 1) / 2], [0, scale_y, (scale_y - 1) / 2], [0, 0, 1]])
    return resize @ K


def extrinsics(camera: Camera) -> tuple[np.ndarray, np.ndarray]:
    """World-to-camera rotation (3, 3) and translation (3,): ``X_cam = R X_world + t``."""
    return camera.R.T, -camera.R.T @ camera.t


def world_to_camera(points: Float[np.ndarray, "*N 3"], camera: Camera) -> Float[np.ndarray, "*N 3"]:
    """Points of the world in the frame of `camera`, metres."""
    return (points - camera.t) @ camera.R


@full_precision
def solve_translation(
    points: Float[Tensor, "*B N 3"],
    uv: Float[Tensor, "*B N 2"],
    K: Float[Tensor, "*B 3 3"],
    weight: Float[Tensor, "*B N"] | None = None,
) -> Float[Tensor, "*B 3"]:
    """The translation that puts root-relative points on their pixels, by closed-form least squares.

    Minimises the weighted sum of ``|X + t_xy - x (Z + t_z)|^2`` with x the ray of the pixel at depth one.
    Depth is eliminated first on centred rays, which keeps float32 accurate.

    Args:
        points: root-relative, metres, camera orientation: joints, and keypoints of an object likewise.
        uv: pixels.
        K: intrinsics in pixels.
        weight: non-negative weights, such as 1 / sigma^2; None weighs all points alike.

    Returns:
        Translations, metres. Where the rays coincide, or all weights vanish, depth is not observable and
        the answer is finite but arbitrary.
    """
    share = _shares(weight, points)
    ray = _rays(uv, K)[..., :2]
    offset = ray * points[..., 2:] - points[..., :2]
    ray_mean = (share * ray).sum(-2)
    offset_mean = (share * offset).sum(-2)
    ray_centred = ray - ray_mean[..., None, :]
    offset_centred = offset - offset_mean[..., None, :]
    spread = (share * ray_centred * ray_centred).sum((-2, -1))
    depth = -(share * ray_centred * offset_centred).sum((-2, -1)) / spread.clamp_min(NO_SPREAD)
    return torch.cat((ray_mean * depth[..., None] + offset_mean, depth[..., None]), dim=-1)


def _shares(weight: Tensor | None, points: Tensor) -> Tensor:
    """Weights (B, N, 1) that sum to one."""
    if weight is None:
        return torch.full_like(points[..., :1], 1 / points.shape[-2])
    total = weight.sum(-1, keepdim=True).clamp_min(torch.finfo(weight.dtype).tiny)
    return (weight / total)[..., None]


def _rays(uv: Tensor, K: Tensor) -> Tensor:
    """Points (..., N, 3) at depth one that project to `uv`."""
    homogeneous = torch.cat((uv, torch.ones_like(uv[..., :1])), dim=-1)
    rays = homogeneous @ torch.linalg.inv(K).mT
    return rays / rays[..., 2:]
