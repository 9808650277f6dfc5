"""The reader: which names a pickle may use, and how much it may make."""

from __future__ import annotations

import pickle
import pickletools
from collections import OrderedDict
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from rhobin.pickles.arrays import Dtype, Spend, array_of, empty_array, scalar_of
from rhobin.pickles.inert import ArrayType, Chumpy, ChumpySelect, Coo, Csc, Csr, Inert, TorchTensor

GROWTH, ALLOWANCE = 8, 1 << 20  # bytes that a file's calls may make: so often its size, and so many besides
MOST_OBJECTS = 5_000_000  # containers and calls of a file; looked for where it has so many bytes
MAKERS = {
    *(
        "EMPTY_LIST",
        "EMPTY_DICT",
        "EMPTY_SET",
        "LIST",
        "DICT",
        "FROZENSET",
        "TUPLE",
        "TUPLE1",
        "TUPLE2",
        "TUPLE3",
    ),
    *("REDUCE", "NEWOBJ", "NEWOBJ_EX", "OBJ", "INST"),
}


class UnsafePickleError(ValueError):
    """A pickle asks for something that is not plain data; nothing of it was run."""


class BrokenFileError(ValueError):
    """A file is truncated or otherwise not what its name promises."""


def load_pickle(path: Path | str, tensors: bool = False) -> Any:
    """Read plain data from a pickle; never runs code stored in it.

    Args:
        path: a pickle of any protocol, written by Python 2 or 3, numpy 1 or 2.
        tensors: leave tensors of torch as they are, unread, instead of refusing the whole file; to ask one
            for its numbers raises a TypeError.

    Returns:
        Containers, numbers, strings, numpy arrays and scipy sparse matrices; chumpy objects as arrays.

    Raises:
        FileNotFoundError: there is no such file.
        UnsafePickleError: the pickle names a class or function that plain data does not need.
        BrokenFileError: the pickle is truncated, inconsistent, or would take far more memory than its size.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no pickle at {path}; check the path or copy the file there")
    with path.open("rb") as stream:
        try:
            _check_objects(stream, path.stat().st_size)
            return plain(_Unpickler(stream, Names(path, tensors)).load())
        except UnsafePickleError:
            raise
        except Exception as error:  # a broken pickle can raise nearly anything
            raise BrokenFileError(
                f"{path} is not a complete pickle of plain data ({type(error).__name__}: {error}); "
                "copy or download it again"
            ) from error


def _check_objects(stream: BinaryIO, size: int) -> None:
    """Refuse a file of more containers than plain data have, each of which takes a hundred times its byte."""
    if size < MOST_OBJECTS:
        return
    made = 0
    for opcode, _, _ in pickletools.genops(stream):
        made += opcode.name in MAKERS
        if made > MOST_OBJECTS:
            raise pickle.UnpicklingError(f"it has more than {MOST_OBJECTS} containers")
    stream.seek(0)


class _Call:
    """A function a pickle may call; refuses the attributes a pickle could set on a bare function."""

    __slots__ = ("function",)

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function

    def __call__(self, *arguments: Any) -> Any:
        return self.function(*arguments)

    def __setstate__(self, state: Any) -> None:
        raise pickle.UnpicklingError("the state of a function cannot be set")


def _encode(spend: Spend, text: str, encoding: str = "latin1") -> bytes:
    """What Python 3 calls to store bytes in old protocols."""
    if encoding not in ("latin1", "latin-1"):
        raise pickle.UnpicklingError(f"unexpected text encoding {encoding!r}")
    spend(len(text))
    return text.encode("latin1")


def _bytes(kind: type, spend: Spend, content: Any = b"", encoding: str = "latin-1") -> Any:
    """What Python calls to make bytes and bytearrays; a bare number would ask for so many."""
    if isinstance(content, str):
        return kind(_encode(spend, content, encoding))
    if not isinstance(content, bytes | bytearray):
        raise pickle.UnpicklingError(f"refused to make bytes of {type(content).__name__}")
    spend(len(content))
    return kind(content)


def _container(kind: type, spend: Spend, items: Any = ()) -> Any:
    """What Python calls to make sets and ordered dicts of lists."""
    if not isinstance(items, list | tuple):
        raise pickle.UnpicklingError(f"refused to make a {kind.__name__} of {type(items).__name__}")
    spend(8 * len(items))
    return kind(items)


def _complex(spend: Spend, real: float, imaginary: float) -> complex:
    return complex(float(real), float(imaginary))


def _instance(spend: Spend, kind: type, base: type, state: Any) -> Any:
    """What Python 2 calls to create an object before its state is set."""
    if not (isinstance(kind, type) and issubclass(kind, Inert) and base is object):
        raise pickle.UnpicklingError(f"refused to create an object of {kind!r}")
    return kind()


def _sparse(name: str, kind: type) -> dict[tuple[str, str], Any]:
    modules = (f"scipy.sparse.{name}", f"scipy.sparse._{name}", "scipy.sparse")
    return {(module, f"{name}_{suffix}"): kind for module in modules for suffix in ("matrix", "array")}


def _each(modules: Iterable[str], name: str, function: Callable[..., Any]) -> dict[tuple[str, str], Any]:
    return {(module, name): function for module in modules}


_BUILTINS, _CORES = ("builtins", "__builtin__"), ("numpy.core", "numpy._core")
_TYPES: dict[tuple[str, str], Any] = {
    ("numpy", "ndarray"): ArrayType,
    ("numpy", "dtype"): Dtype,
    ("chumpy.ch", "Ch"): Chumpy,
    ("chumpy.reordering", "Select"): ChumpySelect,
    **_each(_BUILTINS, "object", object),
    **_sparse("csc", Csc),
    **_sparse("csr", Csr),
    **_sparse("coo", Coo),
}
_FUNCTIONS: dict[tuple[str, str], Callable[..., Any]] = {
    ("_codecs", "encode"): _encode,
    ("copy_reg", "_reconstructor"): _instance,
    ("copyreg", "_reconstructor"): _instance,
    ("collections", "OrderedDict"): partial(_container, OrderedDict),
    **_each([f"{core}.multiarray" for core in _CORES], "_reconstruct", empty_array),
    **_each([f"{core}.multiarray" for core in _CORES], "scalar", scalar_of),
    **_each([f"{core}.numeric" for core in _CORES], "_frombuffer", array_of),
    **_each(_BUILTINS, "set", partial(_container, set)),
    **_each(_BUILTINS, "frozenset", partial(_container, frozenset)),
    **_each(_BUILTINS, "bytes", partial(_bytes, bytes)),
    **_each(_BUILTINS, "bytearray", partial(_bytes, bytearray)),
    **_each(_BUILTINS, "complex", _complex),
}


class Names:
    """What the names in one file stand for, and how many bytes its calls have made.

    Args:
        path: the file.
        tensors: whether names of torch stand for tensors that are not read.
    """

    def __init__(self, path: Path, tensors: bool = False) -> None:
        self.path, self.made, self.tensors = path, 0, tensors
        self.most = GROWTH * path.stat().st_size + ALLOWANCE

    def spend(self, size: int) -> None:
        """Count bytes.

        Raises:
            UnpicklingError: they are far more than the file's own.
        """
        self.made += size
        if self.made > self.most:
            raise pickle.UnpicklingError(f"it would take more than {self.most} bytes of memory")

    def find(self, module: str, name: str) -> Any:
        """What a name stands for.

        Raises:
            UnsafePickleError: plain data does not need it.
        """
        if (module, name) in _FUNCTIONS:
            return _Call(partial(_FUNCTIONS[module, name], self.spend))
        if self.tensors and module.partition(".")[0] == "torch":
            return TorchTensor
        try:
            return _TYPES[module, name]
        except KeyError:
            raise UnsafePickleError(
                f"{self.path} asks for {module}.{name}, which plain data does not need; nothing was run. "
                "If you trust its author, convert it to .npz in the environment that wrote it"
            ) from None


class _Unpickler(pickle.Unpickler):
    """Resolves names from the tables above and nothing else."""

    def __init__(self, stream: BinaryIO, names: Names) -> None:
        super().__init__(stream, encoding="latin1")
        self._names = names

    def find_class(self, module: str, name: str) -> Any:
        return self._names.find(module, name)


def plain(value: Any) -> Any:
    """`value` with every stand-in replaced by the data it holds; lists and dicts change in place."""
    return _plain(value, {})


def _plain(value: Any, done: dict[int, tuple[Any, Any]]) -> Any:
    """`done`: by identity, what was met and what became of it; both, so that no identity is used twice."""
    if not isinstance(value, Inert | tuple | list | dict):
        return value
    if id(value) in done:
        return done[id(value)][1]
    if isinstance(value, list | dict):
        done[id(value)] = value, value
        for key, item in list(value.items() if isinstance(value, dict) else enumerate(value)):
            value[key] = _plain(item, done)
        return value
    if isinstance(value, tuple):
        found = tuple(_plain(item, done) for item in value)
    else:
        found = value.plain(lambda held: _plain(held, done))
    done[id(value)] = value, found
    return found
