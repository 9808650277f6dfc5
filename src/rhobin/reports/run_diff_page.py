"""The page of two runs: their curves in one chart each, what differs, and the scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rhobin.metrics.tracks import TRACKS
from rhobin.reports.curves import Columns
from rhobin.reports.figures import Series, line_chart
from rhobin.reports.html import table, tag, text
from rhobin.reports.plain_page import plain_page
from rhobin.scoring.compare import Comparison

STYLES = ("body", "object")


def run_diff_page(
    names: tuple[str, str],
    differences: Mapping[str, Mapping[str, tuple[str, str]]],
    logs: tuple[Columns, Columns],
    monitor: str | None,
    scores: Mapping[str, Comparison],
) -> str:
    """A page that compares two runs.

    Args:
        names: of the runs.
        differences: values of both by key, by heading.
        logs: training logs of both.
        monitor: the column that is drawn first; None for none.
        scores: paired comparisons by track.

    Returns:
        HTML.
    """
    lead = "What differs between two runs. Differences are the second run's values minus the first's."
    tables = {head: _values(names, values) for head, values in differences.items() if values}
    return plain_page(
        f"{names[0]} and {names[1]}",
        "rhobin diff",
        lead,
        {"Scores": _scores(names, scores), **tables, "Training": _curves(names, logs, monitor)},
    )


def _values(names: tuple[str, str], values: Mapping[str, tuple[str, str]]) -> str:
    heads = ("", text(names[0]), text(names[1]))
    return table(heads, [tuple(map(text, (key, *pair))) for key, pair in values.items()], ())


def _scores(names: tuple[str, str], scores: Mapping[str, Comparison]) -> str:
    heads = ("", text(names[0]), text(names[1]), "difference", "95 %")
    parts = []
    for track, found in scores.items():
        rows = []
        for name, spread in found.difference.items():
            column = TRACKS[track].column(name)
            shown = (run[name].value for run in found.runs)
            interval = column.ends_shown(spread.ends)
            cells = (*map(column.shown, shown), f"{spread.value:+.{column.decimals}f}", interval)
            rows.append((text(column.head), *map(text, cells)))
        counted = f"{found.frames} frames of {found.sequences} sequences."
        parts += [tag("h3", text(TRACKS[track].title)), table(heads, rows, (1, 2, 3)), tag("p", counted)]
    return "".join(parts)


def _curves(names: tuple[str, str], logs: tuple[Columns, Columns], monitor: str | None) -> str:
    columns = [name for name in logs[0] if name in logs[1]]
    columns.sort(key=lambda name: (name != monitor, not name.startswith("val/"), name))
    return tag("div", *(_chart(name, names, logs) for name in columns), class_="two")


def _chart(column: str, names: Sequence[str], logs: Sequence[Columns]) -> str:
    series = [Series(name, *log[column], style) for name, log, style in zip(names, logs, STYLES, strict=True)]
    return line_chart(series, text(column), "step", from_zero=False, legend=True)
