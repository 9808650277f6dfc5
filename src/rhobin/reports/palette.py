"""Colours that mean the same in every figure: RGB, 0 to 255."""

from __future__ import annotations

RGB = tuple[int, int, int]

PRED_BODY: RGB = (92, 146, 219)
PRED_OBJECT: RGB = (240, 150, 62)
TARGET_BODY: RGB = (104, 226, 178)
TARGET_OBJECT: RGB = (250, 222, 92)


def css(color: RGB) -> str:
    """A colour as CSS writes it."""
    return "#{:02x}{:02x}{:02x}".format(*color)
