"""JPEGs of which a rectangle can be decoded without the rest.

A restart marker after every unit of 16 x 16 pixels makes each unit decodable by itself (ITU-T T.81, E.1.4 and
E.2.4). Comment segments before the scan list the length of each unit's code as 16 bits, high byte first, so
that no one has to search for the markers. The files stay plain baseline JPEGs that every decoder reads; a
rectangle of units with its own header is one, too.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

UNIT = 16
BORDER = 2  # pixels whose colour depends on the neighbouring unit's, when chroma is interpolated
_START_OF_FRAME, _START_OF_SCAN, _COMMENT = 0xC0, 0xDA, 0xFE
_FIRST_RESTART, _RESTARTS = 0xD0, 8
_MARKER = 2  # bytes
_LONGEST = 2 * ((0xFFFF - 2) // 2)  # bytes of whole entries in one comment
_END = b"\xff\xd9"


def encode_units(image: np.ndarray, quality: int) -> bytes:
    """Encode (h, w, 3) BGR uint8 with a restart after every unit; chroma at half the resolution."""
    options = {
        cv2.IMWRITE_JPEG_QUALITY: quality,
        cv2.IMWRITE_JPEG_RST_INTERVAL: 1,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR: cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420,
    }
    _, code = cv2.imencode(".jpg", image, [value for option in options.items() for value in option])
    content = code.tobytes()
    header = _read_header(content)
    table = _unit_lengths(content[header.begin :]).astype(">u2").tobytes()
    pieces = [table[at : at + _LONGEST] for at in range(0, len(table), _LONGEST)]
    comments = b"".join(bytes([0xFF, _COMMENT]) + (len(p) + 2).to_bytes(2, "big") + p for p in pieces)
    return content[: header.scan_at] + comments + content[header.scan_at :]


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
    header = _read_header(content)
    lengths = np.frombuffer(header.table, ">u2")
    if len(lengths) != columns * rows:
        raise ValueError(f"lists {len(lengths)} units of {UNIT} x {UNIT} pixels, expected {columns * rows}")
    ends = header.begin + np.cumsum(lengths + _MARKER, dtype=np.int64) - _MARKER
    if ends[-1] + len(_END) != len(content):
        raise ValueError(f"has {len(content)} bytes, its table of units says {ends[-1] + len(_END)}")
    lengths, ends = (
        array.reshape(rows, columns)[units.top : units.bottom, units.left : units.right]
        for array in (lengths, ends)
    )
    starts = ends[:, 0] - lengths[:, 0]
    spans = zip(starts.tolist(), ends[:, -1].tolist(), strict=True)
    width, height = units.pixels(size)
    head = bytearray(header.content)
    head[header.size_at : header.size_at + 4] = height.to_bytes(2, "big") + width.to_bytes(2, "big")
    cut = head + b"\xff\xd0".join([content[start:end] for start, end in spans]) + _END
    marks = len(head) + np.cumsum(lengths.ravel() + _MARKER, dtype=np.int64)[:-1] - 1
    np.frombuffer(cut, np.uint8)[marks] = _FIRST_RESTART + np.arange(len(marks)) % _RESTARTS
    return bytes(cut)


class _Header(NamedTuple):
    """What stands before the coded units.

    Attributes:
        content: all of it but the comments.
        size_at: where in it the image's height and width stand.
        scan_at: where the last of its segments begins in the file.
        begin: where the units begin in the file.
        table: what the comments hold.
    """

    content: bytes
    size_at: int
    scan_at: int
    begin: int
    table: bytes


def _read_header(content: bytes) -> _Header:
    at, size_at, kept, comments = 2, 0, [content[:2]], []
    while content[at : at + 1] == b"\xff":
        marker, end = content[at + 1], at + 2 + int.from_bytes(content[at + 2 : at + 4], "big")
        if marker == _START_OF_FRAME:
            size_at = sum(map(len, kept)) + 5
        if marker == _COMMENT:
            comments.append(content[at + 4 : end])
        else:
            kept.append(content[at:end])
        if marker == _START_OF_SCAN and size_at:
            return _Header(b"".join(kept), size_at, at, end, b"".join(comments))
        at = end
    raise ValueError("is not a baseline JPEG")


def _unit_lengths(coded: bytes) -> np.ndarray:
    """Bytes of each unit's code: units are separated by restart markers, an end marker follows."""
    data = np.frombuffer(coded, np.uint8)
    escapes = np.flatnonzero(data[:-1] == 0xFF)
    after = data[escapes + 1]
    marks = escapes[(after >= _FIRST_RESTART) & (after < _FIRST_RESTART + _RESTARTS)]
    ends = np.append(marks, len(coded) - len(_END))
    return np.diff(ends, prepend=-_MARKER) - _MARKER
