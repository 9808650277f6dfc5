"""Random people: Anny phenotypes drawn around adult statures."""

from __future__ import annotations

import numpy as np

STATURE = {"male": (1.76, 0.068), "female": (1.63, 0.062)}  # mean and std, metres
HEIGHT_AT_ZERO = {"male": 1.364, "female": 1.224}  # Anny's stature at height parameter 0
HEIGHT_SLOPE = 1.09  # metres a unit of Anny's height parameter
CLIP = 3.0  # standard deviations of stature


def sample_people(gender: str, count: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Anny phenotype values of `count` adults; neutral means half men, half women.

    Returns:
        One (count,) array per phenotype, in Anny's units of 0..1.
    """
    share = {"male": 0.0, "female": 1.0, "neutral": 0.5}[gender]
    female = (np.arange(count) < round(share * count)).astype(float)
    mean, std, base = (
        np.where(female, table["female"], table["male"])
        for table in (
            {g: v[0] for g, v in STATURE.items()},
            {g: v[1] for g, v in STATURE.items()},
            HEIGHT_AT_ZERO,
        )
    )
    stature = mean + std * np.clip(rng.standard_normal(count), -CLIP, CLIP)
    ancestry = rng.dirichlet(np.ones(3), count)
    return {
        "gender": female,
        "age": rng.uniform(0.60, 0.85, count),
        "height": (stature - base) / HEIGHT_SLOPE,
        "weight": rng.beta(3.2, 1.5, count),
        "muscle": rng.beta(3.0, 3.0, count),
        "proportions": rng.uniform(0.2, 0.9, count),
        "african": ancestry[:, 0],
        "asian": ancestry[:, 1],
        "caucasian": ancestry[:, 2],
    }
