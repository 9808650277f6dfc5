"""The three genders of body models."""

from __future__ import annotations

import re

import numpy as np

GENDERS = ("male", "female", "neutral")


def gender_name(stored: object) -> str:
    """A gender as a file stores it, in our words.

    Args:
        stored: text, bytes, or an array of one of them; in any case, as in ``b'male'`` and ``'MALE'``.

    Returns:
        One of `GENDERS`; where the file says something else, that, as text.
    """
    value = np.asarray(stored)
    item = value.item() if value.size == 1 else stored
    word = item.decode(errors="replace") if isinstance(item, bytes) else str(item)
    found = re.sub(r"^b?(['\"])(.*)\1$", r"\2", word.strip()).lower()
    return found if found in GENDERS else word
