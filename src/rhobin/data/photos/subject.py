"""Who and what is meant in a photograph: masks, or boxes and what can be made of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rhobin.data.images.crops import missing_mask
from rhobin.data.images.decode import size_text
from rhobin.data.photos.apart import lies_apart
from rhobin.data.photos.cut import box_text, cut_masks
from rhobin.data.photos.photo import Photo, PhotoError, PhotoSource, checked_mask, read_photo_mask
from rhobin.data.photos.pointer import OPTIONS, PARTS, Box, Pointer, Told, require_told
from rhobin.data.settings import SampleConfig

NOTHING = (np.zeros((0, 0), np.uint8), np.zeros(4))
ARTICLE = {"person": "a person", "object": "an object"}


@dataclass(frozen=True)
class Subject:
    """The person and the object of a photograph.

    Attributes:
        source: the photograph with its masks.
        about: the same with the masks that crops are cut about: of a box, all of it.
        how: where the mask of each part that is pointed at comes from, in words, by part.
        notes: what the user should know.
    """

    source: PhotoSource
    about: PhotoSource
    how: dict[str, str]
    notes: tuple[str, ...] = ()


def find_subject(photo: Photo, pointer: Pointer, config: SampleConfig) -> Subject:
    """What a user points at, with the masks that a network reads.

    Args:
        photo: decoded.
        pointer: a box or a mask of each part that the network predicts, perhaps of the other.
        config: what the network's samples hold.

    Raises:
        PhotoError: a part is not pointed at, a mask cannot be used, a box lies outside the image, or no mask
            can be made of it.
    """
    require_told(str(photo.file), config.reads.parts, pointer.person, pointer.object)
    shapes = [_shape(photo, pointer[part], name) for part, name in enumerate(PARTS)]
    about = PhotoSource(photo, (shapes[0][0], shapes[1][0]), np.stack([box for _, box in shapes]))
    exact = (pointer.person.mask is not None, pointer.object.mask is not None)
    boxed = [pointer[part].box is not None and reads_mask(config, name) for part, name in enumerate(PARTS)]
    cut = (boxed[0], boxed[1])
    source = cut_masks(about, exact, cut) if any(cut) else about
    if any(missing_mask(source.boxes, crop.crop, True) is not None for crop in config.crops):
        raise PhotoError(f"{photo.file}: the network looks at the object, too; give --object-mask FILE")
    how = {
        name: _how(pointer[part], about.boxes[part], cut[part])
        for part, name in enumerate(PARTS)
        if pointer[part]
    }
    return Subject(source, about, how, network_notes(config, pointer) + _doubts(about, pointer))


def reads_mask(config: SampleConfig, part: str = "person") -> bool:
    """Whether a network's image depends on the shape of a part's mask, not only on its box."""
    return part in config.reads.planes or config.view.background == "zero"


def network_notes(config: SampleConfig, pointer: Pointer) -> tuple[str, ...]:
    """What a user should know of how a network looks at the photograph."""
    notes = [
        f"the network reads {ARTICLE[name]} mask, too: it sees an empty one, with which its errors can be "
        f"several times as large; {OPTIONS[name][0]} tells it"
        for part, name in enumerate(PARTS)
        if name in config.reads.planes and not pointer[part]
    ]
    if "human" in config.reads.parts and config.crops[0].crop == "frame" and not reads_mask(config):
        notes.append(
            "the network reads the whole image and no mask: of several people it may tell another one"
        )
    return tuple(notes)


def whole_box(photo: Photo, box: Box, part: str = "person") -> np.ndarray:
    """A box (4,) as whole pixels, clipped to the photograph.

    Raises:
        PhotoError: nothing of it lies in the photograph.
    """
    x, y, width, height = box
    low = np.clip(np.round([x, y]), 0, photo.size)
    side = np.clip(np.round([x + width, y + height]), 0, photo.size) - low
    if not (side > 0).all():
        raise PhotoError(
            f"{photo.file}: the box {box_text(np.array(box))} holds no pixel of the image, which is "
            f"{size_text(photo.size)}; expected x, y of its first pixel, width, height. "
            f"Correct {OPTIONS[part][1]}"
        )
    return np.concatenate([low, side])


def _shape(photo: Photo, told: Told, part: str) -> tuple[np.ndarray, np.ndarray]:
    """A part's mask inside its box, and the box: all of it where only a box is told."""
    if isinstance(told.mask, Path):
        return read_photo_mask(told.mask, photo)
    if told.mask is not None:
        return checked_mask(told.mask, told.name, photo)
    if told.box is None:
        return NOTHING
    box = whole_box(photo, told.box, part)
    return np.full((int(box[3]), int(box[2])), 255, np.uint8), box


def _how(told: Told, box: np.ndarray, cut: bool) -> str:
    if told.mask is not None:
        return f"mask {told.mask_name}"
    return f"box {box_text(box)}" + (", and a mask in it by OpenCV's GrabCut" if cut else "")


def _doubts(about: PhotoSource, pointer: Pointer) -> tuple[str, ...]:
    """A note for each mask that may show two: no refusal, for what stands before a person parts them, too."""
    return tuple(
        f"mask {pointer[part].mask_name} has two large pieces far apart; expected one {name}. If they are "
        "two, give a mask of one of them"
        for part, name in enumerate(PARTS)
        if pointer[part].mask is not None and lies_apart(about.masks[part])
    )
