"""Loader processes and signals: the training process decides when a run ends."""

from __future__ import annotations

import signal

GRACE_S = 60


def outlast_signals(worker: int) -> None:
    """Serve batches on when a signal goes to all processes of a run, until the training process has saved.

    torch ends a loader at once when anybody sends SIGTERM, and the training with it, in the middle of a step.
    Here the loader has a minute to be closed in order.

    Args:
        worker: number of the loader process; makes no difference.
    """
    for number in (signal.SIGINT, signal.SIGUSR1):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: end_later())


def end_later() -> None:
    """Leave the training process a minute; a second SIGTERM ends this one at once."""
    signal.alarm(GRACE_S)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
