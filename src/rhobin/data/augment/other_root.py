"""Rooms of another root: real backgrounds for objects that were rendered alone."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from rhobin.behave.detect import layouts_of
from rhobin.behave.read import read_release
from rhobin.behave.release import Release
from rhobin.data.augment.donors import Donors
from rhobin.data.augment.rooms import empty_room, freest_square
from rhobin.data.images.crops import EMPTY_MASK, missing_mask
from rhobin.data.images.decode import BadSampleError
from rhobin.data.images.framing import frame_crop
from rhobin.data.images.outline import DecodedView, outline_view
from rhobin.data.prepare.margin import require_margin
from rhobin.data.prepare.prepared import is_prepared, open_source, read_prepared
from rhobin.data.reads import CropReads
from rhobin.data.shared import shared_array

ROOMS = 1000
"""Most rooms that are kept, each of other views: 190 MB, which all loader processes share."""
SIZE = 256
FILLERS = 3
_CROP = CropReads("union", input_size=SIZE)
_REACH = 2.0
_PARTS = (0.6, 1.0)
_EMPTY, _READY, _NONE = 0, 1, 2


class OtherRooms:
    """Rooms of a root's training views without their people and objects, each made when first drawn."""

    def __init__(self, root: Path):
        """Read the training split of a root.

        Raises:
            ValueError: it holds rendered objects, which stand in no room, or no training view.
        """
        self.donors = donors_of(root)
        count = min(ROOMS, len(self.donors.room))
        self._pixels = shared_array((count, SIZE, SIZE, 3), np.uint8)
        self._state = shared_array(count, np.uint8)

    def draw(self, rng: np.random.Generator, size: int) -> np.ndarray | None:
        """A part of a room, mirrored or not.

        Args:
            rng: random numbers.
            size: width and height, pixels.

        Returns:
            (size, size, 3) BGR uint8; None when the view of that room cannot be used.
        """
        room = self._room(int(rng.integers(len(self._state))))
        side = round(SIZE * rng.uniform(*_PARTS))
        left, top = rng.integers(0, SIZE - side + 1, 2)
        mirrored = rng.random() < 0.5
        if room is None:
            return None
        part = room[top : top + side, left : left + side]
        flags = cv2.INTER_AREA if side > size else cv2.INTER_LINEAR
        return cv2.resize(part[:, ::-1] if mirrored else part, (size, size), interpolation=flags)

    def _room(self, number: int) -> np.ndarray | None:
        """Room `number`, the same in every process."""
        if self._state[number] == _EMPTY:
            rng = np.random.default_rng(number)
            found = self.donors.elsewhere(rng, None, self.donors.room)
            if found is not None:
                index, view = found
                fillers = self.donors.same_room(rng, index, FILLERS)
                self._pixels[number] = empty_room(view, fillers, freest_square(rng, view), SIZE)
            self._state[number] = _NONE if found is None else _READY
        return self._pixels[number] if self._state[number] == _READY else None


def is_root(folder: Path) -> bool:
    """Whether a folder is a dataset root, prepared or not."""
    return folder.is_dir() and (is_prepared(folder) or bool(layouts_of(folder)))


def donors_of(root: Path) -> Donors:
    """The training views of a root, decoded about person and object; errors as `OtherRooms`."""
    release = read_prepared(root, "train") if is_prepared(root) else read_release(root, "train")
    if release.layout == "renders":
        raise ValueError(
            f"data.augment.background_from: {root} holds rendered objects, which stand in no room; set it to "
            "a BEHAVE root (rhobin synth makes one), a folder of images, plain or noise"
        )
    views = release.views
    require_margin(release, np.arange(len(views.frame)), _CROP, _REACH)
    sequence = np.asarray(release.sequences)[release.frames.sequence[views.frame]]
    return Donors(sequence.tolist(), views.camera.tolist(), lambda view: _decoded(release, view))


def _decoded(release: Release, view: int) -> DecodedView:
    source = open_source(release, view)
    missing = missing_mask(source.boxes, _CROP.crop, True, release.views.shown[view])
    if missing is not None:
        raise BadSampleError(release.view_files(view)[0], EMPTY_MASK[missing], "no pixel is set")
    return outline_view(source, frame_crop(source.boxes, _CROP, source.size, _REACH), SIZE).decode()
