"""The report's confidence: whether a method's surest frames are its best, and right as often as it says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rhobin.reports.figures import Series, line_chart
from rhobin.reports.html import DASH, table, tag, text
from rhobin.scoring.confidence import COVERED, RIGHT_SHARE
from rhobin.scoring.document import FrameRow
from rhobin.scoring.risk import oracle_curve, reliability, risk_curve, risk_of_surest

POINTS = 100

_HELD_OUT = (
    "The calibrated probability of a frame comes from a rising curve fitted on the frames of other "
    "sequences, never on its own."
)
_ONE_SEQUENCE = "All scored frames are of one sequence, so nothing is left to calibrate on."


def confidence_section(row: Mapping[str, Any], frames: Sequence[FrameRow], title: str) -> str:
    """The section on confidence.

    Args:
        row: the method's row of the object track in ``scores.json``.
        frames: its frames.
        title: the method's name for people.

    Returns:
        HTML of a section; empty where the method gives no confidence.
    """
    measured = row.get("confidence")
    if measured is None:
        return ""
    judged = [frame.errors for frame in frames if "confidence" in frame.errors]
    limit = [RIGHT_SHARE * errors["diameter_mm"] for errors in judged]
    right = np.array([errors["mssd_mm"] for errors in judged]) < limit
    confidence = {"as given": np.array([errors["confidence"] for errors in judged])}
    if "calibrator" in measured:
        confidence["calibrated"] = np.array([errors["probability"] for errors in judged])
    wrong = (~right).astype(np.float64)
    curves = {
        title: risk_curve(confidence["as given"], wrong),
        "Random order": np.full(len(wrong), wrong.mean()),
        "Knows its errors": oracle_curve(wrong),
    }
    return tag(
        "section",
        tag("h2", "Confidence in the object's pose"),
        tag("p", _intro(measured)),
        _table(measured, curves),
        tag("p", _agreement(measured), class_="note"),
        tag("div", _risk_chart(curves), _reliability_chart(confidence, right), class_="two"),
        id="confidence",
    )


def _intro(measured: Mapping[str, Any]) -> str:
    share = f"{100 * measured['share_right']:.0f} %"
    told = _HELD_OUT if "calibrator" in measured else _ONE_SEQUENCE
    limit, frames = text(measured["right"]), text(measured["frames"])
    return f"A pose is right with {limit}: {share} of {frames} frames. {told}"


def _agreement(measured: Mapping[str, Any]) -> str:
    share = measured["share_right"]
    told = (
        f"Calibration error {measured['calibration_error_raw']:.3f} as given, "
        f"Brier score {measured['brier_raw']:.3f}"
    )
    if "calibrator" in measured:
        told += (
            f"; calibrated {measured['calibration_error']:.3f} and {measured['brier']:.3f}. To say "
            f"{share:.2f} of every frame would give a Brier score of {share * (1 - share):.3f}"
        )
    return f"{told}. Lower is better for both; the error is a mean over ten parts of equal number."


def _table(measured: Mapping[str, Any], curves: Mapping[str, np.ndarray]) -> str:
    known = measured["auroc"]
    separated = ["", "", ""] if known is None else [f"{known:.3f}", "0.500", "1.000"]
    rows = [
        (text(name), auroc or DASH, f"{curve.mean():.3f}", f"{100 * risk_of_surest(curve, COVERED):.1f}")
        for (name, curve), auroc in zip(curves.items(), separated, strict=True)
    ]
    wrong = f"Wrong among the surest {100 * COVERED:.0f} % of frames [%]"
    heads = ("Order of frames", "AUROC", "Area under the risk", wrong)
    return table(heads, rows, range(1, len(heads)))


def _risk_chart(curves: Mapping[str, np.ndarray]) -> str:
    count = len(next(iter(curves.values())))
    at = np.unique(np.linspace(0, count - 1, min(POINTS, count)).round().astype(int))
    x = (100 * (at + 1) / count).tolist()
    styles = ("object", "plain dash", "good")
    series = [
        Series(name, x, (100 * curve[at]).tolist(), style)
        for (name, curve), style in zip(curves.items(), styles, strict=True)
    ]
    caption = "<b>Risk over coverage</b>: share of wrong poses (%) among the surest frames."
    return line_chart(series, caption, "surest share of the frames [%]", legend=True)


def _reliability_chart(confidence: Mapping[str, np.ndarray], right: np.ndarray) -> str:
    styles = {"as given": "plain", "calibrated": "object"}
    series = []
    for name, values in confidence.items():
        bins = 100 * np.array([(told, found) for told, found, _ in reliability(values, right)])
        series.append(Series(name, bins[:, 0].tolist(), bins[:, 1].tolist(), styles[name]))
    series.append(Series("equal", [0.0, 100.0], [0.0, 100.0], "good dash"))
    caption = (
        "<b>Reliability</b>: share of right poses (%) where the method is this sure, in ten equal parts."
    )
    return line_chart(series, caption, "confidence [%]", legend=True)
