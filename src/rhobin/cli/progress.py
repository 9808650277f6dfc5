"""Bars that show how far a long command is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Task


@contextmanager
def progress_bars(totals: Mapping[str, int]) -> Iterator[Callable[[str, int], None]]:
    """A bar with rate and time left for each kind of work, on the error stream.

    Args:
        totals: how much there is to do, by what the work is called.

    Yields:
        A function to call with what was done and how much more of it.
    """
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    from rhobin.terminal import plain_console

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text(f"{task.speed or 0:.1f}/s", style="progress.data.speed")

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        Rate(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=plain_console(stderr=True), speed_estimate_period=60) as bar:
        tasks = {what: bar.add_task(what, total=total) for what, total in totals.items()}
        yield lambda what, count: bar.advance(tasks[what], count)
