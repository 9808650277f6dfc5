"""How large an image says that it is, before anything is decoded."""

from __future__ import annotations

MOST_PIXELS = 200_000_000
_PNG, _JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8"
_SIZES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
"""Markers of JPEG's frames; the three others of that row mean something else."""


def too_large(content: bytes) -> str | None:
    """Words for the size of a PNG or JPEG that declares more pixels than any camera has, or None."""
    width, height = _declared(content)
    if width * height <= MOST_PIXELS:
        return None
    return f"the file declares {width}x{height} pixels; expected at most {MOST_PIXELS // 10**6} million"


def _declared(content: bytes) -> tuple[int, int]:
    """Width and height by the header, 0 where there is none."""
    if content.startswith(_PNG):
        return int.from_bytes(content[16:20], "big"), int.from_bytes(content[20:24], "big")
    at = 2 if content.startswith(_JPEG) else len(content)
    while content[at : at + 1] == b"\xff" and at + 9 <= len(content):
        if content[at + 1] in _SIZES:
            height, width = content[at + 5 : at + 7], content[at + 7 : at + 9]
            return int.from_bytes(width, "big"), int.from_bytes(height, "big")
        at += 1 if content[at + 1] == 0xFF else 2 + int.from_bytes(content[at + 2 : at + 4], "big")
    return 0, 0
