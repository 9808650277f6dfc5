"""The eight people of the synthetic dataset: fixed body shapes and wardrobes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Subject:
    """A person who appears in many sequences.

    Attributes:
        name: ``Sub01`` to ``Sub08``.
        gender: male for Sub01 to Sub05, female for Sub06 to Sub08, as in BEHAVE.
        betas: (10,) shape coefficients of the gendered body.
        clothes_seed: seed of the wardrobe, skin and hair.
    """

    name: str
    gender: str
    betas: np.ndarray
    clothes_seed: int


_LEADING_BETAS = {
    "Sub01": (0.7, -0.6, 0.5),
    "Sub02": (-1.1, 0.4, -0.3),
    "Sub03": (0.2, 1.2, 0.4),
    "Sub04": (1.4, -0.2, -0.8),
    "Sub05": (-0.5, -0.9, 0.9),
    "Sub06": (0.5, 0.6, -0.4),
    "Sub07": (-0.8, -0.3, 0.6),
    "Sub08": (1.0, 0.9, 0.2),
}


def _subject(number: int) -> Subject:
    name = f"Sub{number:02d}"
    rng = np.random.default_rng([2023, number])
    betas = np.clip(rng.normal(0.0, 0.7, 10), -1.5, 1.5)
    betas[:3] = _LEADING_BETAS[name]
    return Subject(name, "male" if number <= 5 else "female", betas.round(3), 100 + number)


SUBJECTS: dict[str, Subject] = {s.name: s for s in map(_subject, range(1, 9))}
