"""What preparing will write, and what it will meet, told from some views."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from rhobin.data.prepare.build import Plan
from rhobin.data.prepare.judge import faulty_views
from rhobin.data.prepare.recipe import STORED
from rhobin.data.prepare.view import prepare_view

_SAMPLES = 24


@dataclass(frozen=True)
class Estimate:
    """What some views tell, spread evenly over what there is to do.

    Attributes:
        bytes: that preparing will write, about.
        looked: how many views were looked at.
        unusable: how many of them cannot be used, by reason.
    """

    bytes: int
    looked: int
    unusable: Counter[str]


def estimate(plan: Plan, samples: int = _SAMPLES) -> Estimate:
    """Prepare some views without writing them."""
    views = [(s.split, row, files) for s in plan.todo for row, files in zip(s.views, s.files, strict=True)]
    samples = min(samples, len(views))
    chosen = [views[i * len(views) // samples] for i in range(samples)]
    made = [prepare_view(files, plan.recipe) for _, _, files in chosen]
    unusable = Counter(row["reason"].item().decode() for row, jpeg, _ in made if not jpeg)
    for release in plan.releases:
        shown = [i for i, (split, _, _) in enumerate(chosen) if split == release.split and made[i][1]]
        rows = np.array([chosen[i][1] for i in shown], np.int64)
        stored = np.array([made[i][0] for i in shown], STORED)
        faults = faulty_views(release, rows, stored["boxes"], stored["size"])
        unusable.update(fault.reason for fault in faults)
    size = sum(len(jpeg) + len(masks) for _, jpeg, masks in made)
    return Estimate(round(size / max(samples, 1) * len(views)), samples, unusable)
