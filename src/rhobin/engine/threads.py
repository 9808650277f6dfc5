"""The number of CPU threads of a run: another number adds up in another order, and the last digits change."""

from __future__ import annotations

from collections.abc import Sequence

import torch


def threads_used(earlier: Sequence[int]) -> list[int]:
    """The numbers of threads that a run has computed with, the present one last.

    Args:
        earlier: of its earlier sessions.
    """
    now = torch.get_num_threads()
    return [*earlier, now] if list(earlier[-1:]) != [now] else list(earlier)


def warning_of_threads(earlier: Sequence[int], used: Sequence[int], accelerator: str) -> str:
    """What to tell of a run that goes on with another number of threads; empty where nothing changes.

    Args:
        earlier: of its earlier sessions.
        used: what `threads_used` makes of them.
        accelerator: trainer.accelerator.
    """
    on_gpu = accelerator != "cpu" and torch.cuda.is_available()
    if not earlier or len(used) == len(earlier) or on_gpu:
        return ""
    return (
        f"this run goes on with {used[-1]} CPU threads after {used[-2]}: from here on it equals the run that "
        f"was never stopped to about six digits, not to the bit; threads={used[-2]} keeps the bits"
    )
