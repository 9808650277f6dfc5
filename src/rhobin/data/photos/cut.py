"""Masks where a user gave boxes, so that no pixel belongs to both parts."""

from __future__ import annotations

import numpy as np

from rhobin.data.photos.grabcut import cut_person
from rhobin.data.photos.photo import Photo, PhotoError, PhotoSource
from rhobin.data.photos.pointer import OPTIONS, PARTS

FOUND = {"person": "nobody", "object": "no object"}


def cut_masks(about: PhotoSource, exact: tuple[bool, bool], cut: tuple[bool, bool]) -> PhotoSource:
    """The photograph with masks by colour in place of whole boxes.

    A pixel that two masks claim belongs to the one that the user gave; of two that were cut, to the one with
    the smaller box.

    Args:
        about: with the masks that crops are cut about: of a box, all of it.
        exact: of person and object, whether the user gave its mask.
        cut: whether its mask is to be cut from its box.

    Raises:
        PhotoError: nothing is found in a box, or nothing that is not the other part.
    """
    masks, area = list(about.masks), about.boxes[:, 2] * about.boxes[:, 3]
    boxed = np.flatnonzero(cut).tolist()
    for part in boxed:
        masks[part] = need_mask(about.photo, about.boxes[part], PARTS[part])
    for part in boxed:
        other = 1 - part
        if exact[other] or (cut[other] and area[other] <= area[part]):
            claimed = on_box(masks[other], about.boxes[other], about.boxes[part], about.size)
            masks[part] = masks[part] & ~claimed
            _require_rest(about, masks[part], part)
    return PhotoSource(about.photo, (masks[0], masks[1]), about.boxes)


def need_mask(photo: Photo, box: np.ndarray, part: str = "person") -> np.ndarray:
    """A part's mask in a box (4,), uint8 of 0 or 255, by colour alone.

    Raises:
        PhotoError: nothing is found.
    """
    found = cut_person(photo.pixels, box)
    if found is None:
        raise PhotoError(
            f"{photo.file}: GrabCut finds {FOUND[part]} in the box {box_text(box)}, and this network reads "
            f"the {part}'s mask; expected a box with some background around it. Give {OPTIONS[part][0]} FILE"
        )
    return found


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


def _require_rest(about: PhotoSource, mask: np.ndarray, part: int) -> None:
    if not mask.any():
        name, other = PARTS[part], PARTS[1 - part]
        raise PhotoError(
            f"{about.photo.file}: all that GrabCut finds in the {name}'s box {box_text(about.boxes[part])} "
            f"is the {other}; give {OPTIONS[name][0]} FILE"
        )
