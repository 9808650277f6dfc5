"""In what two runs differ: config, environment, training curves and scores of frames."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from rhobin.engine.runinfo import flatten, is_free, read_run
from rhobin.engine.runs import config_of, monitor_of
from rhobin.reports.curves import Columns, read_metrics
from rhobin.scoring.compare import Comparison, compare, read_frame_scores
from rhobin.scoring.document import SCORES, read_scores, scored_tracks

ABSENT = "-"
ENVIRONMENT = ("git.commit", "git.changed", "python", "machine", "versions", "threads", "processes")
DATA = ("data_hash", "body_hash", "seed")

Pair = tuple[str, str]


@dataclass(frozen=True)
class CurvePoint:
    """A logged number of both runs.

    Attributes:
        name: its column of the log.
        step: the last step that both logged.
        values: there, of each run.
        best: the best of the monitored score's values, of each run; None for other columns.
    """

    name: str
    step: int
    values: tuple[float, float]
    best: tuple[float, float] | None = None


@dataclass(frozen=True)
class RunDiff:
    """In what two runs differ.

    Attributes:
        config: values of the keys that decide what a run computes, where they differ.
        free: those of keys that may differ when a run goes on.
        environment: facts of source, packages and machine that differ.
        data: hashes of data and body, and the seed, where they differ.
        curves: what both logged, at the last common step.
        scores: the second's scores minus the first's, by frame and track.
        unscored: why there is no comparison, by track, or under "" for all.
    """

    config: dict[str, Pair]
    free: dict[str, Pair]
    environment: dict[str, Pair]
    data: dict[str, Pair]
    curves: list[CurvePoint]
    scores: dict[str, Comparison]
    unscored: dict[str, str]


def run_diff(folders: tuple[Path, Path]) -> RunDiff:
    """Compare two run folders.

    Args:
        folders: of the two runs.

    Raises:
        FileNotFoundError: a folder is none of a run.
        ValueError: a file of a run is damaged.
    """
    configs, infos = [read_config(folder) for folder in folders], [read_run(folder) for folder in folders]
    keys = different(*configs)
    facts = different(*(flatten(info) for info in infos))
    scores, unscored = compared_scores(folders)
    return RunDiff(
        config={key: pair for key, pair in keys.items() if not is_free(key)},
        free={key: pair for key, pair in keys.items() if is_free(key)},
        environment={key: pair for key, pair in facts.items() if key.startswith(ENVIRONMENT)},
        data={key: pair for key, pair in facts.items() if key in DATA},
        curves=compared_curves(folders),
        scores=scores,
        unscored=unscored,
    )


def read_config(folder: Path) -> dict[str, Any]:
    """A run's config as flat `key: value`.

    Raises:
        FileNotFoundError: there is none.
        ValueError: it is no YAML of keys.
    """
    path = folder / "config.yaml"
    if not path.is_file():
        raise FileNotFoundError(f"{folder} is no run folder: it has no config.yaml; rhobin runs lists runs")
    try:
        config = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is damaged: {' '.join(str(error).split())}") from error
    if not isinstance(config, dict):
        raise ValueError(f"{path} is damaged: expected keys and values, found {type(config).__name__}")
    return flatten(config)


def different(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Pair]:
    """Values of the keys in which two flat mappings differ, as text; `ABSENT` where a key is missing."""
    names = sorted(first.keys() | second.keys())
    pairs = {name: (told(first, name), told(second, name)) for name in names}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def told(values: dict[str, Any], name: str) -> str:
    """A value as it is written in a config."""
    if name not in values:
        return ABSENT
    value = values[name]
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def compared_curves(folders: tuple[Path, Path]) -> list[CurvePoint]:
    """Every number that both runs logged, at the last step that both have.

    Raises:
        ValueError: a log is damaged.
    """
    logs, found = tuple(read_metrics(folder / "metrics.csv") for folder in folders), []
    monitors = [monitor_of(config_of(folder)) for folder in folders]
    for name in logs[0]:
        shared = [dict(zip(*log[name], strict=True)) for log in logs if name in log]
        steps = set(shared[0]).intersection(*shared[1:]) if len(shared) == 2 else set()
        if not steps:
            continue
        last, best = max(steps), None
        if monitors[0] is not None and monitors[0] == monitors[1] and monitors[0].name == name:
            pick = max if monitors[0].higher_is_better else min
            best = (pick(logs[0][name][1]), pick(logs[1][name][1]))
        found.append(CurvePoint(name, int(last), (shared[0][last], shared[1][last]), best))
    return sorted(found, key=lambda point: point.best is None)


def compared_scores(folders: tuple[Path, Path]) -> tuple[dict[str, Comparison], dict[str, str]]:
    """Paired differences of every track that both runs have scores in, and why others have none."""
    missing = next((folder for folder in folders if not (folder / SCORES).is_file()), None)
    if missing is not None:
        return {}, {"": f"{missing} is not scored; run: python eval.py run={missing}"}
    tracks = [scored_tracks(read_scores(folder)[0]) for folder in folders]
    scores, unscored = {}, {}
    for track in (name for name in tracks[0] if name in tracks[1]):
        try:
            first, second = (read_frame_scores(folder, track) for folder in folders)
            scores[track] = compare((first, second))
        except ValueError as error:
            unscored[track] = str(error)
    return scores, unscored


def logs_of(folders: tuple[Path, Path]) -> tuple[Columns, Columns]:
    """The training logs of both runs, for drawing."""
    return read_metrics(folders[0] / "metrics.csv"), read_metrics(folders[1] / "metrics.csv")
