"""The score that chooses the best checkpoint."""

from __future__ import annotations

import math
from dataclasses import dataclass


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
