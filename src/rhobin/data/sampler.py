"""The order of training: a permutation of (seed, epoch) that can be entered at any batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from torch.utils.data import Sampler

_SIZES = 1  # the stream of random numbers that sizes are drawn from


class ResumableSampler(Sampler[tuple[int, ...]]):
    """Yields (epoch, index) pairs; every epoch is a permutation drawn from (seed, epoch) alone.

    With several input sizes it yields (epoch, index, size). A batch has one size, drawn from (seed, epoch)
    and the batch's place in the epoch alone, so all ranks agree and a resumed epoch goes on with its sizes.

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
        sizes: Sequence[int] = (),
    ):
        """Configure an order.

        Args:
            length: number of samples.
            batch_size: samples of a batch on one rank.
            seed: of the permutations.
            rank: this process.
            ranks: number of processes that share an epoch.
            position: batches trained so far; asked whenever an iteration begins.
            sizes: input sizes of which each batch has one, pixels; none for the dataset's own.

        Raises:
            ValueError: when there is not one whole batch.
        """
        self.length, self.batch_size, self.seed = length, batch_size, seed
        self.rank, self.ranks, self.position, self.sizes = rank, ranks, position, tuple(sizes)
        self.batches = length // (batch_size * ranks)
        if self.batches == 0:
            raise ValueError(
                f"{length} training views are fewer than one batch of {batch_size} on {ranks} device(s); "
                "lower data.batch_size or add data"
            )
        self.start = 0

    def __len__(self) -> int:
        return self.batches * self.batch_size

    def __iter__(self) -> Iterator[tuple[int, ...]]:
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

    def batch_sizes(self, epoch: int) -> np.ndarray:
        """The input size of each batch of an epoch."""
        return np.random.default_rng([self.seed, epoch, _SIZES]).choice(self.sizes, self.batches)

    def _epoch(self, epoch: int, first: int) -> Iterator[tuple[int, ...]]:
        dealt = self.permutation(epoch)[: len(self) * self.ranks]
        mine = dealt.reshape(self.batches, self.ranks, self.batch_size)[first:, self.rank]
        sizes = self.batch_sizes(epoch)[first:].tolist() if self.sizes else [None] * len(mine)
        for batch, size in zip(mine.tolist(), sizes, strict=True):
            for index in batch:
                yield (epoch, index) if size is None else (epoch, index, size)
