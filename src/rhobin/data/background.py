"""Other backgrounds: rooms without their people, folders of images, plain colours, noise."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np

from rhobin.data.donors import Donors
from rhobin.data.images import Context
from rhobin.geometry.camera import crop_matrix

SUFFIXES = (".jpg", ".jpeg", ".png")
_FILLERS, _ENOUGH_KNOWN = 3, 0.99
_NOISE_SIZE = 108
_DILATION = np.ones((5, 5), np.uint8)


class Backgrounds:
    """Draws square backgrounds from one source."""

    def __init__(self, source: str, donors: Donors):
        """Choose the source.

        Args:
            source: "rooms", "plain", "noise", or a folder of images, searched with its subfolders.
            donors: views that "rooms" takes.

        Raises:
            FileNotFoundError: the folder does not exist or holds no image.
        """
        self.source, self.donors = source, donors
        self.files = [] if source in ("rooms", "plain", "noise") else list_images(Path(source))

    def draw(self, rng: np.random.Generator, index: int, size: int) -> tuple[np.ndarray, str] | None:
        """A background for view `index`.

        Args:
            rng: random numbers.
            index: the view that will stand before it.
            size: width and height, pixels.

        Returns:
            (size, size, 3) BGR uint8 and what it is; None when the source has nothing else to show.
        """
        if self.files:
            return self._from_folder(rng, size)
        if self.source == "rooms":
            return self._from_room(rng, index, size)
        if self.source == "plain":
            return np.full((size, size, 3), rng.integers(0, 256, 3), np.uint8), "plain"
        return smooth_noise(rng, size), "noise"

    def _from_folder(self, rng: np.random.Generator, size: int) -> tuple[np.ndarray, str] | None:
        for _ in range(8):
            file = self.files[int(rng.integers(len(self.files)))]
            image = (
                cv2.imdecode(np.fromfile(file, np.uint8), cv2.IMREAD_COLOR) if file.stat().st_size else None
            )
            if image is not None:
                return _random_square(rng, image, size), file.name
        return None

    def _from_room(self, rng: np.random.Generator, index: int, size: int) -> tuple[np.ndarray, str] | None:
        found = self.donors.elsewhere(rng, index, self.donors.room)
        if found is None:
            return None
        other, context = found
        fillers = self.donors.same_room(rng, other, _FILLERS)
        return empty_room(context, fillers, size, float(rng.uniform(0.8, 1.2))), "room"


def list_images(folder: Path) -> list[Path]:
    """Images of a folder and its subfolders, sorted.

    Raises:
        FileNotFoundError: the folder does not exist or holds no image.
    """
    advice = (
        "set data.augment.background_from to a folder of .jpg or .png images, or to rooms, plain or noise"
    )
    if not folder.is_dir():
        raise FileNotFoundError(f"data.augment.background_from: there is no folder {folder}; {advice}")
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    if not files:
        raise FileNotFoundError(f"data.augment.background_from: {folder} holds no image; {advice}")
    return files


def empty_room(first: Context, others: Iterable[Context], size: int, zoom: float) -> np.ndarray:
    """The room of a view, without the people and objects in it.

    What they hide is taken from the other views of the same camera, as far as these show it, with the
    difference in light at the seam carried inwards; the rest is filled from its surroundings.

    Args:
        first: the view.
        others: views by the same static camera; read until little is left to fill.
        size: width and height of the result, pixels.
        zoom: width of the part shown, in widths of the first view's crop.

    Returns:
        (size, size, 3) BGR uint8.
    """
    width, height = first.size
    side = min(first.side * zoom, width, height)
    centre = np.clip(first.centre, side / 2 - 0.5, np.array([width, height]) - side / 2 - 0.5)
    from_image = crop_matrix(centre, side, size)
    room, known = _free_of_people(first, from_image, size)
    part = _around(~known)
    for context in others:
        if context.size == first.size:  # else it is no view of the same camera
            seen, free = (values[part] for values in _free_of_people(context, from_image, size))
            shared, wanted = free & known[part], free & ~known[part]
            light = fill_holes(room[part] - seen, shared)
            room[part] += np.where(wanted[..., None], seen + light, 0)
            known[part] |= wanted
        if known[part].mean() > _ENOUGH_KNOWN:
            break
    room[part] = fill_holes(room[part], known[part])
    return np.clip(room, 0, 255).round().astype(np.uint8)


def _around(hole: np.ndarray) -> tuple[slice, slice]:
    """Rows and columns of a hole (H, W) with a border of an eighth of the image, to be filled from."""
    x, y, width, height = cv2.boundingRect(hole.astype(np.uint8))
    border = len(hole) // 8
    return slice(max(y - border, 0), y + height + border), slice(max(x - border, 0), x + width + border)


def _free_of_people(context: Context, from_image: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Colour of a view where it shows neither person nor object, else 0: (S, S, 3) float, (S, S) bool."""
    covered = cv2.dilate(cv2.bitwise_or(*context.masks), _DILATION)
    homography = from_image @ np.linalg.inv(context.from_image)
    color, clear = (
        cv2.warpPerspective(plane, homography, (size, size), flags=cv2.INTER_LINEAR)
        for plane in (context.color, 255 - covered)
    )
    free = clear > 254
    return np.where(free[..., None], color, 0).astype(np.float32), free


def fill_holes(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Fill unknown pixels smoothly from known ones around them, coarse to fine.

    Args:
        values: (H, W, 3) float32.
        known: (H, W) bool.

    Returns:
        A new array; zero when nothing is known.
    """
    height, width = known.shape
    if known.all() or not known.any():
        return np.where(known[..., None], values, np.float32(0))
    half = ((width + 1) // 2, (height + 1) // 2)
    weight = known.astype(np.float32)
    share = cv2.resize(weight, half, interpolation=cv2.INTER_AREA)
    small = cv2.resize(values * weight[..., None], half, interpolation=cv2.INTER_AREA)
    coarse = fill_holes(small / np.maximum(share, 1e-6)[..., None], share > 0)
    smooth = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.where(known[..., None], values, smooth)


def smooth_noise(rng: np.random.Generator, size: int) -> np.ndarray:
    """Noise at four scales, (size, size, 3) uint8."""
    total = np.zeros((_NOISE_SIZE, _NOISE_SIZE, 3), np.float32)
    for cells in (2, 6, 18, 54):
        grid = rng.uniform(-1, 1, (cells, cells, 3)).astype(np.float32) / np.float32(np.sqrt(cells / 2))
        total += cv2.resize(grid, total.shape[:2], interpolation=cv2.INTER_CUBIC)
    noise = np.clip(127 + 90 * total, 0, 255).astype(np.uint8)
    return cv2.resize(noise, (size, size), interpolation=cv2.INTER_CUBIC)


def replace_background(
    color: np.ndarray, person: np.ndarray, thing: np.ndarray, background: np.ndarray
) -> np.ndarray:
    """Put another background behind person and object.

    Args:
        color: (H, W, 3) uint8.
        person: (H, W) uint8 mask of 0 or 255.
        thing: (H, W) uint8 mask of the object.
        background: (H, W, 3) uint8.

    Returns:
        A new image; the masks' edges are blended over about a pixel.
    """
    return blend(background, color, cv2.GaussianBlur(cv2.bitwise_or(person, thing), (3, 3), 0))


def blend(below: np.ndarray, above: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """`above` over `below`, images (H, W, 3) uint8, with alpha (H, W) uint8 of 0 to 255."""
    mixed = below.copy()
    opaque = alpha == 255
    mixed[opaque] = above[opaque]
    edge = (alpha > 0) & ~opaque
    weight = alpha[edge, None].astype(np.uint16)
    mixed[edge] = (above[edge] * weight + below[edge] * (255 - weight) + 127) // 255
    return mixed


def _random_square(rng: np.random.Generator, image: np.ndarray, size: int) -> np.ndarray:
    height, width = image.shape[:2]
    side = max(1, round(min(height, width) * rng.uniform(0.6, 1.0)))
    top, left = (int(rng.integers(length - side + 1)) for length in (height, width))
    flags = cv2.INTER_AREA if side > size else cv2.INTER_LINEAR
    return cv2.resize(image[top : top + side, left : left + side], (size, size), interpolation=flags)
