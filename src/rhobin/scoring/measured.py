"""Our rows of the paper's tables, from the scores that commands wrote."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rhobin.metrics.paper import TABLE_5
from rhobin.metrics.protocol import JOINT_MODES
from rhobin.metrics.tracks import TRACKS
from rhobin.scoring.document import SCORES, read_document, scored_tracks
from rhobin.scoring.track import protocol_words


@dataclass(frozen=True)
class MeasuredRow:
    """A row of our own.

    Attributes:
        table: number of the paper's table.
        name: method and the folder that was scored, or that alone.
        values: in the order and unit of the paper's columns; None where there is no such number.
        source: protocol, data and run.
        kind: what the numbers are of, as `kind_of` says.
    """

    table: int
    name: str
    values: tuple[float | None, ...]
    source: str
    kind: str


CONTHO = JOINT_MODES["contho"].name
OF_THE_FIELD = (CONTHO, JOINT_MODES["procrustes-none"].name)
"""Protocols whose numbers do not belong into the challenge's tables."""

MEASURED, GENERATED, STAND_IN = "measured", "generated data", "the stand-in body"


def kind_of(origin: Mapping[str, Any]) -> str:
    """What scores are of, from their origin: of BEHAVE's people they are only where this is `MEASURED`."""
    if not origin["generated"]:
        return MEASURED
    return GENERATED if origin.get("synthetic", True) else STAND_IN


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
    for document, named in _documents(places):
        tracks = [name for name in scored_tracks(document) if _protocol(document, name) not in OF_THE_FIELD]
        rows += [_of_track(document, track, named) for track in tracks]
        rows += _of_speed(document, named)
    return rows


def contho_rows(places: Iterable[Path]) -> list[MeasuredRow]:
    """Rows counted as CONTHO does: both Chamfer distances in centimetres, contact precision and recall.

    Arguments and errors as of `measured_rows`; `table` is 0, since none of the challenge's is of these.
    """
    rows = []
    for document, named in _documents(places):
        if "joint" not in scored_tracks(document) or _protocol(document, "joint") != CONTHO:
            continue
        scores = document["tracks"]["joint"][document["origin"]["row"]]["scores"]
        centimetres = [None if scores[key] is None else scores[key] / 10 for key in ("SMPL", "Object")]
        values = (*centimetres, scores["Contact_P"], scores["Contact_R"])
        source = f"{CONTHO}, {_source(document['origin'])}"
        rows.append(MeasuredRow(0, named, values, source, kind_of(document["origin"])))
    return rows


def _documents(places: Iterable[Path]) -> Iterator[tuple[dict[str, Any], str]]:
    """The scores of each place, and the name of its row."""
    for place in places:
        if not place.exists():
            raise FileNotFoundError(f"{place}: there is no such folder or file; expected a scored run")
        folder = place if place.is_dir() else place.parent
        document = read_document(folder / SCORES if place.is_dir() else place)
        yield document, _name(document["origin"]["title"], folder)


def _protocol(document: Mapping[str, Any], track: str) -> str:
    return document["tracks"][track][document["origin"]["row"]]["protocol"]["name"]


def _name(title: str, folder: Path) -> str:
    """A row's name; what `rhobin score` wrote has its folder's name for a title."""
    place = folder.name if folder.is_absolute() else str(folder)
    return place if title == folder.resolve().name else f"{title}, {place}"


def _of_track(document: Mapping[str, Any], name: str, named: str) -> MeasuredRow:
    origin, track = document["origin"], TRACKS[name]
    row = document["tracks"][name][origin["row"]]
    values = ((row["scores"][column.name], column.factor) for column in track.columns)
    shown = tuple(None if value is None else value * factor for value, factor in values)
    source = f"{protocol_words(name, row['protocol'])}, {_source(origin)}"
    return MeasuredRow(track.paper.number, named, shown, source, kind_of(origin))


def _of_speed(document: Mapping[str, Any], named: str) -> list[MeasuredRow]:
    """The row of the table of speeds, which is about people with objects."""
    origin = document["origin"]
    seconds = origin.get("seconds", {}).get("network")
    if seconds is None or not origin["predicted"] or "joint" not in scored_tracks(document):
        return []
    passes = origin.get("evaluations") or None  # none: not counted, or the method has no network
    timed = (passes, seconds / origin["predicted"])
    source = f"this machine, run {origin['run']}"
    return [MeasuredRow(TABLE_5.number, named, timed, source, kind_of(origin))]


def _source(origin: Mapping[str, Any]) -> str:
    body = f"body {origin['body']} {origin.get('body_hash', '')}".rstrip()
    if "data_hash" in origin:
        return f"data {origin['data_hash'][:8]}, {body}, run {origin['run']}"
    return f"ref {origin['ref_hash'][:8]}, {body}"
