"""What methods that optimise each view tell of it: how far their objective fell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from rhobin.scoring.collect import Further

BEFORE, AFTER = "extras.objective_before", "extras.objective_after"


def objective_of(further: Further) -> dict[str, Any]:
    """The objective over all views, as `scores.json` keeps it; empty where the method tells none.

    Args:
        further: what the method says of each view.
    """
    if not {BEFORE, AFTER} <= further.arrays.keys():
        return {}
    before, after = (further.arrays[name].astype(np.float64) for name in (BEFORE, AFTER))
    return {
        "views": len(before),
        "fell": int((after < before).sum()),
        "median_before": float(np.median(before)),
        "median_after": float(np.median(after)),
    }


def told_objective(objective: Mapping[str, Any]) -> str:
    """The same in words."""
    return (
        f"it fell in {objective['fell']} of {objective['views']} views, in the median from "
        f"{objective['median_before']:.4g} to {objective['median_after']:.4g}"
    )
