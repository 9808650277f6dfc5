"""The score that chooses the best checkpoint."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from difflib import get_close_matches

from omegaconf import DictConfig, OmegaConf

from rhobin.metrics.tracks import TRACKS

COLUMNS = [column for track in TRACKS.values() for column in track.columns]
DIRECTIONS = {"val/joint_mm": False, **{column.logged: column.higher_is_better for column in COLUMNS}}
"""Whether a larger value is better, of every score of `ValidationScores`, by its column in the log."""


@dataclass(frozen=True)
class Monitor:
    """A score of the validation views.

    Attributes:
        name: its column in the log, `val/joint_mm` for example.
        higher_is_better: whether a larger value is better.
    """

    name: str
    higher_is_better: bool

    def better(self, value: float, best: float | None) -> bool:
        """Whether a value beats the best so far; one that is no number never does."""
        if math.isnan(value):
            return False
        return best is None or (value > best if self.higher_is_better else value < best)


def check_monitor(config: DictConfig) -> None:
    """Refuse a score that the method will not have, or whose better values would count as worse.

    A method whose config does not name its losses under `model.weights` is asked at its first score only.

    Raises:
        ValueError: naming the key, its value and what is expected.
    """
    name, higher = (
        OmegaConf.select(config, f"callbacks.evaluator.monitor.{key}") for key in ("name", "higher_is_better")
    )
    weights = config.model.get("weights")
    if name is not None and weights is not None:
        check_name(name, {"val/loss", *DIRECTIONS, *(f"val/{loss}" for loss in weights)})
    if higher is not None and DIRECTIONS.get(name, higher) != higher:
        raise ValueError(
            f"callbacks.evaluator.monitor.higher_is_better is {str(higher).lower()}; expected "
            f"{str(not higher).lower()}, since {better_words(name)}"
        )


def check_name(name: str, known: Collection[str]) -> None:
    """Refuse a score that is not among the known ones.

    Raises:
        ValueError: naming one that looks like it, and all.
    """
    if name not in known:
        near = get_close_matches(name, known, 1, cutoff=0.0)[0]
        raise ValueError(
            f"callbacks.evaluator.monitor.name is {name!r}; did you mean {near}? This method can have "
            + ", ".join(sorted(known))
        )


def better_words(name: str) -> str:
    """Which values of a challenge's score are better, in words."""
    return f"a {'larger' if DIRECTIONS[name] else 'smaller'} {name} is better"
