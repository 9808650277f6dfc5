"""Stand-ins for what pickles of other libraries name: their state is kept and never acted on."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any, Self

import numpy as np
import scipy.sparse

Unwrap = Callable[[Any], Any]
"""Makes plain data of what a stand-in holds."""


class Inert:
    """An object whose state is kept and never acted on."""

    __slots__ = ("state",)
    state: dict[str, Any]

    def __new__(cls, *_: Any) -> Self:
        """Make one without looking at its arguments."""
        inert = super().__new__(cls)
        inert.state = {}
        return inert

    def __setstate__(self, state: Any) -> None:
        attributes, slots = state if isinstance(state, tuple) else (state, None)
        self.state = {**(attributes or {}), **(slots or {})}

    def plain(self, unwrap: Unwrap) -> Any:
        """The data that the object stands for."""
        raise pickle.UnpicklingError(f"{type(self).__name__} stands for no data")


class ArrayType(Inert):
    """`numpy.ndarray` as an argument of the functions that make arrays."""

    __slots__ = ()


class TorchTensor(Inert):
    """Anything of torch: it holds no numbers here, and says so where they are asked for."""

    __slots__ = ()

    def plain(self, unwrap: Unwrap) -> Self:
        """Itself."""
        return self

    def __array__(self, *_: Any, **__: Any) -> Any:
        """Refused.

        Raises:
            TypeError: always; says how to store a tensor's numbers.
        """
        raise TypeError("a tensor of torch, which is not read; store tensor.numpy() in its place")


class Chumpy(Inert):
    """`chumpy.ch.Ch`: its value is the array `x`."""

    __slots__ = ()

    def plain(self, unwrap: Unwrap) -> np.ndarray:
        """The array."""
        return np.array(unwrap(self.state["x"]))


class ChumpySelect(Inert):
    """`chumpy.reordering.Select`: some entries of another chumpy object."""

    __slots__ = ()

    def plain(self, unwrap: Unwrap) -> np.ndarray:
        """The entries."""
        values, chosen = np.asarray(unwrap(self.state["a"])), np.asarray(unwrap(self.state["idxs"]))
        entries = values.ravel()[chosen]
        return entries.reshape(self.state.get("preferred_shape", entries.shape))


class _Compressed(Inert):
    """A scipy csc or csr matrix, rebuilt with its indices checked."""

    __slots__ = ()
    build: Callable[..., Any]

    def plain(self, unwrap: Unwrap) -> Any:
        """The matrix."""
        state = {key: unwrap(value) for key, value in self.state.items()}
        shape = state["_shape"] if "_shape" in state else state["shape"]
        matrix = type(self).build((state["data"], state["indices"], state["indptr"]), shape=shape)
        matrix.check_format(full_check=True)
        return matrix


class Csc(_Compressed):
    """`scipy.sparse.csc_matrix`."""

    __slots__ = ()
    build = scipy.sparse.csc_matrix


class Csr(_Compressed):
    """`scipy.sparse.csr_matrix`."""

    __slots__ = ()
    build = scipy.sparse.csr_matrix


class Coo(Inert):
    """`scipy.sparse.coo_matrix`."""

    __slots__ = ()

    def plain(self, unwrap: Unwrap) -> Any:
        """The matrix."""
        state = {key: unwrap(value) for key, value in self.state.items()}
        coordinates = state["coords"] if "coords" in state else (state["row"], state["col"])
        return scipy.sparse.coo_matrix((state["data"], tuple(coordinates)), shape=state["_shape"])
