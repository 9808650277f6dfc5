"""What a JPEG's EXIF says that matters here: how the camera was held, and its focal length."""

from __future__ import annotations

import struct
from dataclasses import dataclass

_APP1, _SCAN = 0xE1, 0xDA
_HEAD = b"Exif\0\0"
_ORIENTATION, _EXIF_FOLDER, _FOCAL_35MM = 0x0112, 0x8769, 0xA405
_FORMS = {3: "H", 4: "I"}  # TIFF's SHORT and LONG


@dataclass(frozen=True)
class Exif:
    """Tags of a photograph.

    Attributes:
        orientation: 1 for upright pixels, 2 to 8 for pixels that have to be turned or mirrored first.
        focal_35mm: focal length on 35 mm film with the same angle of view across the diagonal, millimetres;
            None where the file does not tell it.
    """

    orientation: int = 1
    focal_35mm: float | None = None


def read_exif(content: bytes) -> Exif:
    """The tags of a file's content; the usual values where it has none, or none that can be read."""
    try:
        return _tags(_tiff(content))
    except (struct.error, KeyError):
        return Exif()


def _tiff(content: bytes) -> bytes:
    """The EXIF segment of a JPEG; empty where there is none."""
    at = 2
    while content.startswith(b"\xff\xd8") and content[at : at + 1] == b"\xff" and content[at + 1] != _SCAN:
        length = int.from_bytes(content[at + 2 : at + 4], "big")
        if content[at + 1] == _APP1 and content.startswith(_HEAD, at + 4):
            return content[at + 4 + len(_HEAD) : at + 2 + length]
        at += 2 + length
    return b""


def _tags(tiff: bytes) -> Exif:
    order = {b"II": "<", b"MM": ">"}[tiff[:2]]
    main = _folder(tiff, order, struct.unpack_from(f"{order}I", tiff, 4)[0])
    further = _folder(tiff, order, main[_EXIF_FOLDER]) if _EXIF_FOLDER in main else {}
    orientation = main.get(_ORIENTATION, 1)
    focal = further.get(_FOCAL_35MM, 0)  # 0 stands for unknown
    return Exif(orientation if 1 <= orientation <= 8 else 1, float(focal) if focal else None)


def _folder(tiff: bytes, order: str, start: int) -> dict[int, int]:
    """Whole numbers of one directory of a TIFF by tag."""
    found = {}
    for entry in range(struct.unpack_from(f"{order}H", tiff, start)[0]):
        at = start + 2 + 12 * entry
        tag, form, count = struct.unpack_from(f"{order}HHI", tiff, at)
        if form in _FORMS and count == 1:
            found[tag] = struct.unpack_from(order + _FORMS[form], tiff, at + 8)[0]
    return found
