"""The report's ensemble: weights of the members, and what stacking them gained on validation views."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rhobin.ensemble.document import ENSEMBLE, read_ensemble
from rhobin.reports.html import meter, table, tag, text

WEIGHTS = {"shape": "Shape", "turn": "Orientation", "pelvis": "Pelvis"}
"""Parts of a body with weights of their own, and their names for people."""


def ensemble_section(folder: Path) -> str:
    """The section on an ensemble.

    Args:
        folder: that was scored.

    Returns:
        HTML of a section; empty where the folder holds no ensemble.

    Raises:
        EnsembleError: its document is damaged.
    """
    if not (folder / ENSEMBLE).is_file():
        return ""
    document = read_ensemble(folder)
    parts = document["weights"]["parts"]
    return tag(
        "section",
        tag("h2", "Members and gain"),
        tag("p", _intro(document)),
        _members(document),
        *((tag("h3", "Shape, part by part"), _by_part(document, parts)) if parts else ()),
        *(
            (tag("h3", "Gain"), tag("p", _told(document)), _gain(document["gain"]))
            if document["gain"]
            else ()
        ),
        id="ensemble",
    )


def _intro(document: Mapping[str, Any]) -> str:
    views = f"{document['frames']:,} validation views"
    return (
        f"Weights were fitted on {views}, whose sequences are neither in training nor in the test. They sum "
        "to one in each column; the errors are those of the members alone on these views."
    )


def _members(document: Mapping[str, Any]) -> str:
    weights, gain = document["weights"], document["gain"]
    heads = ["Member", *WEIGHTS.values(), *(f"{name} [{told['unit']}]" for name, told in gain.items())]
    rows = []
    for place, member in enumerate(document["members"]):
        shares = [weights[part][place] for part in WEIGHTS]
        errors = [f"{told['members'][place]:.1f}" for told in gain.values()]
        name = text(Path(member["run"]).name) + tag("small", text(member["title"]))
        rows.append((name, *(meter(100 * share, "b") + f"{share:.3f}" for share in shares), *errors))
    return table([text(head) for head in heads], rows, range(1 + len(WEIGHTS), len(heads)))


def _by_part(document: Mapping[str, Any], parts: Mapping[str, list[float]]) -> str:
    names = [text(Path(member["run"]).name) for member in document["members"]]
    rows = [(text(part.replace("_", " ")), *(f"{w:.3f}" for w in weights)) for part, weights in parts.items()]
    return table(("Part", *names), rows, range(1, len(names) + 1))


def _told(document: Mapping[str, Any]) -> str:
    return (
        f"Nested cross-validation in {len(document['folds'])} folds of whole sequences: on each fold the "
        "ensemble has weights fitted on the others, and stands against the member that is best on those. "
        "&plusmn; is the standard deviation between folds. The mean of bodies is no body; the one refitted "
        f"to it is {document['refit_mm']:.2f} mm away on average."
    )


def _gain(gain: Mapping[str, Mapping[str, Any]]) -> str:
    heads = ("Score [unit]", "Best member", "Ensemble", "Gain [%]", "By fold [%]")
    rows = []
    for name, told in gain.items():
        folds = ", ".join(f"{value:.1f}" for value in told["folds_percent"])
        spread = f"{told['gain_percent']:.1f} &plusmn; {told['spread_percent']:.1f}"
        values = (f"{told[key]:.2f}" for key in ("member", "stack"))
        rows.append((text(f"{name} [{told['unit']}]"), *values, spread, folds))
    return table(heads, rows, range(1, len(heads)))
