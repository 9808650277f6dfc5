"""Memory that loader workers share with the main process."""

from __future__ import annotations

import mmap
import multiprocessing

import numpy as np

from rhobin.data.images.context import Context

_NOT_CACHED, _REFUSED = -1, -2


def shared_array(shape: int | tuple[int, ...], dtype: type, fill: float = 0) -> np.ndarray:
    """An array in anonymous shared memory: forked workers and the main process see each other's writes."""
    count = int(np.prod(shape))
    memory = mmap.mmap(-1, max(1, count * np.dtype(dtype).itemsize))
    array: np.ndarray = np.frombuffer(memory, dtype, count).reshape(shape)
    if fill:
        array[...] = fill
    return array


class ContextCache:
    """Decoded views in shared memory, filled by whichever worker decodes a view first.

    A view keeps its colour patch as it is and its masks as bits. What no longer fits the budget is
    decoded again every time. Memory is committed as it fills. Processes that are spawned instead of
    forked start with an empty cache of their own.
    """

    def __init__(self, views: int, budget_mb: int):
        self.views, self.budget_mb = views, budget_mb
        self.lock = multiprocessing.Lock()
        self.store = shared_array(budget_mb * 2**20, np.uint8)
        self.used = shared_array(1, np.int64)
        self.start = shared_array(views, np.int64, _NOT_CACHED)
        self.ready = shared_array(views, np.uint8)
        self.shape = shared_array((views, 4), np.int32)
        self.geometry = shared_array((views, 23), np.float64)

    def __reduce__(self):
        return type(self), (self.views, self.budget_mb)

    def get(self, view: int) -> Context | None:
        """The cached view, or None."""
        if not self.ready[view]:
            return None
        height, width, mask_height, mask_width = self.shape[view].tolist()
        start, pixels, mask_pixels = int(self.start[view]), height * width, mask_height * mask_width
        color = self.store[start : start + 3 * pixels].reshape(height, width, 3)
        bits = self.store[start + 3 * pixels : start + _size(pixels, mask_pixels)]
        masks = np.unpackbits(bits, count=2 * mask_pixels).reshape(2, mask_height, mask_width) * np.uint8(255)
        numbers = self.geometry[view]
        size = (int(numbers[12]), int(numbers[13]))
        own = None if np.isnan(numbers[14]) else numbers[14:].reshape(3, 3)
        return Context(color, masks, numbers[:9].reshape(3, 3), numbers[9:11], float(numbers[11]), size, own)

    def put(self, view: int, context: Context) -> None:
        """Keep a view if the budget allows."""
        pixels, mask_pixels = context.color[..., 0].size, context.masks[0].size
        needed = _size(pixels, mask_pixels)
        with self.lock:
            if self.start[view] == _NOT_CACHED:
                fits = self.used[0] + needed <= len(self.store)
                self.start[view] = self.used[0] if fits else _REFUSED
                self.used[0] += needed if fits else 0
        start = int(self.start[view])
        if start == _REFUSED:
            return
        self.store[start : start + 3 * pixels] = context.color.reshape(-1)
        self.store[start + 3 * pixels : start + needed] = np.packbits(context.masks > 0)
        self.shape[view] = *context.color.shape[:2], *context.masks.shape[1:]
        self.geometry[view, :14] = [
            *context.from_image.ravel(),
            *context.centre,
            context.side,
            *context.size,
        ]
        own = context.color_from_image
        self.geometry[view, 14:] = np.nan if own is None else own.ravel()
        self.ready[view] = 1


def _size(pixels: int, mask_pixels: int) -> int:
    return 3 * pixels + (2 * mask_pixels + 7) // 8
