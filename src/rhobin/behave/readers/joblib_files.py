"""Files written by `joblib.dump`, read without joblib and without running what they name.

Such a file is a pickle in which the bytes of each array follow the description of the array. The pickle's
names go through the same table as everywhere (`rhobin.pickles`).
"""

from __future__ import annotations

import math
import pickle
import pickletools
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

import numpy as np

from rhobin.pickles.arrays import Dtype, Spend, array_of
from rhobin.pickles.load import MAKERS, MOST_OBJECTS, BrokenFileError, Names, UnsafePickleError, plain

_PythonUnpickler: Any = vars(pickle)["_Unpickler"]  # its C twin cannot read between opcodes
_MAKER_CODES = {ord(op.code) for op in pickletools.opcodes if op.name in MAKERS}
_ARRAY_CLASS = ("joblib.numpy_pickle", "NumpyArrayWrapper")
_COMPRESSED = (b"\x78", b"\x1f\x8b", b"BZ", b"\xfd7zXZ", b"\x5d\x00", b"\x04\x22\x4d\x18")


def load_joblib(path: Path | str) -> Any:
    """Read plain data from a file of `joblib.dump` or `pickle.dump`; never runs code stored in it.

    Args:
        path: an uncompressed file.

    Returns:
        Containers, numbers, strings and numpy arrays; tensors of torch are left unread.

    Raises:
        FileNotFoundError: there is no such file.
        UnsafePickleError: the file names a class or function that plain data does not need.
        BrokenFileError: the file is truncated, compressed or inconsistent.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no file at {path}; check the path or copy the file there")
    with path.open("rb") as stream:
        head = stream.read(5)
        stream.seek(0)
        if head.startswith(_COMPRESSED):
            raise BrokenFileError(
                f"{path} is compressed; write it again with joblib.dump(joblib.load(path), path, compress=0)"
            )
        try:
            return plain(_JoblibUnpickler(stream, path).load())
        except UnsafePickleError:
            raise
        except Exception as error:  # a broken pickle can raise nearly anything
            raise BrokenFileError(
                f"{path} is not a complete file of plain data ({type(error).__name__}: {error}); "
                "copy or download it again"
            ) from error


def _counted(load: Any) -> Any:
    """An opcode that makes a container, counted."""

    def counting(self: Any) -> None:
        self.made += 1
        if self.made > MOST_OBJECTS:
            raise pickle.UnpicklingError(f"it has more than {MOST_OBJECTS} containers")
        load(self)

    return counting


class _ArrayFollows:
    """joblib's description of an array whose bytes come next in the file."""

    state: dict[str, Any]

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.state = dict(state)

    def read(self, stream: BinaryIO, end: int, spend: Spend) -> np.ndarray:
        dtype, shape = self.state["dtype"], tuple(int(n) for n in self.state["shape"])
        if not isinstance(dtype, Dtype) or dtype.holds_objects:
            raise pickle.UnpicklingError("an array of Python objects is not plain data")
        if self.state.get("numpy_array_alignment_bytes") is not None:
            stream.seek(stream.read(1)[0], 1)
        size = math.prod(shape) * dtype.build().itemsize
        if min(shape, default=0) < 0 or size > end - stream.tell():
            raise EOFError(f"the file ends within an array of shape {shape}")
        order = "F" if self.state.get("order") == "F" else "C"
        return array_of(spend, stream.read(size), dtype, shape, order)


class _JoblibUnpickler(_PythonUnpickler):
    """Resolves names from the project's table, and reads arrays where joblib put them."""

    made = 0
    dispatch: ClassVar = {
        code: _counted(load) if code in _MAKER_CODES else load
        for code, load in _PythonUnpickler.dispatch.items()
    }

    def __init__(self, stream: BinaryIO, path: Path) -> None:
        super().__init__(stream, encoding="latin1")
        self._stream, self._names = stream, Names(path, tensors=True)
        self._end = path.stat().st_size

    def find_class(self, module: str, name: str) -> Any:
        return _ArrayFollows if (module, name) == _ARRAY_CLASS else self._names.find(module, name)

    def load_build(self) -> None:
        super().load_build()
        if isinstance(self.stack[-1], _ArrayFollows):
            self.stack[-1] = self.stack[-1].read(self._stream, self._end, self._names.spend)

    dispatch[pickle.BUILD[0]] = load_build
