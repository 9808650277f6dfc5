"""Meshes drawn over photographs: shaded surfaces and outlines."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from rhobin.geometry.backend import rasterise
from rhobin.geometry.mesh import corner_normals
from rhobin.geometry.raycast import Hits
from rhobin.reports.palette import RGB

SUPERSAMPLE = 2
NEAR = 0.1
_LIGHT = np.array([-0.35, -0.65, -0.68])


@dataclass(frozen=True)
class Surface:
    """A mesh and its colour.

    Attributes:
        verts: (V, 3) vertices in the camera frame, metres.
        faces: (F, 3) triangles.
        color: RGB.
    """

    verts: np.ndarray
    faces: np.ndarray
    color: RGB


@dataclass(frozen=True)
class Window:
    """A square part of an image, shown at a chosen size.

    Attributes:
        x: left edge in the image, pixels; the first pixel spans 0 to 1.
        y: top edge.
        side: width and height in the image.
        size: width and height when shown.
    """

    x: float
    y: float
    side: float
    size: int

    def intrinsics(self, K: np.ndarray, factor: int = 1) -> np.ndarray:
        """Intrinsics of the shown part, drawn `factor` times larger."""
        scale = factor * self.size / self.side
        shown = K.astype(np.float64).copy()
        shown[:2] *= scale
        shown[0, 2] = scale * (K[0, 2] + 0.5 - self.x) - 0.5
        shown[1, 2] = scale * (K[1, 2] + 0.5 - self.y) - 0.5
        return shown

    def cut(self, image: np.ndarray) -> np.ndarray:
        """The part of an image (H, W, 3), resized; black outside the image."""
        scale = self.size / self.side
        shift = [scale * (0.5 - self.x) - 0.5, scale * (0.5 - self.y) - 0.5]
        matrix = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
        flags = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        return cv2.warpAffine(image, matrix, (self.size, self.size), flags=flags)


def window_around(
    targets: Sequence[np.ndarray],
    others: Sequence[np.ndarray],
    K: np.ndarray,
    width: int,
    height: int,
    size: int,
    margin: float = 0.1,
) -> Window:
    """The square that shows some meshes, kept inside the image where it fits.

    Args:
        targets: vertices (V, 3) of meshes to show whole, camera frame, metres.
        others: vertices of meshes to show as far as they do not stray: half the targets' extent at most.
        K: (3, 3) intrinsics of the image.
        width: image width in pixels.
        height: image height in pixels.
        size: width and height when shown.
        margin: free border, as a fraction of the meshes' extent.

    Returns:
        The window; the whole image's smaller side at most.
    """
    low, high = extent(targets, K)
    reach = (high - low).max() / 2
    other_low, other_high = extent(others, K)
    low = np.clip(np.clip(other_low, low - reach, low), 0, [width, height])
    high = np.clip(np.clip(other_high, high, high + reach), 0, [width, height])
    side = float(np.clip((high - low).max() * (1 + 2 * margin), 32, min(width, height)))
    corner = np.clip((low + high) / 2 - side / 2, 0, [width - side, height - side])
    return Window(float(corner[0]), float(corner[1]), side, size)


def draw_surfaces(
    image: np.ndarray, surfaces: Sequence[Surface], K: np.ndarray, window: Window, opacity: float = 0.86
) -> np.ndarray:
    """Shade meshes over a part of an image, hiding each other where they should.

    Args:
        image: (H, W, 3) RGB uint8.
        surfaces: meshes in the camera frame.
        K: (3, 3) intrinsics of the image.
        window: the part to show.
        opacity: of the meshes; 1 hides the image.

    Returns:
        (size, size, 3) RGB uint8.
    """
    hits, shape = _cast(surfaces, K, window)
    color = np.zeros((hits.geom_id.size, 4), np.float32)
    for index, surface in enumerate(surfaces):
        on = hits.geom_id == index
        color[on, :3] = _shade(surface, _select(hits, on))
        color[on, 3] = opacity
    layer = cv2.resize(color.reshape(*shape, 4), (window.size, window.size), interpolation=cv2.INTER_AREA)
    seen = layer[..., 3:] / opacity
    mean = layer[..., :3] / np.maximum(seen, 1e-6)
    blended = window.cut(image) * (1 - layer[..., 3:]) + mean * layer[..., 3:]
    return np.clip(blended, 0, 255).astype(np.uint8)


def draw_outlines(
    shown: np.ndarray, surfaces: Sequence[Surface], K: np.ndarray, window: Window
) -> np.ndarray:
    """Outline the visible parts of meshes on a part of an image.

    Args:
        shown: (size, size, 3) RGB uint8, as `draw_surfaces` or `Window.cut` return it.
        surfaces: meshes in the camera frame.
        K: (3, 3) intrinsics of the whole image.
        window: the part that is shown.

    Returns:
        A copy with outlines.
    """
    hits, shape = _cast(surfaces, K, window)
    large = cv2.resize(shown, shape[::-1], interpolation=cv2.INTER_CUBIC)
    for thickness, darken in ((3 * SUPERSAMPLE, True), (3 * SUPERSAMPLE // 2, False)):
        for index, surface in enumerate(surfaces):
            mask = (hits.geom_id == index).reshape(shape).astype(np.uint8)
            contours, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
            color = (20, 24, 28) if darken else surface.color
            cv2.drawContours(large, contours, -1, color, thickness, cv2.LINE_AA)
    return cv2.resize(large, shown.shape[1::-1], interpolation=cv2.INTER_AREA)


def data_uri(image: np.ndarray, exact: bool = False) -> str:
    """An RGB image as a `data:` address, for pages that load nothing.

    Args:
        image: (H, W, 3) RGB uint8.
        exact: as a PNG, for maps; else as a JPEG.

    Returns:
        The address.
    """
    bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    kind, settings = ("png", []) if exact else ("jpeg", [cv2.IMWRITE_JPEG_QUALITY, 84])
    coded = cv2.imencode(f".{kind}", bgr, settings)[1]
    return f"data:image/{kind};base64," + b64encode(coded.tobytes()).decode()


def extent(verts: Sequence[np.ndarray], K: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest pixel (2,) of what lies before the camera; the first pixel spans 0 to 1."""
    points = np.concatenate([v[v[:, 2] > NEAR] for v in verts])
    if len(points) == 0:
        return np.full(2, np.inf), np.full(2, -np.inf)
    pixels = points @ K.T
    pixels = pixels[:, :2] / pixels[:, 2:] + 0.5
    return pixels.min(axis=0), pixels.max(axis=0)


def _cast(surfaces: Sequence[Surface], K: np.ndarray, window: Window) -> tuple[Hits, tuple[int, int]]:
    size = window.size * SUPERSAMPLE
    meshes = [(s.verts, s.faces) for s in surfaces]
    return rasterise(meshes, window.intrinsics(K, SUPERSAMPLE), size, size), (size, size)


def _select(hits: Hits, on: np.ndarray) -> Hits:
    return Hits(hits.geom_id[on], hits.prim_id[on], hits.u[on], hits.v[on], hits.distance[on])


def _shade(surface: Surface, hits: Hits) -> np.ndarray:
    corners = corner_normals(surface.verts.astype(np.float64), surface.faces)
    normal = np.einsum("nk,nkc->nc", hits.barycentric, corners[hits.prim_id])
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-9)
    diffuse = np.clip(normal @ _LIGHT, 0, 1)
    facing = np.abs(normal[:, 2])
    light = 0.34 + 0.5 * diffuse + 0.22 * facing
    return np.clip(light[:, None] * np.array(surface.color), 0, 255)
