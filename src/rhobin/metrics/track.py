"""What a track of the challenge is."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torchmetrics import Metric

from rhobin.behave.ref import RefTemplate, SequenceAnnotation
from rhobin.body.model import BodyModel
from rhobin.metrics.paper import PaperTable
from rhobin.metrics.scored import ScoredFrames
from rhobin.metrics.submission import Results


@dataclass(frozen=True)
class GroundTruth:
    """What predictions are scored against.

    Attributes:
        annotations: by sequence name.
        templates: by object name.
        bodies: float64 body models by gender.
    """

    annotations: Mapping[str, SequenceAnnotation]
    templates: Mapping[str, RefTemplate]
    bodies: Mapping[str, BodyModel]


@dataclass(frozen=True)
class Column:
    """A score of a track.

    Attributes:
        name: our name of it, as in ``scores.json``.
        unit: mm, px, deg, %, or none for a share in [0, 1].
        higher_is_better: its direction.
        factor: from our unit to that of the paper's table.
        decimals: to print of it.
        frames: the column of ``frames.csv`` that it is the mean of; empty where it is no mean of frames.
        log: its name in a training log, after ``val/``; empty where that is `name`.
        part: human or object: which colour it has in figures.
        year_2024: what the servers of 2024 call it, for each data set; empty where they do not write it.
        by_sequence: the mean of each sequence's mean, not of all frames.
    """

    name: str
    unit: str = ""
    higher_is_better: bool = False
    factor: float = 1.0
    decimals: int = 1
    frames: str = ""
    log: str = ""
    part: str = "human"
    year_2024: str = ""
    by_sequence: bool = False

    @property
    def head(self) -> str:
        """Name and unit, for the head of a table."""
        return f"{self.name} [{self.unit}]" if self.unit else self.name

    @property
    def logged(self) -> str:
        """Its column of a training log."""
        return f"val/{self.log or self.name}"

    @property
    def top(self) -> float | None:
        """The largest value that there is; None where there is none."""
        return {"": 1.0, "%": 100.0}.get(self.unit)

    def shown(self, value: float | None) -> str:
        """A value as it is printed; a dash where there is none, or none that is finite."""
        return "-" if value is None or not math.isfinite(value) else f"{value:.{self.decimals}f}"

    def ends_shown(self, ends: Sequence[float] | None) -> str:
        """An interval as it is printed; a dash where there is none."""
        return "-" if ends is None else f"{self.shown(ends[0])} to {self.shown(ends[1])}"

    def ends_in_short(self, ends: Sequence[float]) -> str:
        """The same for narrow columns: a digit less, and no zero before the point."""
        decimals = max(self.decimals - 1, 0)
        return "-".join(f"{end:.{decimals}f}".removeprefix("0") or "0" for end in ends)


@dataclass(frozen=True)
class Track:
    """A track of the challenge.

    Attributes:
        name: joint, human or object.
        title: its name for people.
        parts: what must be predicted for it: human, object.
        modes: its protocols by mode (docs/protocol.md).
        score: scores (truth, results, protocol, source, workers) as the server does.
        metric: the same as sums over batches, for validation.
        columns: its scores, in the order of the paper's table.
        leading: the scores that stand for the others where there is room for two.
        ranked_by: columns of ``frames.csv`` whose mean ranks frames.
        paper: the paper's table of it.
        every_frame: the server refuses a submission that lacks a frame.
        later: scores that only some modes have, those of the servers of 2024 among them.
        floor: a perfect prediction does not score zero, since surfaces are sampled.
        note: what to know of its scores, one sentence.
    """

    name: str
    title: str
    parts: tuple[str, ...]
    modes: Mapping[str, Any]
    score: Callable[[GroundTruth, Results, Any, str, int], ScoredFrames]
    metric: Callable[..., Metric]
    columns: tuple[Column, ...]
    leading: tuple[str, ...]
    ranked_by: tuple[str, ...]
    paper: PaperTable
    every_frame: bool
    floor: bool
    note: str
    later: tuple[Column, ...] = ()

    def column(self, name: str) -> Column:
        """The column of a score, later ones included."""
        return next(column for column in (*self.columns, *self.later) if column.name == name)

    @property
    def leads(self) -> tuple[Column, ...]:
        """Columns of the leading scores."""
        return tuple(self.column(name) for name in self.leading)
