"""Printing data on a terminal as they are."""

from typing import Any

from rich.console import Console


def plain_console(**options: Any) -> Console:
    """A console that prints square brackets as brackets: units, file names and run names are no markup.

    Args:
        options: of `rich.console.Console`.
    """
    return Console(markup=False, **options)
