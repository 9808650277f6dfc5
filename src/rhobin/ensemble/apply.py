"""Stack the members' test predictions and store them like a run's."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from rhobin.body.joints import SMPL_BODY_NAMES
from rhobin.ensemble.document import ENSEMBLE, read_ensemble, weights_of
from rhobin.ensemble.members import EnsembleError, Member, command, read_members
from rhobin.ensemble.meshes import Bodies, bodies_of
from rhobin.ensemble.people import KEYS, People, aligned
from rhobin.ensemble.stack import stack
from rhobin.ensemble.subjects import with_shared_betas
from rhobin.ensemble.turns import kept_turns, turn_results
from rhobin.scoring.challenge import file_hash
from rhobin.scoring.collect import Further
from rhobin.scoring.store import Provenance, write_results
from rhobin.scoring.submissions import track_results

METHOD, SHARED = "ensemble", "shared_betas"
SPREAD, REFIT = "extras.spread_mm", "extras.refit_mm"


@dataclass(frozen=True)
class Applied:
    """What was stored.

    Attributes:
        folder: where.
        results: predictions by sequence name.
        provenance: where they come from.
        members: with their test predictions.
        best: number of the member that was best on the validation views.
        refit_mm: mean distance of refitted bodies from the mean of the members'; None for one member.
        turned: names of the parts that were turned.
    """

    folder: Path
    results: dict[str, dict[str, Any]]
    provenance: Provenance
    members: list[Member]
    best: int
    refit_mm: float | None = None
    turned: tuple[str, ...] = ()


def apply_ensemble(folder: Path, body: str | Path | None = None, shared_betas: bool = False) -> Applied:
    """Stack the test predictions of an ensemble's members; store ``results.pkl`` and what belongs to it.

    A single member's predictions stay as they are, to the bit, but for parts that the ensemble turns.

    Args:
        folder: the ensemble's, with ``ensemble.json``.
        body: folder of the SMPL-H files that the runs were evaluated with; None is the stand-in.
        shared_betas: give each subject one shape, and store that apart in the folder ``shared_betas``.

    Returns:
        What was stored.

    Raises:
        FileNotFoundError: the ensemble is not fitted, or a member has no test predictions.
        EnsembleError: members cannot be stacked, or are no longer those that weights were fitted for.
    """
    document = read_ensemble(folder)
    members = read_members([Path(told["run"]) for told in document["members"]], held_out=False)
    _check_same(folder, document, members)
    people = aligned(members)
    needed = len(members) > 1 or shared_betas
    bodies = bodies_of(people, body, document["body_hash"]) if needed else {}
    results, extras = _stacked(people, bodies, members, document)
    turns = kept_turns(document["angles"]["parts"]) if "angles" in document else {}
    provenance = _provenance(folder, members, bool(turns))
    if shared_betas:
        results = with_shared_betas(results, bodies, people, extras.get(SPREAD))
        folder = folder / SHARED
    if turns:
        results = turn_results(results, bodies_of(people, body, document["body_hash"], torch.float64), turns)
    write_results(folder, results, provenance, Further(people.sequence, people.frame, extras))
    refit = float(extras[REFIT].mean()) if extras else None
    turned = tuple(SMPL_BODY_NAMES[part] for part in turns)
    return Applied(folder, results, provenance, members, document["best"], refit, turned)


def _stacked(
    people: People, bodies: Bodies, members: list[Member], document: dict[str, Any]
) -> tuple[dict[str, dict[str, Any]], dict[str, np.ndarray]]:
    """Results, and what to store beside them of each view."""
    if len(members) == 1:
        return track_results(members[0].results, "human", str(members[0].run)), {}
    weights = weights_of(document)
    stacked = stack(people, bodies, lambda _: weights, np.zeros(len(people), int))
    return as_results(stacked.people), {SPREAD: stacked.spread_mm, REFIT: stacked.refit_mm}


def as_results(people: People) -> dict[str, dict[str, Any]]:
    """People with one body a view, in the challenge's layout."""
    results = {}
    for sequence in np.unique(people.sequence):
        rows = np.flatnonzero(people.sequence == sequence)
        arrays = {key: getattr(people, key)[0, rows].astype(np.float64) for key in KEYS}
        gender = str(people.gender[rows[0]])
        results[str(sequence)] = {"frames": people.frame[rows].tolist(), "gender": gender, **arrays}
    return results


def _check_same(folder: Path, document: dict[str, Any], members: list[Member]) -> None:
    """Refuse members whose test predictions come from other weights than their validation predictions."""
    for told, member in zip(document["members"], members, strict=True):
        have, want = member.provenance.checkpoint_hash, told["checkpoint_hash"]
        if have != want:
            raise EnsembleError(
                f"{member.run}: the test predictions come from checkpoint {have[:12]}, the validation "
                f"predictions that {folder / ENSEMBLE} was fitted on from {want[:12]}. Predict both again: "
                f"{command(member.run, False)}; {command(member.run, True)}; then rhobin ensemble fit"
            )
    have, want = members[0].provenance.body_hash, document["body_hash"]
    if have != want:
        raise EnsembleError(
            f"the members' test predictions are of body models of hash {have}, those that "
            f"{folder / ENSEMBLE} was fitted on of {want}. Predict the test views with the same data.body"
        )


def _provenance(folder: Path, members: list[Member], turned: bool) -> Provenance:
    first, count = members[0].provenance, len(members)
    return Provenance(
        method=METHOD,
        title=f"Ensemble of {count}" + (", angles corrected" if turned else ""),
        run=folder.resolve().name,
        checkpoint=ENSEMBLE,
        checkpoint_hash=file_hash(folder / ENSEMBLE),
        config_hash=" ".join(member.provenance.config_hash for member in members),
        data_hash=first.data_hash,
        protocol=first.protocol,
        body=first.body,
        body_hash=first.body_hash,
    )
