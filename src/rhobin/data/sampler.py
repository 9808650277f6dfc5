"""The order of training: a permutation of (seed, epoch) that can be entered at any batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from torch.utils.data import Sampler


class ResumableSampler(Sampler[tuple[int, int]]):
    """Yields (epoch, index) pairs; every epoch is a permutation drawn from (seed, epoch) alone.

    Only whole batches are dealt, so an epoch has `length // (batch_size * ranks)` batches for every rank.
    An iteration deals the rest of an epoch: the one that follows `position()` batches when a position is
    given, else the epoch after the last iteration's. `len` is that of a whole epoch.
    """

    def __init__(
        self,
        length: int,
        batch_size: int,
        seed: int = 0,
        rank: int = 0,
        ranks: int = 1,
        position: Callable[[], int] | None = None,
    ):
        """Configure an order.

        Args:
            length: number of samples.
            batch_size: samples of a batch on one rank.
            seed: of the permutations.
            rank: this process.
            ranks: number of processes that share an epoch.
            position: batches trained so far; asked whenever an iteration begins.

        Raises:
            ValueError: when there is not one whole batch.
        """
        self.length, self.batch_size, self.seed = length, batch_size, seed
        self.rank, self.ranks, self.position = rank, ranks, position
        self.batches = length // (batch_size * ranks)
        if self.batches == 0:
            raise ValueError(
                f"{length} training views are fewer than one batch of {batch_size} on {ranks} device(s); "
                "lower data.batch_size or add data"
            )
        self.start = 0

    def __len__(self) -> int:
        return self.batches * self.batch_size

    def __iter__(self) -> Iterator[tuple[int, int]]:
        if self.position is not None:
            self.seek(self.position())
        epoch, first = divmod(self.start, self.batches)
        self.start = (epoch + 1) * self.batches
        return self._epoch(epoch, first)

    def seek(self, batches_done: int) -> None:
        """Make the next iteration go on after `batches_done` batches, counted from the start of training."""
        self.start = batches_done

    def permutation(self, epoch: int) -> np.ndarray:
        """All indices in the order of an epoch, for all ranks together."""
        return np.random.default_rng([self.seed, epoch]).permutation(self.length)

    def _epoch(self, epoch: int, first: int) -> Iterator[tuple[int, int]]:
        dealt = self.permutation(epoch)[: len(self) * self.ranks]
        mine = dealt.reshape(self.batches, self.ranks, self.batch_size)[first:, self.rank]
        for index in mine.ravel().tolist():
            yield epoch, index
