"""A reproduced table: our rows with where they come from, beside what we once measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml

from rhobin.engine.reference import Reference, reference_of
from rhobin.engine.reproduce import LATENCY, SPEED, Plan
from rhobin.engine.runinfo import read_run
from rhobin.files import read_json, write_json
from rhobin.metrics.paper import TABLE_2, TABLE_3, TABLE_4, TABLE_5, PaperTable
from rhobin.metrics.tracks import TRACKS
from rhobin.scoring.measured import measured_rows

TABLES = {table.number: table for table in (TABLE_2, TABLE_3, TABLE_4, TABLE_5)}
PROVENANCE = "provenance.json"


@dataclass(frozen=True)
class OurRow:
    """A row of ours.

    Attributes:
        name: of the row.
        values: in the order and unit of the table's columns; None where there is none.
        kind: "measured" on BEHAVE, or what else the numbers are of.
        source: protocol, data, body, run, commit, hours.
        earlier: what this preset reached when we trained it, like `values`; None where we did not.
        about_earlier: when, with which commit and where; empty without.
    """

    name: str
    values: tuple[float | None, ...]
    kind: str
    source: str
    earlier: tuple[float | None, ...] | None
    about_earlier: str


def our_rows(plan: Plan) -> tuple[PaperTable, list[OurRow]]:
    """The report's table, and our rows of a plan whose steps are done; also written to `provenance.json`.

    Raises:
        FileNotFoundError: a row has no scores.
        ValueError: a file of scores is damaged.
    """
    table = TABLES[int(plan.table.removeprefix("table"))]
    rows = [our_row(plan, table, name, folder) for name, folder in plan.rows.items()]
    written = {
        "table": plan.table,
        "size": plan.size,
        "commands": [str(step) for step in plan.steps],
        "columns": table.columns,
        "rows": [asdict(row) for row in rows],
    }
    write_json(plan.out / PROVENANCE, written)
    return table, rows


def our_row(plan: Plan, table: PaperTable, name: str, folder: Path) -> OurRow:
    """One row, of the scores in a folder."""
    row = next(one for one in measured_rows([folder]) if one.table == table.number)
    values, inner = row.values, ""
    if plan.table == SPEED:
        values, seconds = times(plan.out / LATENCY, folder)
        inner = f", {seconds:.3g} s of it between crop and meshes"
    run = read_run(folder)
    commit = (run.get("git") or {}).get("commit", "unknown")[:12]
    trained = f", {run['seconds'] / 3600:.2f} hours" if "seconds" in run else ""
    source = f"{row.source}, commit {commit}{trained}{inner}"
    known = reference_of_run(folder) if plan.table != SPEED else None
    earlier = in_columns(known, table) if known else None
    return OurRow(name, values, row.kind, source, earlier, known.about if known else "")


def reference_of_run(folder: Path) -> Reference | None:
    """What the preset of a run reached when we trained it."""
    path = folder / "config.yaml"
    return reference_of(yaml.safe_load(path.read_text(encoding="utf-8"))) if path.is_file() else None


def in_columns(reference: Reference, table: PaperTable) -> tuple[float | None, ...]:
    """Its scores in the order and unit of a table's columns."""
    track = next(track for track in TRACKS.values() if track.paper.number == table.number)
    scores = reference.scores.get(track.name, {})
    values = ((scores.get(column.name), column.factor) for column in track.columns)
    return tuple(None if value is None else value * factor for value, factor in values)


def times(path: Path, folder: Path) -> tuple[tuple[float | None, ...], float]:
    """Evaluations of the network and seconds a frame of a run, and the seconds between crop and meshes.

    Args:
        path: what `benchmarks/latency.py` wrote.
        folder: of the run.
    """
    frames: Sequence[dict[str, Any]] = read_json(path)["frames"]
    frame = next(frame for frame in frames if frame["name"] == str(folder))
    spent = frame["seconds"]
    inner = sum(spent[part] for part in ("network", "kinematics", "fit", "mesh"))
    return (float(frame["evaluations"]), sum(spent.values())), inner
