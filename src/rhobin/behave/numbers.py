"""Numbers as files of other people hold them."""

from __future__ import annotations

from typing import Any

import numpy as np

MOST = 20_000_000
"""Numbers of one value; lists that a pickle shares may stand for far more than its bytes."""


def as_floats(value: Any) -> np.ndarray:
    """Numbers of any depth and kind as float64.

    Raises:
        ValueError: they are something else, too large or too many.
    """
    try:
        count = _count(value, {})
        if count > MOST:
            raise ValueError(f"expected at most {MOST} numbers, found {count}")
        return np.asarray(value, np.float64)
    except (TypeError, OverflowError, RecursionError) as error:
        raise ValueError(str(error)) from error


def _count(value: Any, known: dict[int, int]) -> int:
    """How many numbers nested lists hold; `known` has those of each list by its identity."""
    if not isinstance(value, list | tuple):
        return value.size if isinstance(value, np.ndarray) else 1
    if id(value) not in known:
        known[id(value)] = sum(_count(item, known) for item in value)
    return known[id(value)]
