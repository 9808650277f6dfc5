"""Views that a training leaves out: how many and why, for people and for the run folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pytorch_lightning.utilities import rank_zero_only

from rhobin.behave.skips import REASONS, Skip, count_skips
from rhobin.files import write_json

LEFT_OUT = "left_out.json"


def tell_left_out(skips: Sequence[Skip]) -> str:
    """One line: views by reason, most first. Images that a raw root hides are found when they are opened."""
    counts = sorted(count_skips(skips).items(), key=lambda item: -item[1]["views"])
    total = sum(count["views"] for _, count in counts)
    reasons = "; ".join(f"{count['views']:,}: {REASONS[reason]}" for reason, count in counts)
    return f"{total:,} views{f' ({reasons}), named in {LEFT_OUT}' if reasons else ' so far'}"


@rank_zero_only
def write_left_out(run_dir: Path, info: dict[str, Any], skips: Sequence[Skip]) -> None:
    """Note in a run's facts how many views are left out by reason, and in `left_out.json` every file."""
    counts = count_skips(skips)
    info["left_out"] = {reason: count["views"] for reason, count in counts.items()}
    reasons = {reason: REASONS[reason] for reason in counts}
    document = {"views": info["left_out"], "reasons": reasons, "files": [vars(skip) for skip in skips]}
    write_json(run_dir / LEFT_OUT, document, indent=1)
