"""Pickles that numpy of any version reads."""

import pickle
import pickletools
from typing import Any

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
