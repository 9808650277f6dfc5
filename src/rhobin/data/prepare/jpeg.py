"""JPEGs of which a rectangle can be decoded without the rest.

A restart marker after every unit of 16 x 16 pixels makes each unit decodable by itself (ITU-T T.81, E.1.4 and
E.2.4). The files stay plain baseline JPEGs that every decoder reads; a rectangle of units with its own header
is one, too.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

UNIT = 16
BORDER = 2  # pixels whose colour depends on the neighbouring unit's, when chroma is interpolated
_START_OF_FRAME, _START_OF_SCAN = 0xC0, 0xDA
_FIRST_RESTART, _RESTARTS = 0xD0, 8
_END = b"\xff\xd9"


def encode_units(image: np.ndarray, quality: int) -> bytes:
    """Encode (h, w, 3) BGR uint8 with a restart after every unit; chroma at half the resolution."""
    options = {
        cv2.IMWRITE_JPEG_QUALITY: quality,
        cv2.IMWRITE_JPEG_RST_INTERVAL: 1,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR: cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420,
    }
    _, code = cv2.imencode(".jpg", image, [value for option in options.items() for value in option])
    return code.tobytes()


class Units(NamedTuple):
    """A rectangle of units: the first column and row, and those after the last."""

    left: int
    top: int
    right: int
    bottom: int

    @classmethod
    def covering(cls, region: tuple[int, int, int, int], size: tuple[int, int]) -> Units:
        """Those of an image of `size` that cover left, top, right, bottom in pixels; at least one."""
        ends = [-(-length // UNIT) for length in size]
        left, top = (min(max(start // UNIT, 0), end - 1) for start, end in zip(region[:2], ends, strict=True))
        right, bottom = (min(-(-stop // UNIT), end) for stop, end in zip(region[2:], ends, strict=True))
        return cls(left, top, max(right, left + 1), max(bottom, top + 1))

    def overlap(self, other: Units) -> Units:
        """Units of this rectangle that are in both; its own where there are none."""
        both = Units(*map(max, self[:2], other[:2]), *map(min, self[2:], other[2:]))
        return both if both.left < both.right and both.top < both.bottom else self

    def pixels(self, size: tuple[int, int]) -> tuple[int, int]:
        """Width and height in pixels within an image of `size`."""
        right, bottom = min(self.right * UNIT, size[0]), min(self.bottom * UNIT, size[1])
        return right - self.left * UNIT, bottom - self.top * UNIT


def cut_units(content: bytes, units: Units, size: tuple[int, int]) -> bytes:
    """A rectangle of an image as a JPEG of its own.

    It decodes to the pixels of the whole, except for `BORDER` pixels along edges that are not the whole's.

    Args:
        content: from `encode_units`.
        units: the rectangle.
        size: width and height of the whole, pixels.

    Raises:
        ValueError: the content does not come from `encode_units`, or has another size.
    """
    columns, rows = (-(-length // UNIT) for length in size)
    begin, size_at = _header(content)
    starts, ends = _unit_bytes(content, begin)
    if len(starts) != columns * rows:
        raise ValueError(f"has {len(starts)} restart intervals, expected {columns * rows}")
    first = np.arange(units.top, units.bottom) * columns + units.left
    members = first[:, None] + np.arange(units.right - units.left)
    width, height = units.pixels(size)
    head = bytearray(content[:begin])
    head[size_at : size_at + 4] = height.to_bytes(2, "big") + width.to_bytes(2, "big")
    spans = zip(starts[members[:, 0]].tolist(), ends[members[:, -1]].tolist(), strict=True)
    cut = head + b"\xff\xd0".join([content[start:end] for start, end in spans]) + _END
    marks = begin + np.cumsum((ends[members] - starts[members]).ravel() + 2)[:-1] - 1
    np.frombuffer(cut, np.uint8)[marks] = _FIRST_RESTART + np.arange(len(marks)) % _RESTARTS
    return bytes(cut)


def _header(content: bytes) -> tuple[int, int]:
    """Where the coded units begin, and where the image's height and width stand."""
    at, size_at = 2, 0
    while content[at : at + 1] == b"\xff":
        marker, length = content[at + 1], int.from_bytes(content[at + 2 : at + 4], "big")
        size_at = at + 5 if marker == _START_OF_FRAME else size_at
        at += 2 + length
        if marker == _START_OF_SCAN and size_at:
            return at, size_at
    raise ValueError("is not a baseline JPEG")


def _unit_bytes(content: bytes, begin: int) -> tuple[np.ndarray, np.ndarray]:
    """Where the bytes of each unit start and end: they are separated by restart markers."""
    data = np.frombuffer(content, np.uint8)
    escapes = np.flatnonzero(data[begin:-1] == 0xFF) + begin
    after = data[escapes + 1]
    marks = escapes[(after >= _FIRST_RESTART) & (after < _FIRST_RESTART + _RESTARTS)]
    return np.append(begin, marks + 2), np.append(marks, len(content) - len(_END))
