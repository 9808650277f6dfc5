"""Who is meant in a photograph: a mask, or a box and what can be made of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from rhobin.data.images.crops import missing_mask
from rhobin.data.images.decode import size_text
from rhobin.data.photos.grabcut import cut_person
from rhobin.data.photos.photo import Photo, PhotoError, PhotoSource, read_photo_mask
from rhobin.data.settings import SampleConfig

NOTHING = (np.zeros((0, 0), np.uint8), np.zeros(4))


@dataclass(frozen=True)
class Pointer:
    """What a user says of a photograph.

    Attributes:
        box: (x, y, width, height) of the person, pixels of the upright image; None where a mask is given.
        mask: file whose bright pixels are the person; None where a box is given.
        object_mask: the same of the object; None for an object that is not told.
    """

    box: tuple[float, float, float, float] | None = None
    mask: Path | None = None
    object_mask: Path | None = None


@dataclass(frozen=True)
class Subject:
    """The person of a photograph.

    Attributes:
        source: the photograph with its masks.
        about: the same with the masks that crops are cut about: of a box, all of it.
        how: where the person's mask comes from, in words.
        notes: what the user should know.
    """

    source: PhotoSource
    about: PhotoSource
    how: str
    notes: tuple[str, ...] = ()


def find_subject(photo: Photo, pointer: Pointer, config: SampleConfig) -> Subject:
    """The person that a user points at, with the masks that a network reads.

    Args:
        photo: decoded.
        pointer: a box or a mask of the person, perhaps a mask of the object.
        config: what the network's samples hold.

    Raises:
        PhotoError: a mask cannot be used, the box lies outside the image, or no mask can be made of it.
    """
    obj, object_box = read_photo_mask(pointer.object_mask, photo) if pointer.object_mask else NOTHING
    if pointer.mask is not None:
        person, box = read_photo_mask(pointer.mask, photo)
    else:
        box = whole_box(photo, pointer.box)
        person = np.full((int(box[3]), int(box[2])), 255, np.uint8)
    source = about = PhotoSource(photo, (person, obj), np.stack([box, object_box]))
    how = f"box {box_text(box)}" if pointer.mask is None else f"mask {pointer.mask}"
    if pointer.mask is None and reads_mask(config):
        person = need_mask(photo, box) & ~on_box(obj, object_box, box, photo.size)
        source, how = replace(about, masks=(person, obj)), f"{how}, and a mask in it by OpenCV's GrabCut"
    if any(missing_mask(source.boxes, crop.crop, True) is not None for crop in config.crops):
        raise PhotoError(f"{photo.file}: the network looks at the object, too; give --object-mask FILE")
    return Subject(source, about, how, network_notes(config, pointer.object_mask is not None))


def need_mask(photo: Photo, box: np.ndarray) -> np.ndarray:
    """The person's mask in a box (4,), uint8 of 0 or 255, by colour alone.

    Raises:
        PhotoError: nobody is found.
    """
    person = cut_person(photo.pixels, box)
    if person is None:
        raise PhotoError(
            f"{photo.file}: GrabCut finds nobody in the box {box_text(box)}, and this network reads the "
            "person's mask; expected a box with some background around it. Give --mask FILE"
        )
    return person


def reads_mask(config: SampleConfig) -> bool:
    """Whether a network's image depends on the shape of the person's mask, not only on its box."""
    return "person" in config.reads.planes or config.view.background == "zero"


def network_notes(config: SampleConfig, told_object: bool) -> tuple[str, ...]:
    """What a user should know of how a network looks at the photograph."""
    notes = []
    if not told_object and "object" in config.reads.planes:
        notes.append("the network reads an object mask, too: it sees an empty one; --object-mask tells it")
    if config.crops[0].crop == "frame" and not reads_mask(config):
        notes.append(
            "the network reads the whole image and no mask: of several people it may tell another one"
        )
    return tuple(notes)


def whole_box(photo: Photo, box: tuple[float, float, float, float] | None) -> np.ndarray:
    """A box (4,) as whole pixels, clipped to the photograph.

    Raises:
        PhotoError: nothing of it lies in the photograph.
    """
    if box is None:
        raise PhotoError(f"{photo.file}: no person is pointed at; give --box X,Y,WIDTH,HEIGHT or --mask FILE")
    x, y, width, height = box
    low = np.clip(np.round([x, y]), 0, photo.size)
    side = np.clip(np.round([x + width, y + height]), 0, photo.size) - low
    if not (side > 0).all():
        raise PhotoError(
            f"{photo.file}: the box {box_text(np.array(box))} holds no pixel of the image, which is "
            f"{size_text(photo.size)}; expected x, y of its first pixel, width, height. Correct --box"
        )
    return np.concatenate([low, side])


def on_box(part: np.ndarray, own: np.ndarray, box: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """What a mask shows inside another box than its own; boxes (4,) of an image of this size."""
    whole = np.zeros(size[::-1], np.uint8)
    x, y, width, height = own.astype(int).tolist()
    whole[y : y + height, x : x + width] = part
    x, y, width, height = box.astype(int).tolist()
    return whole[y : y + height, x : x + width]


def box_text(box: np.ndarray) -> str:
    """A box as it is written after --box."""
    return ",".join(f"{value:g}" for value in box)
