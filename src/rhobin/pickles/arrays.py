"""Arrays as pickles describe them, built from their bytes alone.

numpy restores the state of a dtype in C without checks, and a false one lets an array's bytes be taken for
pointers. Here numpy's own constructor makes the dtype from the name of a plain type, and an array has
exactly the bytes that its shape asks for.
"""

from __future__ import annotations

import math
import pickle
import re
from collections.abc import Callable
from typing import Any, Literal, Self

import numpy as np

from rhobin.pickles.inert import ArrayType, Inert, Unwrap

Spend = Callable[[int], None]
"""Counts bytes that a file makes; raises where they are more than it can need."""

_PLAIN = re.compile(r"[biufcSU]\d+")
_LAST_CHARACTER = 0x10FFFF


class Dtype(Inert):
    """`numpy.dtype`: the name of a type and the state that a pickle gives it."""

    __slots__ = ("name",)
    name: str

    def __new__(cls, name: Any = "", *_: Any) -> Self:
        """Keep the name of a plain type; all else that is told stands in the state, too."""
        dtype = super().__new__(cls)
        dtype.name, dtype.state = str(name), {}
        return dtype

    def __setstate__(self, state: Any) -> None:
        keys = ("order", "base", "names", "fields", "itemsize")
        self.state = dict(zip(keys, state[1:6], strict=True))

    @property
    def holds_objects(self) -> bool:
        """Whether its values are Python objects."""
        return re.fullmatch(r"O\d*", self.name) is not None

    def build(self) -> np.dtype:
        """The dtype.

        Raises:
            UnpicklingError: it is not made of numbers, booleans and strings.
        """
        state = self.state
        if state.get("base") is not None:
            base, shape = state["base"]
            return np.dtype((_dtype(base), _shape(shape)))
        if state.get("names"):
            return self._structured()
        if not _PLAIN.fullmatch(self.name):
            raise pickle.UnpicklingError(f"an array of type {self.name!r} is not plain data")
        order = state.get("order", "=")
        return np.dtype(self.name).newbyteorder(order if order in ("<", ">") else "=")

    def _structured(self) -> np.dtype:
        names = [str(name) for name in self.state["names"]]
        fields = [self.state["fields"][name] for name in names]
        return np.dtype(
            {
                "names": names,
                "formats": [_dtype(field[0]) for field in fields],
                "offsets": [int(field[1]) for field in fields],
                "titles": [str(field[2]) if len(field) > 2 else None for field in fields],
                "itemsize": int(self.state["itemsize"]),
            }
        )


class Array(Inert):
    """A `numpy.ndarray` that is filled by its state."""

    __slots__ = ("array", "spend")
    array: np.ndarray
    spend: Spend

    def __setstate__(self, state: Any) -> None:
        shape, dtype, fortran, content = state[-4:]  # older numpy has no version before them
        order: Literal["F", "C"] = "F" if fortran else "C"
        if isinstance(dtype, Dtype) and dtype.holds_objects:
            if not isinstance(content, list) or len(content) != math.prod(_shape(shape)):
                raise pickle.UnpicklingError(f"an array of shape {shape} does not hold {shape} objects")
            self.array = np.empty(len(content), object)
            for place, value in enumerate(content):
                self.array[place] = value
            self.array = self.array.reshape(shape, order=order)
        else:
            self.array = array_of(self.spend, content, dtype, shape, order)

    def plain(self, unwrap: Unwrap) -> np.ndarray:
        """The array."""
        if self.array.dtype == object:
            for place in np.ndindex(self.array.shape):
                self.array[place] = unwrap(self.array[place])
        return self.array


def empty_array(spend: Spend, kind: Any, *_: Any) -> Array:
    """`numpy._core.multiarray._reconstruct`: an array whose state comes next."""
    if kind is not ArrayType:
        raise pickle.UnpicklingError(f"refused to make an array of {kind!r}")
    array = Array()
    array.spend = spend
    return array


def array_of(spend: Spend, content: Any, dtype: Any, shape: Any, order: Any, axes: Any = None) -> np.ndarray:
    """`numpy._core.numeric._frombuffer`: an array of its bytes.

    Args:
        spend: counts them.
        content: the bytes, or a string of as many latin-1 letters.
        dtype: a `Dtype`.
        shape: of the array, before its axes are exchanged.
        order: "C" or "F"; "K" with `axes`.
        axes: where each axis of the array stands in `shape`.

    Raises:
        UnpicklingError: the bytes are more or fewer than the shape asks for, or their type is not plain.
    """
    data = content.encode("latin1") if isinstance(content, str) else memoryview(content).cast("B")
    kind, sizes = _dtype(dtype), _shape(shape)
    count = math.prod(sizes)
    if count * kind.itemsize != len(data) or (count and not kind.itemsize):
        wanted = count * kind.itemsize
        raise pickle.UnpicklingError(f"shape {sizes} of {kind} takes {wanted} bytes; found {len(data)}")
    spend(len(data))
    values = np.frombuffer(data, kind).copy() if count else np.empty(count, kind)
    _check_values(values)
    if axes is not None:
        return values.reshape(sizes).transpose(axes)
    return values.reshape(sizes, order="F" if order == "F" else "C")


def scalar_of(spend: Spend, dtype: Any, content: Any = b"") -> Any:
    """`numpy._core.multiarray.scalar`: a number or string of its bytes."""
    return array_of(spend, content, dtype, (1,), "C")[0]


def _check_values(values: np.ndarray) -> None:
    """Refuse bytes that are no value of their type.

    Raises:
        UnpicklingError: a boolean is neither 0 nor 1, or a letter is none of Unicode's.
    """
    kind = values.dtype
    for name in kind.names or ():
        _check_values(values[name])
    if kind.kind == "b" and (values.view(np.uint8) > 1).any():
        raise pickle.UnpicklingError("a boolean is neither 0 nor 1")
    if kind.kind == "U" and values.size:
        letters = np.ascontiguousarray(values).view(np.dtype(np.uint32).newbyteorder(kind.byteorder))
        if letters.max() > _LAST_CHARACTER:
            raise pickle.UnpicklingError("a letter is none of Unicode's")


def _dtype(dtype: Any) -> np.dtype:
    if not isinstance(dtype, Dtype):
        raise pickle.UnpicklingError(f"the type of an array is {type(dtype).__name__}, not numpy.dtype")
    return dtype.build()


def _shape(shape: Any) -> tuple[int, ...]:
    sizes = shape if isinstance(shape, tuple) else (shape,)
    if not all(isinstance(size, int) and size >= 0 for size in sizes):
        raise pickle.UnpicklingError(f"the shape of an array is {shape!r}")
    return sizes
