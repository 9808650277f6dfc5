"""Smooth parameter paths: one sequence is one motion, every frame a point of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar
from zlib import crc32

import numpy as np

T = TypeVar("T")


class MotionPath:
    """Named parameters that wander smoothly over a sequence; a pure function of its seed."""

    def __init__(self, seed: Sequence[int]) -> None:
        self._seed = tuple(seed)
        self._drawn: dict[str, np.ndarray] = {}

    def draw(self, name: str) -> np.ndarray:
        """Eight uniform numbers of a parameter: start, choice, two waves' phases and rates, spare."""
        if name not in self._drawn:
            rng = np.random.default_rng([*self._seed, crc32(name.encode())])
            self._drawn[name] = rng.random(8)
        return self._drawn[name]

    def at(self, time: float, nudge: int = 0) -> Params:
        """Parameters at `time` (one unit is a slow swing); another `nudge` gives nearby ones, to retry."""
        return Params(self, time, nudge)


class Params:
    """The parameters of one frame, asked for by name."""

    def __init__(self, path: MotionPath, time: float, nudge: int) -> None:
        self._path, self._time, self._nudge = path, time, nudge

    def __call__(self, name: str, low: float, high: float, sway: float = 0.27) -> float:
        """A value in [low, high] that starts anywhere and sways by that share of the range."""
        u = self._path.draw(name)
        share = u[0] + sway * self._wave(u) + self._jitter(name)
        share = abs(share) % 2.0
        return low + (high - low) * (2.0 - share if share > 1.0 else share)

    def degrees(self, name: str, low: float, high: float, sway: float = 0.27) -> float:
        """`__call__` with bounds in degrees and the value in radians."""
        return float(np.radians(self(name, low, high, sway)))

    def turn(self, name: str, sway: float) -> float:
        """An angle (radians) that starts anywhere in the full circle and turns by up to `sway` radians."""
        u = self._path.draw(name)
        return float(2 * np.pi * u[0] + sway * self._wave(u))

    def choice(self, name: str, options: Sequence[T]) -> T:
        """One of some options, the same for the whole sequence."""
        return options[int(self._path.draw(name)[1] * len(options))]

    def still(self) -> Params:
        """The parameters of the motion's start: what does not move during it."""
        return Params(self._path, 0.0, 0)

    def _wave(self, u: np.ndarray) -> float:
        slow = np.sin(2 * np.pi * (u[2] + (0.3 + 0.5 * u[3]) * self._time))
        fast = np.sin(2 * np.pi * (u[4] + (0.8 + 0.8 * u[5]) * self._time))
        return float(0.75 * slow + 0.25 * fast)

    def _jitter(self, name: str) -> float:
        if self._nudge == 0:
            return 0.0
        rng = np.random.default_rng([self._nudge, int(self._time * 1e6), crc32(name.encode())])
        return float(0.08 * rng.standard_normal())
