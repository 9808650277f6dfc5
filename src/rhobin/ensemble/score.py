"""Score a stored ensemble beside its best member, with the files of an evaluated run."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import rhobin
from rhobin.data.splits import read_test_split
from rhobin.ensemble.apply import Applied
from rhobin.files import write_json
from rhobin.metrics.tracks import TRACKS
from rhobin.scoring.challenge import Challenge
from rhobin.scoring.document import SCORES, Scores, read_document, write_scores
from rhobin.scoring.rows import score_rows
from rhobin.scoring.visibility import with_visibility


def scored_root(applied: Applied) -> Path | None:
    """The root that a member was scored on; None where none was."""
    for member in applied.members:
        if (member.run / SCORES).is_file():
            return Path(read_document(member.run / SCORES)["origin"]["data"]["root"])
    return None


def score_ensemble(
    applied: Applied, challenge: Challenge, root: Path, body: str | Path | None, workers: int = 2
) -> Scores:
    """Score the ensemble, and the member that was best on the validation views, in the human track.

    Args:
        applied: what was stored; ``scores.json``, ``frames.csv`` and ``run.json`` are written beside it.
        challenge: the ground truth.
        root: the dataset root that it is from.
        body: what was asked for when `challenge` was read.
        workers: threads.

    Returns:
        The scores.
    """
    row, best = applied.provenance.method, applied.members[applied.best]
    mode = "2024" if challenge.edition == "2024" else "official"
    rows = {row: applied.results, f"best member, {best.run.name}": best.results}
    scored = score_rows(challenge, {"human": rows}, {"human": TRACKS["human"].modes[mode]}, workers)
    scores = with_visibility(scored, challenge, read_test_split(root))
    write_json(applied.folder / "run.json", _run(applied), indent=2)
    write_scores(applied.folder, scores, _origin(applied, challenge, root, body))
    return scores


def _origin(applied: Applied, challenge: Challenge, root: Path, body: str | Path | None) -> dict[str, Any]:
    return {
        **asdict(applied.provenance),
        "row": applied.provenance.method,
        "rhobin": rhobin.__version__,
        "data": {"root": str(root)},
        **challenge.origin,
        "body_folder": body and str(body),
        "predicted": sum(len(record["frames"]) for record in applied.results.values()),
        "ref_hash": challenge.ref_hash,
    }


def _run(applied: Applied) -> dict[str, Any]:
    names = ", ".join(str(member.run) for member in applied.members)
    return {"id": applied.provenance.run, "name": applied.provenance.title, "state": f"stacked of {names}"}
