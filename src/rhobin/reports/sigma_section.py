"""The report's uncertainty of joints: whether the errors to expect are the errors that are found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from rhobin.reports.figures import Series, line_chart
from rhobin.reports.html import DASH, table, tag, text

_ROWS = {"as_given": "As given", "calibrated": "Calibrated", "each_mean": "Each joint's mean"}
_STYLES = {"as_given": "plain", "calibrated": "body"}
_NUMBERS = (("spearman", 3), ("spearman_frames", 3), ("ause_mm", 1), ("calibration_error_mm", 1))
_HEADS = ("Told error", "Spearman, joints", "Spearman, frames", "AUSE [mm]", "Calibration error [mm]")

_WHAT = (
    "For each joint the method tells how far it may be off: as given, the network's own uncertainty in "
    "millimetres. An error is a joint's distance from its true place, both relative to the pelvis, as MPJPE "
    "counts it; the pelvis itself is left out."
)
_HELD_OUT = (
    "A joint's calibrated error is offset + slope &times; uncertainty; both come from the frames of other "
    "sequences, never from its own."
)
_ONE_SEQUENCE = "All scored frames are of one sequence, so nothing is left to calibrate on."
_READING = (
    "Spearman's rank correlation is 1 where told errors are in the order of the true ones: those of all "
    "joints, or the means of frames. AUSE is how much larger the mean error of the surest joints is than if "
    "the errors were known, over all shares of joints. The calibration error is the mean distance of told "
    "from found errors over ten parts of equal number. To tell each joint's mean error over these very "
    "frames is calibrated too, but cannot tell a good frame from a bad one."
)


def sigma_section(row: Mapping[str, Any]) -> str:
    """The section on the uncertainty of joints.

    Args:
        row: the method's row of the human track in ``scores.json``.

    Returns:
        HTML of a section; empty where the method tells no uncertainty.
    """
    measured = row.get("joint_errors")
    if measured is None:
        return ""
    told = _HELD_OUT if "calibrated" in measured else _ONE_SEQUENCE
    mean = f"The mean error is {measured['mean_mm']:.1f} mm over {text(measured['frames'])} frames."
    return tag(
        "section",
        tag("h2", "Uncertainty of joints"),
        tag("p", " ".join((_WHAT, told, mean))),
        _worth_table(measured),
        tag("p", _READING, class_="note"),
        tag("div", tag("div", *_charts(measured)), _joint_table(measured["by_joint"]), class_="two"),
        id="uncertainty",
    )


def _worth_table(measured: Mapping[str, Any]) -> str:
    rows = [
        (title, *(_number(measured[key][name], digits) for name, digits in _NUMBERS))
        for key, title in _ROWS.items()
        if key in measured
    ]
    return table(_HEADS, rows, range(1, len(_HEADS)))


def _charts(measured: Mapping[str, Any]) -> list[str]:
    of = {"reliability": "single joints", "reliability_frames": "frames, the mean of their joints"}
    return [_reliability_chart(measured, key, what) for key, what in of.items()]


def _reliability_chart(measured: Mapping[str, Any], name: str, what: str) -> str:
    series, most = [], 0.0
    for key, style in _STYLES.items():
        if key in measured:
            bins = np.array(measured[key][name])
            series.append(Series(_ROWS[key].lower(), bins[:, 0].tolist(), bins[:, 1].tolist(), style))
            most = max(most, float(bins[:, :2].max()))
    series.append(Series("equal", [0.0, most], [0.0, most], "good dash"))
    caption = f"<b>Reliability</b> of {what}: mean error found (mm) where it was told, in ten equal parts."
    return line_chart(series, caption, "told error [mm]", legend=True)


def _joint_table(by_joint: Mapping[str, Mapping[str, float | None]]) -> str:
    """Joints, left and right together as their mean."""
    parts: dict[str, list[Mapping[str, float | None]]] = {}
    for joint, numbers in by_joint.items():
        parts.setdefault(joint.removeprefix("left_").removeprefix("right_"), []).append(numbers)
    shown = (("error_mm", 1), ("told_mm", 1), ("spearman", 2))
    rows = [
        (text(part), *(_number(_mean([side[name] for side in sides]), digits) for name, digits in shown))
        for part, sides in parts.items()
    ]
    return table(("Joint, both sides", "Found [mm]", "Told [mm]", "Spearman"), rows, range(1, 4))


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _number(value: float | None, digits: int) -> str:
    return DASH if value is None else f"{value:.{digits}f}"
