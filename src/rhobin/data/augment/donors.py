"""Other views of the same dataset, to borrow pixels from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from rhobin.data.images.decode import BadSampleError
from rhobin.data.images.outline import DecodedView

_TRIES = 8


class Donors:
    """The views of one dataset by sequence and by room.

    Attributes:
        sequence: (M,) which sequence each view belongs to.
        room: (M,) which static camera in which room took it.
    """

    def __init__(self, sequence: Sequence[str], camera: Sequence[int], load: Callable[[int], DecodedView]):
        """Index the views.

        Args:
            sequence: sequence name of each view, which begins with its date.
            camera: calibrated camera of each view; on one date it does not move.
            load: decodes a view.
        """
        self.sequence = np.unique(np.asarray(sequence), return_inverse=True)[1]
        places = [f"{name.partition('_')[0]} {which}" for name, which in zip(sequence, camera, strict=True)]
        self.room = np.unique(np.asarray(places), return_inverse=True)[1]
        self._load = load
        self._by_room = np.argsort(self.room, kind="stable")
        self._room_ends = np.cumsum(np.bincount(self.room))

    def elsewhere(
        self, rng: np.random.Generator, index: int | None, by: np.ndarray
    ) -> tuple[int, DecodedView] | None:
        """A random usable view, if there is one.

        Args:
            rng: random numbers.
            index: the view that borrows; None for one of another dataset.
            by: sequence or room, in which the two must differ.
        """
        for _ in range(_TRIES):
            other = int(rng.integers(len(by)))
            if index is not None and by[other] == by[index]:
                continue
            view = self._try(other)
            if view is not None:
                return other, view
        return None

    def same_room(self, rng: np.random.Generator, index: int, count: int) -> Iterator[DecodedView]:
        """Up to `count` other random views by the camera of view `index`, decoded one by one."""
        end = self._room_ends[self.room[index]]
        start = self._room_ends[self.room[index] - 1] if self.room[index] else 0
        views = self._by_room[start:end]
        chosen = [view for view in rng.permutation(views)[: count + 1].tolist() if view != index]
        return (view for view in map(self._try, chosen[:count]) if view is not None)

    def _try(self, index: int) -> DecodedView | None:
        try:
            return self._load(index)
        except BadSampleError:
            return None
