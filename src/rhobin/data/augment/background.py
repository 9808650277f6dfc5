"""Other backgrounds: rooms without their people, folders of images, plain colours, noise."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from rhobin.behave.layout import DEPTH, left_by_system
from rhobin.behave.pixels import too_large
from rhobin.data.augment.donors import Donors
from rhobin.data.augment.other_root import OtherRooms, is_root
from rhobin.data.augment.rooms import empty_room, freest_square

SUFFIXES = (".jpg", ".jpeg", ".png")
SOURCES = ("rooms", "plain", "noise")
_FILLERS = 3
_NOISE_SIZE = 108


class Backgrounds:
    """Draws square backgrounds from one source."""

    def __init__(self, source: str, donors: Donors):
        """Choose the source.

        Args:
            source: "rooms", "plain", "noise", a dataset root whose rooms are shown, or a folder of images,
                searched with its subfolders.
            donors: views that "rooms" takes.

        Raises:
            FileNotFoundError: the folder does not exist or holds no image.
            ValueError: the root has no rooms.
        """
        folder = None if source in SOURCES else Path(source)
        self.source, self.donors = source, donors
        self.rooms = OtherRooms(folder) if folder and is_root(folder) else None
        self.files = list_images(folder) if folder and self.rooms is None else []

    def draw(self, rng: np.random.Generator, index: int, size: int) -> tuple[np.ndarray, str] | None:
        """A background for view `index`.

        Args:
            rng: random numbers.
            index: the view that will stand before it.
            size: width and height, pixels.

        Returns:
            (size, size, 3) BGR uint8 and what it is; None when the source has nothing else to show.
        """
        if self.rooms:
            room = self.rooms.draw(rng, size)
            return None if room is None else (room, "room of another root")
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
            image = _decoded(file)
            if image is not None:
                return _random_square(rng, image, size), file.name
        return None

    def _from_room(self, rng: np.random.Generator, index: int, size: int) -> tuple[np.ndarray, str] | None:
        found = self.donors.elsewhere(rng, index, self.donors.room)
        if found is None:
            return None
        other, view = found
        fillers = self.donors.same_room(rng, other, _FILLERS)
        return empty_room(view, fillers, freest_square(rng, view), size), "room"


def _decoded(file: Path) -> np.ndarray | None:
    """Colour (H, W, 3) BGR uint8 of a file, None where it cannot be used."""
    try:
        content = file.read_bytes()
        if not content or too_large(content):
            return None
        return cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    except (OSError, cv2.error):
        return None


def list_images(folder: Path) -> list[Path]:
    """Images of a folder and its subfolders, sorted; depth images (`*.depth.png`) are none.

    Raises:
        FileNotFoundError: the folder does not exist or holds no image.
    """
    advice = (
        "set data.augment.background_from to rooms, plain, noise, a dataset root, or a folder of .jpg or "
        ".png images"
    )
    if not folder.is_dir():
        raise FileNotFoundError(f"data.augment.background_from: there is no folder {folder}; {advice}")
    files = sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in SUFFIXES
        and not path.name.endswith(DEPTH)
        and not any(map(left_by_system, path.relative_to(folder).parts))
    )
    if not files:
        raise FileNotFoundError(f"data.augment.background_from: {folder} holds no image; {advice}")
    return files


def smooth_noise(rng: np.random.Generator, size: int) -> np.ndarray:
    """Noise at four scales, (size, size, 3) uint8."""
    total = np.zeros((_NOISE_SIZE, _NOISE_SIZE, 3), np.float32)
    for cells in (2, 6, 18, 54):
        grid = rng.uniform(-1, 1, (cells, cells, 3)).astype(np.float32) / np.float32(np.sqrt(cells / 2))
        total += cv2.resize(grid, total.shape[:2], interpolation=cv2.INTER_CUBIC)
    noise = np.clip(127 + 90 * total, 0, 255).astype(np.uint8)
    return cv2.resize(noise, (size, size), interpolation=cv2.INTER_CUBIC)


def replace_background(
    color: np.ndarray, person: np.ndarray, obj: np.ndarray, background: np.ndarray
) -> np.ndarray:
    """Put another background behind person and object.

    Args:
        color: (H, W, 3) uint8.
        person: (H, W) uint8 mask of 0 or 255.
        obj: (H, W) uint8 mask of the object.
        background: (H, W, 3) uint8.

    Returns:
        A new image; the masks' edges are blended over about a pixel.
    """
    return blend(background, color, cv2.GaussianBlur(cv2.bitwise_or(person, obj), (3, 3), 0))


def blend(below: np.ndarray, above: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """`above` over `below`, images (H, W, 3) uint8, with alpha (H, W) uint8 of 0 to 255."""
    mixed = cv2.copyTo(above, cv2.inRange(alpha, 255, 255), below.copy())
    edge = cv2.findNonZero(cv2.inRange(alpha, 1, 254))
    if edge is not None:
        columns, rows = edge.reshape(-1, 2).T
        weight = alpha[rows, columns, None].astype(np.uint16)
        mixed[rows, columns] = (
            above[rows, columns] * weight + below[rows, columns] * (255 - weight) + 127
        ) // 255
    return mixed


def _random_square(rng: np.random.Generator, image: np.ndarray, size: int) -> np.ndarray:
    height, width = image.shape[:2]
    side = max(1, round(min(height, width) * rng.uniform(0.6, 1.0)))
    top, left = (int(rng.integers(length - side + 1)) for length in (height, width))
    flags = cv2.INTER_AREA if side > size else cv2.INTER_LINEAR
    return cv2.resize(image[top : top + side, left : left + side], (size, size), interpolation=flags)
