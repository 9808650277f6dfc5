"""The order of training: a permutation of (seed, epoch) that can be entered at any batch."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from torch.utils.data import Sampler


class ResumableSampler(Sampler[tuple[int, int]]):
    """Yields (epoch, index) pairs; every epoch is a permutation drawn from (seed, epoch) alone.

    Only whole batches are dealt, so an epoch has `length // (batch_size * ranks)` batches for every rank.
    Each new iteration starts the next epoch, unless `set_epoch` or `seek` say otherwise. `len` is that of
    a whole epoch, also when iteration starts in its middle.
    """

    def __init__(self, length: int, batch_size: int, seed: int = 0, rank: int = 0, ranks: int = 1):
        self.length, self.batch_size, self.seed = length, batch_size, seed
        self.rank, self.ranks = rank, ranks
        self.batches = length // (batch_size * ranks)
        if self.batches == 0:
            raise ValueError(
                f"{length} training views are fewer than one batch of {batch_size} on {ranks} device(s); "
                "lower data.batch_size or add data"
            )
        self.epoch, self.first = 0, 0

    def __len__(self) -> int:
        return self.batches * self.batch_size

    def __iter__(self) -> Iterator[tuple[int, int]]:
        epoch, first = self.epoch, self.first
        self.epoch, self.first = epoch + 1, 0
        return self._epoch(epoch, first)

    def set_epoch(self, epoch: int) -> None:
        """Make the next iteration that of `epoch`; keeps the position when it is already there."""
        if epoch != self.epoch:
            self.epoch, self.first = epoch, 0

    def seek(self, batches_done: int) -> None:
        """Make the next iteration go on after `batches_done` batches, counted from the start of training."""
        self.epoch, self.first = divmod(batches_done, self.batches)

    def permutation(self, epoch: int) -> np.ndarray:
        """All indices in the order of an epoch, for all ranks together."""
        return np.random.default_rng([self.seed, epoch]).permutation(self.length)

    def _epoch(self, epoch: int, first: int) -> Iterator[tuple[int, int]]:
        dealt = self.permutation(epoch)[: len(self) * self.ranks]
        mine = dealt.reshape(self.batches, self.ranks, self.batch_size)[first:, self.rank]
        for index in mine.ravel().tolist():
            yield epoch, index
