"""Memory that loader workers share with the main process."""

from __future__ import annotations

import math
import mmap
import multiprocessing

import numpy as np

from rhobin.data.images.outline import DecodedView
from rhobin.data.images.patch import Patch

_NOT_CACHED, _REFUSED = -1, -2


def shared_array(shape: int | tuple[int, ...], dtype: type, fill: float = 0) -> np.ndarray:
    """An array in anonymous shared memory: forked workers and the main process see each other's writes."""
    count = int(np.prod(shape))
    memory = mmap.mmap(-1, max(1, count * np.dtype(dtype).itemsize))
    array: np.ndarray = np.frombuffer(memory, dtype, count).reshape(shape)
    if fill:
        array[...] = fill
    return array


class ViewCache:
    """Decoded views in shared memory, filled by whichever worker decodes a view first.

    What no longer fits the budget is decoded again every time. Memory is committed as it fills. Processes
    that are spawned instead of forked start with an empty cache of their own.
    """

    def __init__(self, views: int, budget_mb: int):
        self.views, self.budget_mb = views, budget_mb
        self.lock = multiprocessing.Lock()
        self.store = shared_array(budget_mb * 2**20, np.uint8)
        self.used = shared_array(1, np.int64)
        self.start = shared_array(views, np.int64, _NOT_CACHED)
        self.ready = shared_array(views, np.uint8)
        self.shape = shared_array((views, 3, 2), np.int32)
        self.place = shared_array((views, 3, 3, 3), np.float64)
        self.square = shared_array((views, 5), np.float64)

    def __reduce__(self):
        return type(self), (self.views, self.budget_mb)

    def get(self, view: int) -> DecodedView | None:
        """The cached view, or None."""
        if not self.ready[view]:
            return None
        at, patches = int(self.start[view]), []
        for (height, width), place, channels in zip(
            self.shape[view].tolist(), self.place[view], ((3,), (), ()), strict=True
        ):
            shape = (height, width, *channels)
            size = math.prod(shape)
            patches.append(Patch(self.store[at : at + size].reshape(shape), place))
            at += size
        x, y, side, *size = self.square[view].tolist()
        color, person, obj = patches
        return DecodedView(color, (person, obj), np.array([x, y]), side, (int(size[0]), int(size[1])))

    def put(self, view: int, decoded: DecodedView) -> None:
        """Keep a view if the budget allows."""
        patches = (decoded.color, *decoded.masks)
        needed = sum(patch.pixels.size for patch in patches)
        with self.lock:
            if self.start[view] == _NOT_CACHED:
                fits = self.used[0] + needed <= len(self.store)
                self.start[view] = self.used[0] if fits else _REFUSED
                self.used[0] += needed if fits else 0
        start = int(self.start[view])
        if start == _REFUSED:
            return
        np.concatenate(
            [patch.pixels.reshape(-1) for patch in patches], out=self.store[start : start + needed]
        )
        self.shape[view] = [patch.pixels.shape[:2] for patch in patches]
        self.place[view] = [patch.from_image for patch in patches]
        self.square[view] = *decoded.centre, decoded.side, *decoded.size
        self.ready[view] = 1
