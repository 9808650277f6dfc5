"""The report: one HTML file that needs no network, no server and no GL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

from rhobin.files import read_json, write_text
from rhobin.metrics.track import GroundTruth, Track
from rhobin.metrics.tracks import HUMAN, TRACKS
from rhobin.reports.case_meshes import draw_case, pose_case, pose_skeletons, scene_case
from rhobin.reports.cases import Case, choose_cases
from rhobin.reports.confidence_section import confidence_section
from rhobin.reports.curves import curve_figures, read_metrics
from rhobin.reports.drawn_views import read_views
from rhobin.reports.ensemble_section import ensemble_section
from rhobin.reports.facts import run_facts
from rhobin.reports.gallery import case_grid, scene_section
from rhobin.reports.html import keep_units, tag, text
from rhobin.reports.map_gallery import map_gallery
from rhobin.reports.palette import PRED_BODY, PRED_OBJECT, TARGET_BODY, TARGET_OBJECT, css
from rhobin.reports.people_section import people_section
from rhobin.reports.scores_section import breakdown_section, lead_sentence, scores_section
from rhobin.reports.sigma_section import sigma_section
from rhobin.scoring.challenge import Challenge
from rhobin.scoring.document import FrameRow, read_scores, scored_tracks
from rhobin.scoring.measured import kind_of
from rhobin.scoring.rows import in_its_terms
from rhobin.scoring.store import read_results
from rhobin.scoring.track import protocol_words

REPORT = "report.html"
SCENES = 2
_KEYS = (
    ("human", "predicted body", PRED_BODY, ""),
    ("object", "predicted object", PRED_OBJECT, ""),
    ("human", "true body", TARGET_BODY, "line"),
    ("object", "true object", TARGET_OBJECT, "line"),
)


def write_report(run_dir: Path, data_root: Path, truth: Challenge) -> Path:
    """Write ``report.html`` of a scored run.

    Args:
        run_dir: run folder with ``results.pkl``, ``scores.json`` and ``frames.csv``.
        data_root: dataset root, for test images.
        truth: the ground truth that the run was scored against.

    Returns:
        The page.

    Raises:
        FileNotFoundError: the run is not scored, or an image is missing.
        ValueError: stored files do not belong together, or no track has a score.
    """
    document, frames = read_scores(run_dir)
    origin, tracks = document["origin"], document["tracks"]
    scored = scored_tracks(document)
    if not scored:
        reasons = "; ".join(f"{name}: {rows[origin['row']]['reason']}" for name, rows in tracks.items())
        raise ValueError(f"{run_dir}: no track has a score, so there is nothing to report. {reasons}")
    track, method, title = TRACKS[scored[0]], origin["row"], origin["title"]
    rows = tracks[track.name]
    results = in_its_terms(truth, read_results(run_dir)[0])
    home, run = _trained(run_dir, origin)
    page = _fill(
        title=text(title),
        subject=text(track.title.lower()),
        eyebrow=_eyebrow(run, document, track),
        lead=lead_sentence(track, rows, method, title, kind_of(origin)),
        scores=scores_section(tracks, frames, origin),
        **_case_slots(choose_cases(frames[method], track), track, data_root, truth, results),
        **_further_slots(run_dir, document, frames[method], truth),
        curves=curve_figures(read_metrics(home / "metrics.csv"), tracks),
        parts=breakdown_section(track, rows, method),
        facts=run_facts(run, origin, rows[method]),
    )
    write_text(run_dir / REPORT, page)
    return run_dir / REPORT


def _further_slots(
    run_dir: Path, document: Mapping[str, Any], frames: Sequence[FrameRow], truth: GroundTruth
) -> dict[str, str]:
    """Sections that some runs have, and the links to them; both empty where there is nothing to show."""
    origin, tracks = document["origin"], document["tracks"]
    method, title = origin["row"], origin["title"]
    views = read_views(run_dir, origin.get("drawings"))
    people, objects = (tracks.get(name, {}) for name in ("human", "object"))
    sections = {
        "people": ("Joints", people_section(people, method, title)),
        "maps": ("Maps", map_gallery(views, frames, truth.templates)),
        "ensemble": ("Ensemble", ensemble_section(run_dir)),
        "uncertainty": ("Uncertainty", sigma_section(people.get(method, {}))),
        "confidence": ("Confidence", confidence_section(objects.get(method, {}), frames, title)),
    }
    slots: dict[str, str] = {}
    for name, (head, section) in sections.items():
        slots |= {name: section, f"to_{name}": f'<a href="#{name}">{head}</a>' if section else ""}
    return slots


def _case_slots(
    cases: Sequence[Case], track: Track, data_root: Path, truth: GroundTruth, results: Mapping[str, Any]
) -> dict[str, str]:
    meshes = [pose_case(case, truth, results) for case in cases]
    pictures = [
        draw_case(data_root, case, parts, pose_skeletons(case, truth, results))
        for case, parts in zip(cases, meshes, strict=True)
    ]
    turned = _first_of_each_kind(cases, SCENES)
    scenes = [scene_case(cases[i], meshes[i]) for i in turned]
    alignment = (
        "Prediction after one rotation, translation and scale of everything shown"
        if "human" in track.parts
        else "Prediction as it came out of the network"
    )
    keys = [
        tag("span", name, class_=style, style=f"--k:{css(color)}")
        for part, name, color, style in _KEYS
        if part in track.parts
    ]
    errors = " and ".join(column.name for column in track.columns if column.frames in track.ranked_by)
    return {
        "turned": f"{alignment}, over the ground truth. The first view is the camera's.",
        "scene": scene_section([cases[i] for i in turned], scenes),
        "ranked": f"Test frames ranked by {text(errors)}, each from another sequence.",
        "keys": "".join(keys),
        "bones": "; last, both skeletons" if track is HUMAN else "",
        "cases": case_grid(cases, pictures),
    }


def _fill(**slots: str) -> str:
    footer = "Written by rhobin. Everything on this page is inside this file."
    script = _asset("charts.js") + _asset("scene.js")
    slots = {name: keep_units(html) for name, html in slots.items()}
    slots |= {"style": _asset("page.css"), "script": script, "footer": footer}
    return Template(_asset("page.html")).substitute(slots)


def _eyebrow(run: Mapping[str, Any], document: Mapping[str, Any], track: Track) -> str:
    parts = [track.title, str(run.get("name", "")), str(run.get("started", ""))[:10]]
    origin = document["origin"]
    protocol = document["tracks"][track.name][origin["row"]]["protocol"]
    parts.append(f"protocol {protocol_words(track.name, protocol)}")
    return " &middot; ".join(text(part) for part in parts if part)


def _first_of_each_kind(cases: Sequence[Case], each: int) -> list[int]:
    taken: dict[str, int] = {}
    chosen = []
    for index, case in enumerate(cases):
        taken[case.kind] = taken.get(case.kind, 0) + 1
        if taken[case.kind] <= each:
            chosen.append(index)
    return chosen


def _trained(folder: Path, origin: Mapping[str, Any]) -> tuple[Path, dict[str, Any]]:
    """The run folder, and its ``run.json``: the scores may be in a folder in it. Empty where they are not."""
    for place in (folder, folder.absolute().parent):
        path = place / "run.json"
        run = _read_run(path) if path.is_file() else {}
        if run.get("id") == origin["run"]:
            return place, run
    return folder, {}


def _read_run(path: Path) -> dict[str, Any]:
    try:
        run = read_json(path)
    except ValueError as error:
        run = error
    if isinstance(run, dict):
        return run
    raise ValueError(
        f"{path}: expected a JSON object, found {run}; restore it, or remove it and lose its facts"
    )


def _asset(name: str) -> str:
    return (files("rhobin.reports") / "assets" / name).read_text(encoding="utf-8")
