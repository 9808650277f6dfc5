"""What occluders are made of: cut out of other views, rendered, or rectangles."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from scipy.spatial.transform import Rotation

from rhobin.data.images.outline import DecodedView
from rhobin.geometry.mesh import corner_normals
from rhobin.geometry.raycast import Scene, camera_rays
from rhobin.objects.template import Template

LEAST_PIXELS = 400  # of a cut-out; fewer tell nothing and blur when enlarged
_DISTANCE = 2.6  # of the camera, in diameters of the template
_FINE = 1.5  # rays per pixel and axis
_CROSS = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))


@dataclass(frozen=True)
class Piece:
    """A cut-out.

    Attributes:
        color: (h, w, 3) BGR uint8.
        alpha: (h, w) uint8, 255 where opaque.
        turn_deg: it may be turned by so much either way; 0 also forbids mirroring it.
    """

    color: np.ndarray
    alpha: np.ndarray
    turn_deg: float = 0.0


def cut_piece(view: DecodedView, which: int) -> Piece | None:
    """The person (0) or the object (1) of a view; None when too little of it can be seen.

    The outermost ring of pixels, where the mask's edge mixes in the background, is left off.
    """
    mask = cv2.erode(view.masks_on_color()[which], _CROSS)
    x, y, width, height = cv2.boundingRect(mask)
    box = (slice(y, y + height), slice(x, x + width))
    if np.count_nonzero(mask[box]) < LEAST_PIXELS:
        return None
    framed = cv2.copyMakeBorder(mask[box], 2, 2, 2, 2, cv2.BORDER_CONSTANT, value=0)
    color = cv2.copyMakeBorder(view.color.pixels[box], 2, 2, 2, 2, cv2.BORDER_REPLICATE)
    return Piece(color, cv2.GaussianBlur(framed, (3, 3), 0), turn_deg=30.0)


def noise_piece(rng: np.random.Generator, size: int) -> Piece:
    """A rectangle of uniform noise, HybrIK's occluder: height over width from U(0.5, 2)."""
    height, width = _rectangle(rng, size)
    return Piece(
        rng.integers(0, 256, (height, width, 3), dtype=np.uint8), np.full((height, width), 255, np.uint8)
    )


def rectangle_piece(rng: np.random.Generator, image: np.ndarray) -> Piece:
    """A random rectangle of an image, of half its pixels at most."""
    size = image.shape[0]
    height, width = _rectangle(rng, max(2, round(size / 2**0.5)))
    top, left = (int(rng.integers(size - length + 1)) for length in (height, width))
    return Piece(image[top : top + height, left : left + width], np.full((height, width), 255, np.uint8))


def render_piece(template: Template, rng: np.random.Generator, size: int) -> Piece:
    """A template in a random orientation under one lamp, in its own colours or in a random one for scans.

    Args:
        template: the object.
        rng: random numbers.
        size: its longer side, pixels.

    Returns:
        The cut-out.
    """
    R = Rotation.from_quat(rng.standard_normal(4)).as_matrix()
    lamp, paint = _unit(rng.uniform(-1, 1, 3) - [0, 0.5, 1]), rng.integers(40, 216, 3).astype(np.float32)
    verts = template.verts @ R.T
    verts = verts - (verts.min(axis=0) + verts.max(axis=0)) / 2 + [0, 0, _DISTANCE * template.diameter]
    K, width, height = _framing(verts, _FINE * max(size, 8))
    rays = camera_rays(K, width, height).reshape(-1, 3)
    hits = Scene([(verts, template.faces)]).cast(np.zeros((1, 3), np.float32), rays)
    on = np.flatnonzero(hits.geom_id >= 0)
    face, weight = hits.prim_id[on], hits.barycentric[on]
    normal = _unit(np.einsum("nk,nkc->nc", weight, _normals(template)[face]) @ R.T)
    normal *= np.where(np.einsum("nc,nc->n", normal, rays[on]) > 0, -1, 1)[:, None]
    light = 0.35 + 0.65 * np.clip(normal @ lamp, 0, 1)
    own = template.colors[face, ::-1] if np.ptp(template.colors, axis=0).any() else paint
    image = np.zeros((height * width, 4), np.float32)
    image[on, :3], image[on, 3] = light[:, None] * own, 255
    target = (max(1, round(width / _FINE)), max(1, round(height / _FINE)))
    return _framed(cv2.resize(image.reshape(height, width, 4), target, interpolation=cv2.INTER_AREA))


def _framing(verts: np.ndarray, length: float) -> tuple[np.ndarray, int, int]:
    """Intrinsics, width and height of the image that shows vertices, its longer side given in pixels."""
    points = verts[:, :2] / verts[:, 2:]
    low, extent = points.min(axis=0), np.ptp(points, axis=0)
    focal = (length - 1) / extent.max()
    width, height = (int(np.ceil(focal * part)) + 1 for part in extent)
    return np.array([[focal, 0, -focal * low[0]], [0, focal, -focal * low[1]], [0, 0, 1]]), width, height


def _framed(image: np.ndarray) -> Piece:
    """A cut-out from colours that are weighted with alpha, cropped, with straight alpha."""
    alpha = image[..., 3].round().astype(np.uint8)
    x, y, width, height = cv2.boundingRect(alpha)
    image, alpha = (part[y : y + height, x : x + width] for part in (image, alpha))
    color = image[..., :3] * (255 / np.maximum(image[..., 3:], 1))
    return Piece(np.clip(color, 0, 255).round().astype(np.uint8), np.ascontiguousarray(alpha))


@lru_cache(maxsize=32)
def _normals(template: Template) -> np.ndarray:
    return corner_normals(template.verts, template.faces)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)


def _rectangle(rng: np.random.Generator, longer: int) -> tuple[int, int]:
    """Height and width, the longer side given and height over width from U(0.5, 2)."""
    ratio = rng.uniform(0.5, 2.0)
    shorter = max(1, round(longer * min(ratio, 1 / ratio)))
    return (longer, shorter) if ratio > 1 else (shorter, longer)
