"""The report: one HTML file that needs no network, no server and no GL."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

import numpy as np

from rhobin.files import write_text
from rhobin.metrics.joint_track import FrameError
from rhobin.metrics.protocol import TABLE_4
from rhobin.reports.cases import Case, choose_cases, draw_case, pose_cases, scene_case
from rhobin.reports.curves import curve_figures, read_metrics
from rhobin.reports.facts import run_facts
from rhobin.reports.figures import Series, line_chart
from rhobin.reports.gallery import case_grid, scene_section
from rhobin.reports.html import change, millimetres, tag, text
from rhobin.reports.palette import PRED_BODY, PRED_OBJECT, TARGET_BODY, TARGET_OBJECT, css
from rhobin.reports.run_tracks import track_sections
from rhobin.reports.score import read_scores
from rhobin.reports.store import read_results
from rhobin.reports.tables import group_table, paper_table, score_table

TITLES = {"khor": "KHOR"}
SCENES = 2


def write_report(run_dir: Path, data_root: Path, body_folder: str | Path | None = None) -> Path:
    """Write ``report.html`` of a scored run.

    Args:
        run_dir: run folder with ``results.pkl``, ``scores.json`` and ``frames.csv``.
        data_root: dataset root, for test images and ground truth.
        body_folder: licensed body models; None for the stand-in.

    Returns:
        The page.

    Raises:
        FileNotFoundError: the run is not scored, or an image is missing.
        ValueError: stored files do not belong together.
    """
    document, frames = read_scores(run_dir)
    method = document["origin"]["method"]
    results, _ = read_results(run_dir / "results.pkl")
    cases = choose_cases(frames[method])
    bodies = Path(body_folder) if body_folder else None
    meshes = pose_cases(cases, data_root / "ref.pkl", results, bodies)
    pictures = [draw_case(data_root, case, mesh) for case, mesh in zip(cases, meshes, strict=True)]
    turned = _first_of_each_kind(cases, SCENES)
    scenes = [scene_case(cases[i], meshes[i]) for i in turned]
    run = _read_json(run_dir / "run.json")
    page = _fill(
        **_score_slots(document["rows"], frames, method, is_generated(data_root)),
        tracks=track_sections(document.get("tracks", {}), method, TITLES.get(method, method)),
        eyebrow=_eyebrow(run, document),
        scene=scene_section([cases[i] for i in turned], scenes),
        cases=case_grid(cases, pictures),
        curves=curve_figures(read_metrics(run_dir / "metrics.csv"), document["rows"]),
        facts=run_facts(run, document),
    )
    path = run_dir / "report.html"
    write_text(path, page)
    return path


def is_generated(data_root: Path) -> bool:
    """Whether a data set was made by ``rhobin synth``, which leaves its settings there."""
    return (data_root / "synth.json").is_file()


def _fill(**slots: str) -> str:
    keys = (
        ("predicted body", PRED_BODY, ""),
        ("predicted object", PRED_OBJECT, ""),
        ("true body", TARGET_BODY, "line"),
        ("true object", TARGET_OBJECT, "line"),
    )
    legend = [tag("span", name, class_=style, style=f"--k:{css(color)}") for name, color, style in keys]
    footer = "Written by rhobin. Everything on this page is inside this file."
    script = _asset("charts.js") + _asset("scene.js")
    slots |= {"style": _asset("page.css"), "script": script, "keys": "".join(legend), "footer": footer}
    return Template(_asset("page.html")).substitute(slots)


def _score_slots(
    rows: Mapping[str, Any], frames: Mapping[str, Sequence[FrameError]], method: str, generated: bool
) -> dict[str, str]:
    title = TITLES.get(method, method)
    ours, other = rows[method], rows["constant_per_object"]
    return {
        "title": text(title),
        "lead": _lead(title, rows[method], rows["constant"], rows["perfect"]),
        "gate": _gate(rows[method]),
        "score_table": score_table(rows, method, title),
        "paper_table": paper_table(TABLE_4),
        "comparable": _comparable(generated),
        "spread": _spread(frames, method, title),
        "by_object": group_table("Object", ours["by_object"], other["by_object"], "Object's mean"),
        "by_visible": group_table(
            "Visible", rows[method]["by_visible"], other["by_visible"], "Object's mean"
        ),
    }


def _lead(title: str, row: Mapping[str, Any], constant: Mapping[str, Any], floor: Mapping[str, Any]) -> str:
    smpl, obj = (f"<b>{millimetres(row[key])}&thinsp;mm</b>" for key in ("smpl_mm", "object_mm"))
    changes = [change(row[key], constant[key]) for key in ("smpl_mm", "object_mm")]
    floors = [millimetres(floor[key]) for key in ("smpl_mm", "object_mm")]
    return (
        f"{text(title)} reconstructs the person to {smpl} and the object to {obj} on {row['frames']} frames "
        f"of sequences and a room it was not trained on: {changes[0]} and {changes[1]} against a constant "
        f"guess. A perfect prediction would score {floors[0]} and {floors[1]}&thinsp;mm."
    )


def _gate(row: Mapping[str, Any]) -> str:
    share = f"{100 * row['coverage']:.1f}&thinsp;%"
    if row["smpl_mm"] is None:
        limit = f"{100 * row['protocol']['min_coverage']:.1f}&thinsp;%"
        told = f"No score: predictions cover {share} of the visible frames, the challenge asks for {limit}."
        return tag("p", told, class_="warn")
    if row["missing"]:
        names = ", ".join(map(text, row["missing"][:6]))
        told = f"{len(row['missing'])} of {row['visible_frames']} visible frames have no prediction: {names}."
        return tag("p", told, class_="note warn")
    return ""


def _comparable(generated: bool) -> str:
    if generated:
        return (
            "Quoted, not measured here, and not comparable with the rows above: the paper's are on BEHAVE's "
            "photographs with the SMPL-H body, ours on generated images with a stand-in body. Only the "
            "metric is the same."
        )
    return (
        "Quoted, not measured here. The metric is the challenge's; check that test frames and masks are too."
    )


def _spread(frames: Mapping[str, Sequence[FrameError]], method: str, title: str) -> str:
    styles = {"constant": "plain", "constant_per_object": "plain dash", "perfect": "good"}
    names = {"constant": "constant", "constant_per_object": "per object", "perfect": "perfect"}
    charts = []
    for key, style, part in (("smpl_mm", "body", "SMPL"), ("object_mm", "object", "Object")):
        series = []
        for row, errors in frames.items():
            x = sorted(getattr(error, key) for error in errors)
            if x:
                y = (100 * np.arange(1, len(x) + 1) / len(x)).tolist()
                series.append(Series(names.get(row, title), x, y, styles.get(row, style)))
        caption = f"<b>{part}</b>: share of frames (%) with at most this error."
        charts.append(line_chart(series, caption, "error [mm]", log_x=True, legend=True))
    return "".join(charts)


def _eyebrow(run: Mapping[str, Any], document: Mapping[str, Any]) -> str:
    parts = ["Joint track", str(run.get("name", "")), str(run.get("started", ""))[:10]]
    parts.append(f"protocol {document['origin']['protocol']}")
    return " &middot; ".join(text(part) for part in parts if part)


def _first_of_each_kind(cases: Sequence[Case], each: int) -> list[int]:
    taken: dict[str, int] = {}
    chosen = []
    for index, case in enumerate(cases):
        taken[case.kind] = taken.get(case.kind, 0) + 1
        if taken[case.kind] <= each:
            chosen.append(index)
    return chosen


def _read_json(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text()) if path.is_file() else {}


def _asset(name: str) -> str:
    return (files("rhobin.reports") / "assets" / name).read_text(encoding="utf-8")
