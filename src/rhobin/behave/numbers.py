"""Numbers as files of other people hold them."""

from __future__ import annotations

from typing import Any

import numpy as np


def as_floats(value: Any) -> np.ndarray:
    """Numbers of any depth and kind as float64.

    Raises:
        ValueError: they are something else, or too large.
    """
    try:
        return np.asarray(value, np.float64)
    except (TypeError, OverflowError) as error:
        raise ValueError(str(error)) from error
