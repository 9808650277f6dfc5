"""The report's people: errors by joint and part, the curve under which AUC is, and how much is seen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rhobin.metrics.tracks import HUMAN
from rhobin.reports.bars import bar_chart, by_side
from rhobin.reports.figures import Mark, Reference, Series, line_chart
from rhobin.reports.html import table, tag, text
from rhobin.reports.tables import group_table, row_title

Row = Mapping[str, Any]

ORDER = (
    *("head", "neck", "collar", "shoulder", "elbow", "wrist", "index1", "spine3", "spine2", "spine1"),
    *("pelvis", "hip", "knee", "ankle", "foot"),
)
"""Joints from the head down, without their sides."""
SHOWN = {"index1": "hand", "spine1": "lower spine", "spine2": "spine", "spine3": "chest"}
PARTS = {
    "shoulder": "upper arm",
    "elbow": "forearm",
    "pelvis": "pelvis",
    "hip": "thigh",
    "knee": "shin",
}
"""What turns with a joint."""
LONG = (1060, 300)
"""Size of a chart as wide as the page."""
_SEEN = (
    "A joint is seen where its pixel lies on the mask of what the image shows of the person, or beside it by "
    "the few pixels that masks are off; else the object, furniture or the image's border hides it."
)


def people_section(rows: Mapping[str, Row], method: str, title: str) -> str:
    """The section on people.

    Args:
        rows: rows of the human track in ``scores.json``.
        method: name of the method's row.
        title: the method's name for people.

    Returns:
        HTML of a section; empty where the method has no score of people.
    """
    row = rows.get(method, {})
    if "by_joint" not in row:
        return ""
    others = [name for name in rows if name not in (method, "perfect") and "by_joint" in rows[name]]
    beside = rows[others[0]] if others else {}
    name = row_title(others[0], method, title) if others else ""
    return tag(
        "section",
        tag("h2", "Joints, parts and visibility"),
        _legend(name),
        tag("div", *_joints(row, beside), class_="two"),
        tag("h3", "Turned parts"),
        tag("div", *_parts(row, beside), class_="two"),
        tag("h3", "Joints within a distance"),
        _recall(row, beside, title, name),
        _visibility(row, beside, name),
        id="people",
    )


def _legend(other: str) -> str:
    keys = [("left", "key-body"), ("right", "key-right"), *([(other.lower(), "key-object")] if other else [])]
    return tag("div", *(tag("span", text(name), class_=style) for name, style in keys), class_="keys")


def _joints(row: Row, beside: Row) -> list[str]:
    told = {
        "MPJPE": "relative to the pelvis, whose own error is 0",
        "MPJPE_PA": "after the alignment of each frame",
    }
    return [
        _bars(row["by_joint"], beside.get("by_joint", {}), score, f"each joint, {what}", SHOWN, "mm")
        for score, what in told.items()
    ]


def _parts(row: Row, beside: Row) -> list[str]:
    told = {"MPJAE": "of each scored part", "MPJAE_PA": "after the alignment's rotation"}
    return [
        _bars(row["by_part"], beside.get("by_part", {}), score, f"angle {what}", PARTS, "deg")
        for score, what in told.items()
    ]


def _bars(
    ours: Mapping[str, Row],
    theirs: Mapping[str, Row],
    score: str,
    told: str,
    names: Mapping[str, str],
    unit: str,
) -> str:
    values = {name: errors[score] for name, errors in ours.items()}
    found = by_side(values, {name: errors[score] for name, errors in theirs.items()})
    rows = {names.get(joint, joint).capitalize(): found[joint] for joint in ORDER if joint in found}
    return bar_chart(rows, f"<b>{score}</b>: {told}.", unit)


def _recall(row: Row, beside: Row, title: str, other: str) -> str:
    series = []
    for record, name, style in ((row, title, "body"), (beside, other, "plain")):
        if record:
            curve = [100 * share for share in record["recall_by_mm"]]
            told = f"{name}: AUC {HUMAN.column('AUC').shown(record['scores']['AUC'])}"
            series.append(Series(told, list(range(len(curve))), curve, style, shaded=True))
    protocol, pck = row["protocol"], HUMAN.column("PCK").shown(row["scores"]["PCK"])
    mark = Mark(f"PCK: {pck} % within {protocol['pck_mm']:g} mm", protocol["pck_mm"])
    caption = (
        "<b>PCK curve</b>: share (%) of hips, knees, ankles, shoulders, elbows and wrists with at most this "
        f"distance to the truth, relative to the pelvis. AUC is the shaded share of the area up to "
        f"{text(protocol['auc_max_mm'])} mm and 100 %."
    )
    top = [Reference("all", 100.0, "plain")]
    return line_chart(series, caption, "distance [mm]", top, size=LONG, legend=True, marks=[mark])


def _visibility(row: Row, beside: Row, other: str) -> str:
    if not row.get("by_joints_visible"):
        return ""
    single = row["by_joint_seen"]
    heads = ("Joints", "Number", *(text(column.head) for column in HUMAN.leads))
    joints = [
        (text(kind), f"{of['joints']:,}", *(column.shown(of[column.name]) for column in HUMAN.leads))
        for kind, of in single.items()
    ]
    theirs = beside.get("by_joints_visible", {})
    return "".join(
        (
            tag("h3", "By how much of the person is seen"),
            tag("p", _SEEN),
            group_table("Joints seen", HUMAN, row["by_joints_visible"], theirs, other),
            tag("p", "Single joints of all frames:", class_="note"),
            table(heads, joints, range(1, len(heads))),
        )
    )
