"""Run lengths of COCO: how many pixels outside, inside, outside ... a region, down the columns."""

from __future__ import annotations

from typing import Any

import numpy as np

from rhobin.data.photos.regions import RegionError, Size, short

_FIRST, _BITS = 48, 5  # the character of zero; bits a character
_MORE, _NEGATIVE = 0x20, 0x10  # another character follows; in the last one: the number is below 0


def fill_runs(value: dict[str, Any], where: str, size: Size) -> np.ndarray:
    """Pixels of a run-length encoded region, (H, W) bool.

    Args:
        value: `size`, height and width; `counts`, a list of numbers or COCO's compressed string.
        where: of the region in its file, for errors.
        size: width and height of the photograph.

    Raises:
        RegionError: it is no such code, or of an image of another size.
    """
    if value.get("size") != [size[1], size[0]]:
        raise RegionError(
            f"{where}: size is {short(value.get('size'))}; expected [{size[1]}, {size[0]}], height and width "
            "of the photograph. Annotate this very image"
        )
    counts = value.get("counts")
    runs = unpack_counts(counts, where) if isinstance(counts, str) else counts
    if not isinstance(runs, list) or any(type(run) is not int or run < 0 for run in runs):
        raise RegionError(
            f"{where}: counts are {short(counts)}; expected whole numbers from 0 up, or COCO's string of "
            "them. Export the file again"
        )
    if sum(runs) != size[0] * size[1]:
        raise RegionError(
            f"{where}: counts add up to {sum(runs)} pixels; expected {size[0] * size[1]}, those of the "
            "photograph. Export the file again"
        )
    inside = np.arange(len(runs)) % 2 == 1
    return np.repeat(inside, np.array(runs, np.int64)).reshape(size[0], size[1]).T


def unpack_counts(text: str, where: str) -> list[int]:
    """The numbers of COCO's compressed counts: five bits a character, the lowest first.

    From the fourth number on, each is the difference to the one two before it.

    Raises:
        RegionError: a character stands for nothing, or the last number has no end.
    """
    counts: list[int] = []
    number, shift = 0, 0
    for character in text:
        bits = ord(character) - _FIRST
        if not 0 <= bits < 2 * _MORE:
            raise RegionError(
                f"{where}: counts hold the character {character!r}; expected those from '0' to 'o', as COCO "
                "compresses run lengths. Export the file again"
            )
        number |= (bits & (_MORE - 1)) << shift
        shift += _BITS
        if not bits & _MORE:
            number -= (1 << shift) if bits & _NEGATIVE else 0
            counts.append(number + (counts[-2] if len(counts) > 2 else 0))
            number, shift = 0, 0
    if shift:
        raise RegionError(
            f"{where}: counts end inside a number; expected a whole string. Export the file again"
        )
    return counts
