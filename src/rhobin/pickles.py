"""Read pickles from other people without running their code.

BEHAVE fits, challenge references and licensed body models are pickles. Only plain containers, numpy arrays
and scipy sparse matrices are built; chumpy objects become the arrays they hold. Everything else is refused.
"""

from __future__ import annotations

import pickle
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import scipy.sparse
from numpy._core.multiarray import _reconstruct, scalar


class UnsafePickleError(ValueError):
    """A pickle asks for something that is not plain data; nothing of it was run."""


class BrokenFileError(ValueError):
    """A file is truncated or otherwise not what its name promises."""


def load_pickle(path: Path | str) -> Any:
    """Read plain data from a pickle; never runs code stored in it.

    Args:
        path: a pickle of any protocol, written by Python 2 or 3, numpy 1 or 2.

    Returns:
        Containers, numbers, strings, numpy arrays and scipy sparse matrices; chumpy objects as arrays.

    Raises:
        FileNotFoundError: there is no such file.
        UnsafePickleError: the pickle names a class or function that plain data does not need.
        BrokenFileError: the pickle is truncated or inconsistent.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no pickle at {path}; check the path or copy the file there")
    with path.open("rb") as stream:
        try:
            return _plain(_Unpickler(stream, path).load(), {})
        except UnsafePickleError:
            raise
        except Exception as error:  # a broken pickle can raise nearly anything
            raise BrokenFileError(
                f"{path} is not a complete pickle of plain data ({type(error).__name__}: {error}); "
                "copy or download it again"
            ) from error


class _Inert:
    """An object whose state is kept and never acted on."""

    __slots__ = ("state",)
    state: dict[str, Any]

    def __new__(cls, *_: Any) -> _Inert:
        inert = super().__new__(cls)
        inert.state = {}
        return inert

    def __setstate__(self, state: Any) -> None:
        attributes, slots = state if isinstance(state, tuple) else (state, None)
        self.state = {**(attributes or {}), **(slots or {})}

    def plain(self) -> Any:
        raise NotImplementedError


class _Chumpy(_Inert):
    """`chumpy.ch.Ch`: its value is the array `x`."""

    __slots__ = ()

    def plain(self) -> np.ndarray:
        return np.array(self.state["x"])


class _ChumpySelect(_Inert):
    """`chumpy.reordering.Select`: some entries of another chumpy object."""

    __slots__ = ()

    def plain(self) -> np.ndarray:
        source = self.state["a"]
        values = source.plain() if isinstance(source, _Inert) else np.asarray(source)
        chosen = values.ravel()[np.asarray(self.state["idxs"])]
        return chosen.reshape(self.state.get("preferred_shape", chosen.shape))


class _Compressed(_Inert):
    """A scipy csc or csr matrix, rebuilt with its indices checked."""

    __slots__ = ()
    build: Callable[..., Any]

    def plain(self) -> Any:
        state = self.state
        shape = state["_shape"] if "_shape" in state else state["shape"]
        matrix = type(self).build((state["data"], state["indices"], state["indptr"]), shape=shape)
        matrix.check_format(full_check=True)
        return matrix


class _Csc(_Compressed):
    __slots__ = ()
    build = scipy.sparse.csc_matrix


class _Csr(_Compressed):
    __slots__ = ()
    build = scipy.sparse.csr_matrix


class _Coo(_Inert):
    """A scipy coo matrix."""

    __slots__ = ()

    def plain(self) -> Any:
        state = self.state
        coordinates = state["coords"] if "coords" in state else (state["row"], state["col"])
        return scipy.sparse.coo_matrix((state["data"], tuple(coordinates)), shape=state["_shape"])


class _Call:
    """A function a pickle may call; refuses the attributes a pickle could set on a bare function."""

    __slots__ = ("function",)

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function

    def __call__(self, *arguments: Any) -> Any:
        return self.function(*arguments)

    def __setstate__(self, state: Any) -> None:
        raise pickle.UnpicklingError("the state of a function cannot be set")


def _encode(text: str, encoding: str = "latin1") -> bytes:
    """What Python 3 calls to store bytes in old protocols."""
    if encoding not in ("latin1", "latin-1"):
        raise pickle.UnpicklingError(f"unexpected text encoding {encoding!r}")
    return text.encode("latin1")


def _from_buffer(buffer: Any, dtype: np.dtype, shape: tuple[int, ...], order: str, *_: Any) -> np.ndarray:
    """What numpy calls to store an array in protocol 5."""
    return np.frombuffer(buffer, dtype=dtype).reshape(shape, order="F" if order == "F" else "C")


def _instance(kind: type, base: type, state: Any) -> Any:
    """What Python 2 calls to create an object before its state is set."""
    if not (isinstance(kind, type) and issubclass(kind, _Inert) and base is object):
        raise pickle.UnpicklingError(f"refused to create an object of {kind!r}")
    return kind()


def _sparse(name: str, kind: type) -> dict[tuple[str, str], Any]:
    modules = (f"scipy.sparse.{name}", f"scipy.sparse._{name}", "scipy.sparse")
    return {(module, f"{name}_{suffix}"): kind for module in modules for suffix in ("matrix", "array")}


_BUILTINS = (object, set, frozenset, bytes, bytearray, complex, int, float, bool, str, list, dict, tuple)
_ALLOWED: dict[tuple[str, str], Any] = {
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("_codecs", "encode"): _Call(_encode),
    ("copy_reg", "_reconstructor"): _Call(_instance),
    ("copyreg", "_reconstructor"): _Call(_instance),
    ("collections", "OrderedDict"): OrderedDict,
    ("chumpy.ch", "Ch"): _Chumpy,
    ("chumpy.reordering", "Select"): _ChumpySelect,
    **{(f"numpy.{core}.multiarray", "_reconstruct"): _reconstruct for core in ("core", "_core")},
    **{(f"numpy.{core}.multiarray", "scalar"): scalar for core in ("core", "_core")},
    **{(f"numpy.{core}.numeric", "_frombuffer"): _Call(_from_buffer) for core in ("core", "_core")},
    **{(module, kind.__name__): kind for module in ("builtins", "__builtin__") for kind in _BUILTINS},
    ("__builtin__", "unicode"): str,
    ("__builtin__", "long"): int,
    **_sparse("csc", _Csc),
    **_sparse("csr", _Csr),
    **_sparse("coo", _Coo),
}


def allowed_name(module: str, name: str, path: Path) -> Any:
    """What a name in the pickle at `path` stands for.

    Raises:
        UnsafePickleError: plain data does not need it.
    """
    try:
        return _ALLOWED[module, name]
    except KeyError:
        raise UnsafePickleError(
            f"{path} asks for {module}.{name}, which plain data does not need; nothing was run. "
            "If you trust its author, convert it to .npz in the environment that wrote it"
        ) from None


class _Unpickler(pickle.Unpickler):
    """Resolves names from the table above and nothing else."""

    def __init__(self, stream: BinaryIO, path: Path) -> None:
        super().__init__(stream, encoding="latin1")
        self._path = path

    def find_class(self, module: str, name: str) -> Any:
        return allowed_name(module, name, self._path)


def _plain(value: Any, done: dict[int, Any]) -> Any:
    """`value` with every inert object replaced by the data it holds; containers change in place."""
    if isinstance(value, _Inert):
        if id(value) not in done:
            done[id(value)] = value.plain()
        return done[id(value)]
    if isinstance(value, tuple):
        return tuple(_plain(item, done) for item in value)
    if isinstance(value, list | dict) and id(value) not in done:
        done[id(value)] = value
        for key, item in list(value.items() if isinstance(value, dict) else enumerate(value)):
            value[key] = _plain(item, done)
    return value
