"""The first rows of a JPEG, without decoding what lies below."""

from __future__ import annotations

UNIT = 16
BORDER = 2  # rows at the end whose chroma would be interpolated with that of the next unit
_BASELINE, _SCAN, _RESTARTS = 0xC0, 0xDA, 0xDD


def first_rows(content: bytes, rows: int, size: tuple[int, int]) -> bytes | None:
    """Content that decodes to the first rows of an image, which are the whole image's.

    The header gets a smaller height, and the end marker goes: a decoder that has all its rows then stops
    instead of searching the rest for it. At full size, the last
    `BORDER` rows lack the chroma of those below.

    Args:
        content: of a file.
        rows: a multiple of `UNIT`.
        size: width and height that the image must have.

    Returns:
        None where all rows are needed, and for other files than baseline JPEGs of that size in one scan
        without restart markers.
    """
    at = 2
    height_at = colors = 0
    while rows < size[1] and content[at : at + 1] == b"\xff":
        marker, length = content[at + 1], int.from_bytes(content[at + 2 : at + 4], "big")
        if marker == _BASELINE:
            height_at, colors = at + 5, content[at + 9]
            found = [int.from_bytes(content[p : p + 2], "big") for p in (height_at + 2, height_at)]
            if found != list(size):
                return None
        if marker == _RESTARTS:
            return None
        if marker == _SCAN:
            if not height_at or content[at + 4] != colors:
                return None
            end = content.rfind(b"\xff\xd9")
            return content[:height_at] + rows.to_bytes(2, "big") + content[height_at + 2 : end]
        at += 2 + length
    return None


def whole_units(rows: float) -> int:
    """A number of rows, rounded up to a multiple of `UNIT`."""
    return UNIT * max(1, -int(-rows // UNIT))
