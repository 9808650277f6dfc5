"""Pickles that numpy of any version reads."""

import pickle
import pickletools
from collections.abc import Mapping
from typing import Any

import numpy as np

PROTOCOL = 3  # the newest that names modules in plain lines, of Python 3.0
_OURS, _OLDER = b"cnumpy._core.", b"cnumpy.core."


def pickled(value: Any) -> bytes:
    """Bytes of a pickle of plain data.

    numpy 2 names its private package `numpy._core`, which numpy before 1.26 lacks; all know the older name.
    """
    data, start = pickle.dumps(value, protocol=PROTOCOL), 0
    pieces = []
    for opcode, _, place in pickletools.genops(data):
        if opcode.name == "GLOBAL" and place is not None and data.startswith(_OURS, place):
            pieces += [data[start:place], _OLDER]
            start = place + len(_OURS)
    return b"".join([*pieces, data[start:]])


def single(values: Mapping[str, Any]) -> dict[str, Any]:
    """A copy whose 64-bit arrays have 32 bits, as the fits of the release do; the rest as it is."""
    return {
        key: value.astype(np.float32) if getattr(value, "dtype", None) == np.float64 else value
        for key, value in values.items()
    }
