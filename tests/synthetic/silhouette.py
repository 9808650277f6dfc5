"""Masks of meshes by filling projected triangles, without any ray: the tests' own reference."""

import cv2
import numpy as np

FINE = 4


def silhouette(
    verts_cam: np.ndarray, faces: np.ndarray, K: np.ndarray, width: int, height: int
) -> np.ndarray:
    """Pixels (H, W) whose centres lie on the projection of a mesh in the camera frame.

    Triangles are filled at four times the resolution; filling covers border pixels too, so three of the
    four fine pixels around a centre must be covered.
    """
    uv = verts_cam[:, :2] / verts_cam[:, 2:]
    uv = uv @ np.diag([K[0, 0], K[1, 1]]) + K[:2, 2]
    fine = (uv + 0.5) * FINE - 0.5
    canvas = np.zeros((height * FINE, width * FINE), np.uint8)
    front = (verts_cam[:, 2] > 0.05)[faces].all(axis=1)
    for triangle in np.rint(fine * 16).astype(np.int32)[faces[front]]:
        cv2.fillConvexPoly(canvas, triangle, 1, shift=4)
    blocks = canvas.reshape(height, FINE, width, FINE)[:, 1:3, :, 1:3]
    return blocks.sum(axis=(1, 3)) >= 3


def iou(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over union; 1 for two empty masks."""
    union = np.count_nonzero(a | b)
    return np.count_nonzero(a & b) / union if union else 1.0
