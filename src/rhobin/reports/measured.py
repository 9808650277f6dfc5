"""Our rows of the paper's tables, from the scores that commands wrote."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rhobin.metrics.protocol import TABLE_5
from rhobin.reports.score import SCHEMA
from rhobin.reports.track import PAPER


@dataclass(frozen=True)
class MeasuredRow:
    """A row of our own.

    Attributes:
        table: number of the paper's table.
        name: method, or the folder that was scored.
        values: in the order and unit of the paper's columns; None where there is no such number.
        source: protocol, data and run.
        generated: the numbers are of generated data or of the stand-in body: no BEHAVE numbers.
    """

    table: int
    name: str
    values: tuple[float | None, ...]
    source: str
    generated: bool


def measured_rows(places: Iterable[Path]) -> list[MeasuredRow]:
    """Rows from ``scores.json`` files of `rhobin score` and of evaluated runs.

    Args:
        places: files, or folders that hold one.

    Returns:
        Rows in the order given.

    Raises:
        FileNotFoundError: a place has no scores.
        ValueError: a file is something else.
    """
    rows: list[MeasuredRow] = []
    for place in places:
        path = place / "scores.json" if place.is_dir() else place
        if not path.is_file():
            raise FileNotFoundError(
                f"no scores at {path}: make them with rhobin score, or eval.py run={place}"
            )
        document = json.loads(path.read_text())
        if "track" in document:
            rows.append(_of_track(path.parent, document))
        elif "rows" in document:
            if document.get("schema") != SCHEMA:
                raise ValueError(
                    f"{path}: written by another version; score again: python eval.py run={path.parent}"
                )
            rows += _of_run(document)
        else:
            raise ValueError(f"{path}: expected scores, found keys {sorted(document)}")
    return rows


def _of_track(folder: Path, document: Mapping[str, Any]) -> MeasuredRow:
    track, origin = document["track"], document["origin"]
    source = f"{document['protocol']['name']}, ref {origin['ref_hash'][:8]}, body {origin['body']}"
    values = _in_paper_units(track, document["scores"])
    return MeasuredRow(PAPER[track][0].number, folder.name, values, source, origin["body"] == "stand-in")


def _in_paper_units(track: str, scores: Mapping[str, float | None]) -> tuple[float | None, ...]:
    found = ((scores[key], factor) for key, factor in PAPER[track][1])
    return tuple(None if value is None else value * factor for value, factor in found)


def _of_run(document: Mapping[str, Any]) -> list[MeasuredRow]:
    origin = document["origin"]
    row = document["rows"][origin["method"]]
    source = f"{row['protocol']['name']}, data {origin['data_hash'][:8]}, run {origin['run']}"
    generated = origin["generated"]
    rows = [MeasuredRow(4, origin["method"], (row["smpl_mm"], row["object_mm"]), source, generated)]
    for track, tracked in document.get("tracks", {}).items():
        scored = tracked[origin["method"]]
        if "scores" in scored:
            source = f"{scored['protocol']['name']}, data {origin['data_hash'][:8]}, run {origin['run']}"
            values = _in_paper_units(track, scored["scores"])
            rows.append(MeasuredRow(PAPER[track][0].number, origin["method"], values, source, generated))
    seconds = origin["seconds"].get("network")
    if seconds is not None and origin["predicted"]:
        timed = (1.0, seconds / origin["predicted"])
        rows.append(
            MeasuredRow(
                TABLE_5.number, origin["method"], timed, f"this machine, run {origin['run']}", generated
            )
        )
    return rows
