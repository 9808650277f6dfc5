"""The report's scores: one part for each track."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from rhobin.metrics.track import Track
from rhobin.metrics.tracks import TRACKS
from rhobin.reports.figures import Series, line_chart
from rhobin.reports.html import change, tag, text
from rhobin.reports.symmetry_tables import symmetry_tables
from rhobin.reports.tables import group_table, paper_table, row_title, score_table
from rhobin.scoring.document import FrameRow
from rhobin.scoring.measured import GENERATED, MEASURED, kind_of

Rows = Mapping[str, Mapping[str, Any]]
Frames = Mapping[str, Sequence[FrameRow]]

HELD_OUT = "The challenge's scores on held-out sequences."
NO_CONSTANT = (
    "There is no constant predictor to compare with: it is the mean of the training views, and this was "
    "scored without any."
)
INTERVALS = (
    "Under each score is its 95 % interval over other test sequences (decision 0173); training again varies "
    "beyond it."
)
_BARS = {"human": ("person", "body"), "object": ("object", "object")}
_STYLES = {"constant": "plain", "constant_per_object": "plain dash", "perfect": "good"}


def lead_sentence(track: Track, rows: Rows, method: str, title: str, kind: str) -> str:
    """The main result in words: scores, changes against the constant, and the perfect prediction's scores."""
    ours, leads = rows[method], track.leads
    values = " and ".join(
        f"<b>{column.name} {column.shown(ours['scores'][column.name])} {column.unit}</b>" for column in leads
    )
    where = f"{text(ours['frames'])} frames of sequences that it was not trained on"
    told = f"{text(title)} scores {values} on {where}"
    if kind != MEASURED:
        told = f"{'On' if kind == GENERATED else 'With'} {text(kind)}, {told}"
    constant, best = (rows.get(name, {}).get("scores") for name in ("constant", "perfect"))
    if constant:
        changes = [change(ours["scores"][column.name], constant[column.name]) for column in leads]
        told += f": {' and '.join(f'{percent} %' for percent in changes)} against a constant guess"
    if best and track.floor:
        floors = [f"{column.shown(best[column.name])} {column.unit}" for column in leads]
        told += f". A perfect prediction would score {' and '.join(floors)}"
    return f"{told}."


def scores_section(tracks: Mapping[str, Rows], frames: Frames, origin: Mapping[str, Any]) -> str:
    """Tables and charts of every track, the first with how its errors are spread.

    Args:
        tracks: rows by track, of ``scores.json``.
        frames: errors of frames by row.
        origin: where the scores come from, of ``scores.json``.

    Returns:
        HTML.
    """
    method, title = origin["row"], origin["title"]
    parts = [_intro(tracks)]
    for name in TRACKS:
        if name in tracks:
            parts.append(_track_part(TRACKS[name], tracks[name], frames, method, title))
    return "".join(parts) + tag("p", _comparable(kind_of(origin)), class_="note warn")


def breakdown_section(track: Track, rows: Rows, method: str) -> str:
    """The scores by object, by how much of it is visible, and by symmetry where the track has that."""
    other = rows.get("constant_per_object", {})
    by_object, by_visible = (
        group_table(head, track, rows[method][key], other.get(key, {}), "Object's mean")
        for head, key in (("Object", "by_object"), ("Visible", "by_visible"))
    )
    beside = (
        "The mean of each object is a strong guess where people always hold it the same way; it is listed "
        "beside the method."
    )
    split = rows[method].get("by_symmetry")
    limit = rows[method]["protocol"]["min_visible"]
    hidden = f"Frames below {100 * limit:.0f} % are not scored, as in the challenge."
    return (
        (tag("p", beside) if other else "")
        + by_object
        + tag("h3", "By how much of the object is visible")
        + (tag("p", hidden, class_="note") if limit else "")
        + by_visible
        + (symmetry_tables(split) if split else "")
    )


def _intro(tracks: Mapping[str, Rows]) -> str:
    compared = [TRACKS[name] for name, rows in tracks.items() if "constant" in rows]
    if not compared:
        return tag("p", f"{HELD_OUT} {NO_CONSTANT}")
    parts = {part for track in compared for part in track.parts}
    keys = [
        tag("span", name, class_=f"key-{color}") for part, (name, color) in _BARS.items() if part in parts
    ]
    told = f"{HELD_OUT} Bars show what is left of the constant predictor's error: "
    return tag("p", told, tag("span", *keys, class_="keys inline"))


def _track_part(track: Track, rows: Rows, frames: Frames, method: str, title: str) -> str:
    return "".join(
        (
            tag("h3", text(track.title)),
            *(_warning(name, row) for name, row in rows.items()),
            score_table(track, rows, method, title),
            tag(
                "p",
                text(" ".join((track.note, *_notes(rows[method])))),
                class_="note",
            ),
            paper_table(track.paper),
            _floor(track, rows[method]),
            tag("div", _spread(track, rows, frames, method, title), class_="two"),
        )
    )


def _notes(row: Mapping[str, Any]) -> tuple[str, ...]:
    """What the small numbers under scores are, and what else to know of a row."""
    shown = any(row.get("intervals", {}).values())
    return *((INTERVALS,) if shown else ()), *row.get("notes", ())


def _warning(name: str, row: Mapping[str, Any]) -> str:
    """What keeps a row from a score, or which frames it lacks."""
    if "reason" in row:
        return tag("p", text(f"{name}: no score. {row['reason']}"), class_="note warn")
    share, limit = 100 * row["coverage"], 100 * row["protocol"]["min_coverage"]
    if not row["frames"]:
        told = (
            f"{name}: no score. Predictions cover {share:.1f} % of the frames; {limit:.1f} % are asked for."
        )
        return tag("p", text(told), class_="warn")
    if row["missing"]:
        names = ", ".join(row["missing"][:6])
        told = f"{name}: {len(row['missing'])} of {row['visible_frames']} frames have no prediction: {names}."
        return tag("p", text(told), class_="note warn")
    return ""


def _floor(track: Track, row: Mapping[str, Any]) -> str:
    if not track.floor or "protocol" not in row:
        return ""
    told = (
        "<b>Why the perfect prediction is not at zero.</b> The official evaluator draws "
        f"{row['protocol']['samples']:,} random points on each surface, for the prediction and for the truth "
        "separately, and adds the mean nearest distances of both directions. Two independent samples of the "
        "same surface are that far apart. Scores can approach this floor, not pass it, and errors do not "
        "simply add to it."
    )
    return tag("p", told, class_="note")


def _comparable(kind: str) -> str:
    if kind != MEASURED:
        ours = "generated images with a" if kind == GENERATED else "photographs with the"
        return (
            "The paper's rows are quoted, not measured here, and not comparable with the rows above: they "
            f"are on BEHAVE's photographs with the SMPL-H body, ours on {ours} stand-in "
            "body. Only the metric is the same."
        )
    return (
        "The paper's rows are quoted, not measured here. The metric is the challenge's; check that test "
        "frames and masks are too."
    )


def _spread(track: Track, rows: Rows, frames: Frames, method: str, title: str) -> str:
    charts = []
    for column in track.leads:
        series = []
        for row in rows:
            if row == "perfect" and not track.floor:
                continue
            x = sorted(frame.errors[column.frames] for frame in frames[row] if column.frames in frame.errors)
            if x:
                y = (100 * np.arange(1, len(x) + 1) / len(x)).tolist()
                ours = "body" if column.part == "human" else "object"
                style = ours if row == method else _STYLES.get(row, "plain")
                name = row_title(row, method, title)
                series.append(Series(name if row == method else name.lower(), x, y, style))
        caption = f"<b>{column.name}</b>: share of frames (%) with at most this error."
        series = [_over_all(s, series) for s in series]
        charts.append(line_chart(series, caption, f"error [{column.unit}]", log_x=True, legend=True))
    return "".join(charts)


def _over_all(series: Series, others: Sequence[Series]) -> Series:
    """A rising curve from 0 at the smallest error of all curves to 100 at their largest."""
    low, high = min(s.x[0] for s in others), max(s.x[-1] for s in others)
    return replace(series, x=[low, *series.x, high], y=[0.0, *series.y, 100.0])
