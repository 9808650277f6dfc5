"""What the run folders below a folder say of their runs: state, step, score, time left."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from rhobin.engine.lock import holder
from rhobin.engine.log import read_log
from rhobin.engine.monitor import Monitor
from rhobin.engine.reference import reference_of
from rhobin.engine.runinfo import read_run
from rhobin.metrics.tracks import TRACKS
from rhobin.scoring.document import SCORES, read_scores, scored_tracks

NO_RUNS = ("checkpoints", "validation")
UNDER_WAY = ("running", "interrupted")
"""What `run.json` says of a run under way, and of one that could not say how it ended."""

KILLED = "killed"


@dataclass(frozen=True)
class RunState:
    """One run.

    Attributes:
        folder: the run folder.
        state: finished, running, killed, interrupted by a signal, or failed and by what.
        step: of the last row of its log; 0 without one.
        total: steps of the whole run; None where it was not noted.
        monitor: the score that its best checkpoint is chosen by; None where its config cannot be read.
        best: that score's best value so far; None before the first validation.
        reference: the best value up to that step when we trained this preset; None where we did not.
        tests: leading scores on the test views, a text a track.
        seconds: how long all sessions took so far.
        holder: process and machine that train it now; None where nobody does.
    """

    folder: Path
    state: str
    step: int
    total: int | None
    monitor: Monitor | None
    best: float | None
    reference: float | None
    tests: tuple[str, ...]
    seconds: float
    holder: str | None

    @property
    def seconds_left(self) -> float | None:
        """Of a running one, at its mean speed so far; None where that is not known."""
        if self.holder is None or not self.step or self.total is None:
            return None
        return self.seconds / self.step * (self.total - self.step)


def run_states(places: list[Path]) -> list[RunState]:
    """Every run in and below some folders, in the order of their paths.

    Raises:
        FileNotFoundError: a place is no folder.
    """
    for place in places:
        if not place.is_dir():
            raise FileNotFoundError(
                f"{place} is no folder; expected one that holds run folders, such as runs"
            )
    return [run_state(folder) for place in places for folder in run_folders(place)]


def run_folders(place: Path) -> Iterator[Path]:
    """Folders with a `run.json`; those of stages and of a sweep's jobs lie in others."""
    for folder, inner, files in os.walk(place):
        inner[:] = sorted(set(inner) - {*NO_RUNS})
        if "run.json" in files:
            yield Path(folder)


def run_state(folder: Path) -> RunState:
    """What a run folder says; whatever cannot be read is left open."""
    info, held = read_run(folder), holder(folder)
    columns, rows = read_log(folder / "metrics.csv")
    config = config_of(folder)
    monitor, known = monitor_of(config), reference_of(config) if config else None
    state, step = str(info.get("state", "unknown")), int(info.get("steps", 0))
    if held or state in UNDER_WAY:
        state = "running" if held else KILLED
    step = max(int(rows[-1][0]) if rows else 0, step)
    return RunState(
        folder=folder,
        state=state,
        step=step,
        total=info.get("total_steps", step if state == "finished" else None),
        monitor=monitor,
        best=best_value(monitor, columns, rows),
        reference=known.best_until(monitor, step) if known and monitor else None,
        tests=test_scores(folder),
        seconds=float(info.get("seconds", 0.0)) + (seconds_of_session(info) if held else 0.0),
        holder=held,
    )


def config_of(folder: Path) -> dict[str, Any]:
    """A run's config; empty where it cannot be read."""
    try:
        config = yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return {}
    return config if isinstance(config, dict) else {}


def monitor_of(config: dict[str, Any]) -> Monitor | None:
    """The score that a run's best checkpoint is chosen by; None where its config does not say."""
    try:
        section = config["callbacks"]["evaluator"]["monitor"]
        return Monitor(section["name"], section["higher_is_better"])
    except (KeyError, TypeError):
        return None


def best_value(monitor: Monitor | None, columns: list[str], rows: list[list[str]]) -> float | None:
    """The best value of the monitored score in a log."""
    best: float | None = None
    if monitor is None or monitor.name not in columns:
        return best
    place = columns.index(monitor.name)
    for value in (float(row[place]) for row in rows if row[place]):
        best = value if monitor.better(value, best) else best
    return best


def seconds_of_session(info: dict[str, Any]) -> float:
    """How long the session under way has been running."""
    began = [info.get("started"), *info.get("resumed", [])][-1]
    try:
        return max(0.0, time.time() - datetime.fromisoformat(str(began)).timestamp())
    except ValueError:
        return 0.0


def test_scores(folder: Path) -> tuple[str, ...]:
    """Leading scores of each scored track; none where the run is not scored."""
    if not (folder / SCORES).is_file():
        return ()
    try:
        document, _ = read_scores(folder)
    except (OSError, ValueError):
        return (f"{SCORES} is not readable; score again",)
    row, told = document["origin"]["row"], []
    for name in scored_tracks(document):
        scores = document["tracks"][name][row]["scores"]
        leads = TRACKS[name].leads
        told.append(
            f"{name} " + ", ".join(f"{c.name} {c.shown(scores[c.name])} {c.unit}".strip() for c in leads)
        )
    return tuple(told)
