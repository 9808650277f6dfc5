"""Where a plain crop looks, and how much of the image crops about it can show."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from rhobin.data.images.crops import crop_box, crop_square, square_about
from rhobin.data.reads import CropReads
from rhobin.geometry.camera import crop_matrix, look_along

RAYS = ("ignore", "turn")
_ROUNDS = 6  # each leaves about a tenth of the angle between the axis and the middle of what it looks at


@dataclass(frozen=True)
class Framing:
    """Where a plain crop looks.

    Attributes:
        centre: (2,) middle of the square crop in the full image, pixels.
        side: its side: in pixels of the full image, or of the camera turned to the sample's first crop.
        box: (2,) width and height of the box that it was cut about, in the same pixels.
        width: of the crop in the full image, at its middle, pixels.
        middle: (2,) of the part of the full image that crops about it can show, pixels.
        reach: (2,) width and height of that part.
    """

    centre: np.ndarray
    side: float
    box: np.ndarray
    width: float
    middle: np.ndarray
    reach: np.ndarray


def frame_crop(boxes: np.ndarray, crop: CropReads, size: tuple[int, int], reach: float) -> Framing:
    """The framing of a crop of the image as it is.

    Args:
        boxes: (2, 4) boxes of both masks: x, y, width, height, pixels.
        crop: which square.
        size: width and height of the full image.
        reach: how far crops look beyond the square, as a factor on its side.
    """
    centre, side = crop_square(boxes, crop.crop, crop.expand, size)
    box = crop_box(boxes, crop.crop, size)[2:]
    return Framing(centre, side, box, side, centre, np.full(2, side * reach))


@dataclass(frozen=True)
class Turned:
    """A view as the camera sees it that is turned to the middle of the sample's first crop.

    Attributes:
        parts: outlines (N, 2) of what shows the person and the object, pixels of the full image; empty for
            what is not seen.
        first: the sample's first crop.
        K: (3, 3) intrinsics of both cameras.
        size: width and height of the full image.
    """

    parts: tuple[np.ndarray, np.ndarray]
    first: CropReads
    K: np.ndarray
    size: tuple[int, int]

    @cached_property
    def axis(self) -> np.ndarray:
        """Pixel (2,) about which the first crop's box is centred once the camera looks there."""
        points, to_view = self._surrounded(self.first.crop), np.eye(3)
        for _ in range(_ROUNDS):
            pixel = map_pixels(_middle(_box(points, to_view)), np.linalg.inv(to_view))
            to_view = turned_homography(pixel, self.K)
        return pixel

    def frame_crop(self, crop: CropReads, reach: float) -> Framing:
        """The framing of a crop; arguments as of the function."""
        to_view = turned_homography(self.axis, self.K)
        box = _box(self._surrounded(crop.crop), to_view)
        side = square_about(box, crop.crop, crop.expand, self.size)[1]
        shown = crop_matrix(_middle(box), side * reach, 1) @ to_view
        part = overlap(_corners(np.zeros(2), np.array(self.size, np.float64)), shown, (1, 1))
        low, high = part.min(axis=0), part.max(axis=0)
        stretch = look_along(self.axis, self.K)[2, 2] ** -1.5  # of lengths: the root of that of areas
        return Framing(
            map_pixels(_middle(box), np.linalg.inv(to_view)),
            side,
            box[2:],
            side * stretch,
            (low + high) / 2,
            high - low,
        )

    def _surrounded(self, kind: str) -> np.ndarray:
        """Points (N, 2) of the full image whose box a kind of crop is cut about."""
        if kind == "frame":
            return _corners(np.zeros(2), np.array(self.size, np.float64))
        return {"person": self.parts[0], "object": self.parts[1]}.get(kind, np.concatenate(self.parts))


def turned_homography(pixel: np.ndarray, K: np.ndarray) -> np.ndarray:
    """Map (3, 3) from the image to that of the same camera turned to look along the ray through a pixel."""
    return K @ look_along(pixel, K) @ np.linalg.inv(K)


def map_pixels(pixels: np.ndarray, homography: np.ndarray) -> np.ndarray:
    """Pixels (..., 2) under a homography that leaves them in front of the camera."""
    mapped = pixels @ homography[:, :2].T + homography[:, 2]
    return mapped[..., :2] / mapped[..., 2:]


def overlap(polygon: np.ndarray, homography: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The part of a polygon that an image shows.

    Args:
        polygon: (N, 2) convex, pixels of one view.
        homography: (3, 3) map from these to pixels of the image.
        size: width and height of the image.

    Returns:
        (M, 2) the part's corners, pixels of the view; M is 0 where nothing is shown. What the map puts behind
        the image's camera is not shown.
    """
    x, y, w = homography
    (width, height), part = size, np.column_stack([polygon, np.ones(len(polygon))])
    for edge in (x + w / 2, (width - 0.5) * w - x, y + w / 2, (height - 0.5) * w - y):
        inside = part @ edge
        following, beyond = np.roll(part, -1, axis=0), np.roll(inside, -1)
        crosses = (inside >= 0) != (beyond >= 0)
        share = np.divide(inside, inside - beyond, out=np.zeros_like(inside), where=crosses)
        met = part + share[:, None] * (following - part)
        pairs = np.stack([part, met], axis=1).reshape(-1, 3)
        part = pairs[np.stack([inside >= 0, crosses], axis=1).ravel()]
    return part[:, :2]


def mask_outline(part: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Corners (N, 2) of the convex outline of a mask's pixels, in the full image.

    Args:
        part: (h, w) uint8 of 0 or 255, what lies inside the mask's box; may be empty.
        box: (4,) x, y, width, height, pixels.
    """
    rows = np.flatnonzero(part.any(axis=1)) if part.size else np.zeros(0, int)
    if not len(rows):
        return np.zeros((0, 2))
    set_pixels = part[rows] > 0
    first, last = set_pixels.argmax(axis=1), part.shape[1] - set_pixels[:, ::-1].argmax(axis=1)
    ends = [np.column_stack([x, y]) for x in (first, last) for y in (rows, rows + 1)]
    hull = cv2.convexHull(np.concatenate(ends).astype(np.float32))[:, 0]
    return hull.astype(np.float64) + box[:2] - 0.5


def box_outlines(boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Corners (4, 2) of the boxes (2, 4) of both masks, none of an empty one: what surely surrounds them."""
    person, obj = (_corners(box[:2], box[2:]) if box[2:].all() else np.zeros((0, 2)) for box in boxes)
    return person, obj


def _corners(start: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Outer corners (4, 2) of a box of pixels whose first one is `start`."""
    return start - 0.5 + np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) * size


def _box(points: np.ndarray, to_view: np.ndarray) -> np.ndarray:
    """Box (4,) around outer corners of pixels, as of a mask: x and y are the middle of the first pixel."""
    mapped = map_pixels(points, to_view)
    low, high = mapped.min(axis=0), mapped.max(axis=0)
    return np.concatenate([low + 0.5, high - low])


def _middle(box: np.ndarray) -> np.ndarray:
    return box[:2] + (box[2:] - 1) / 2
