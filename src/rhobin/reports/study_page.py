"""The page of a sweep: its history, what mattered, every trial; one file that needs no network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rhobin.reports.html import DASH, meter, table, tag, text
from rhobin.reports.parallel import parallel_chart
from rhobin.reports.plain_page import plain_page
from rhobin.reports.study_charts import TrialRow, history_chart, shown
from rhobin.reports.tables import fact_list


@dataclass(frozen=True)
class StudyFacts:
    """A study.

    Attributes:
        name: its name.
        experiment: what its trials train.
        metric: the score.
        higher_is_better: whether a larger score is better.
        planned: how many trials it shall have.
        space: ranges of the searched settings, as in configs/sweep.
        further: what else is said, by name.
    """

    name: str
    experiment: str
    metric: str
    higher_is_better: bool
    planned: int
    space: Mapping[str, Mapping[str, Any]]
    further: Mapping[str, str]


def study_page(study: StudyFacts, rows: Sequence[TrialRow], importance: Mapping[str, float]) -> str:
    """A page that holds everything inside.

    Args:
        study: what was searched.
        rows: its trials by number.
        importance: shares of the settings, largest first; empty where there are too few trials.

    Returns:
        HTML.
    """
    best = best_row(study, rows)
    sections = {
        "History": history_chart(study.metric, study.higher_is_better, study.planned, rows),
        "What matters": importance_table(importance),
        "Settings and scores": parallel_chart(study.metric, study.higher_is_better, study.space, rows),
        "Trials": trial_table(study, rows, best),
        "Facts": fact_list([(name, text(value)) for name, value in study.further.items()]),
    }
    eyebrow = f"Sweep · {study.experiment} · {study.planned} trials"
    return plain_page(study.name, eyebrow, lead(study, rows, best), sections)


def best_row(study: StudyFacts, rows: Sequence[TrialRow]) -> TrialRow | None:
    """The complete trial with the best value, the first of equal ones."""
    complete = [row for row in rows if row.state == "complete" and row.value is not None]
    sign = -1.0 if study.higher_is_better else 1.0
    return min(complete, key=lambda row: sign * (row.value or 0.0), default=None)


def lead(study: StudyFacts, rows: Sequence[TrialRow], best: TrialRow | None) -> str:
    """The outcome in a sentence or two."""
    states = [row.state for row in rows]
    counts = [f"{states.count(s)} {s}" for s in ("complete", "pruned", "failed", "running") if s in states]
    said = f"{text(study.metric)}, {'higher' if study.higher_is_better else 'lower'} is better. "
    said += f"Of {study.planned} trials {', '.join(counts) or 'none has begun'}. "
    if best is None or best.value is None:
        return said + "None has a value yet."
    values = ", ".join(f"{text(key)} {text(shown(value))}" for key, value in best.values.items())
    return said + f"The best is <b>trial {best.number}</b> with <b>{best.value:.6g}</b>: {values}."


def importance_table(importance: Mapping[str, float]) -> str:
    """A bar for each setting."""
    if not importance:
        return tag("p", "Too few complete trials with different values to tell.", class_="note")
    body = [
        (tag("code", text(key)), meter(100 * share, "b"), f"{100 * share:.0f} %")
        for key, share in importance.items()
    ]
    note = "How much each setting tells the best trials from all others, by PED-ANOVA; rough below 50 trials."
    return table(("setting", "", "share"), body, (2,)) + tag("p", note, class_="note")


def trial_table(study: StudyFacts, rows: Sequence[TrialRow], best: TrialRow | None) -> str:
    """Every trial with its state, value, time, settings and reason."""
    keys = list(study.space)
    heads = ("trial", text(study.metric), "time", *map(text, keys), "why it ended")
    body = []
    for row in rows:
        name = f"{row.number} {tag('span', 'best' if row is best else text(row.state), class_='badge')}"
        value = DASH if row.value is None else f"{row.value:.6g}"
        values = [text(shown(row.values[key])) if key in row.values else DASH for key in keys]
        body.append((name, value, duration(row.seconds), *values, tag("small", text(row.reason))))
    return table(heads, body, range(1, 3 + len(keys)))


def duration(seconds: float | None) -> str:
    """A time in the largest unit that it fills."""
    if seconds is None:
        return DASH
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 3600 else f"{seconds / 3600:.1f} h"
