"""The cases of a report: the 3D scene with its controls, and the pictures."""

from __future__ import annotations

from collections.abc import Sequence

from rhobin.reports.cases import Case
from rhobin.reports.html import tag, text
from rhobin.reports.palette import css
from rhobin.reports.scene3d import ERROR_LIMIT_MM, HEAT, SceneCase, pack_scene

Pictures = Sequence[tuple[str, str]]
"""Address and description of each picture of a case."""

KIND_HEADS = {"best": "Best", "median": "Around the median", "worst": "Worst"}
MODES = (("both", "Both"), ("prediction", "Prediction"), ("target", "Ground truth"), ("error", "Distance"))

MOUSE = "Drag to turn, click then scroll to come closer, double-click to reset"
KEYS = "Keys: arrows, + and \N{MINUS SIGN}, Home"


def scene_section(cases: Sequence[Case], scenes: Sequence[SceneCase]) -> str:
    """The scene with its buttons, its caption and its data.

    Args:
        cases: the frames that can be turned.
        scenes: what the scene shows of each.

    Returns:
        HTML.
    """
    if not cases:
        return tag("p", "No scored frame.", class_="note")
    modes = [
        tag("button", name, type="button", data_mode=mode, aria_pressed=str(mode == "both").lower())
        for mode, name in MODES
    ]
    picks = [_pick(i, case) for i, case in enumerate(cases)]
    return stage(scenes, picks, tag("div", *modes, class_="modes"), _heat_scale())


def stage(scenes: Sequence[SceneCase], picks: Sequence[str], *above: str) -> str:
    """A scene that can be turned, with its caption and its data.

    Args:
        scenes: what it can show; the first one is shown.
        picks: HTML of the buttons that choose among them; none for a single one.
        above: HTML that lies on the scene.

    Returns:
        HTML.
    """
    canvas = tag(
        "canvas",
        id="scene-canvas",
        tabindex="0",
        role="img",
        aria_label=f"3D scene. {KEYS}.",
        aria_describedby="scene-caption",
    )
    hint = tag("p", f"{MOUSE}. {KEYS}.", class_="hint")
    turned = tag("div", canvas, hint, *above, class_="stage")
    data = tag("script", pack_scene(scenes), type="application/json", id="scene-data")
    chosen = [tag("div", *picks, class_="picks")] if picks else []
    shown = tag("div", turned, *chosen, id="scene", data_shown="both")
    return shown + tag("p", text(scenes[0].caption), class_="note", id="scene-caption") + data


def _pick(index: int, case: Case) -> str:
    error = case.error
    title = f"{KIND_HEADS[case.kind]}: {text(error.object_name)}"
    pressed = str(index == 0).lower()
    return tag(
        "button",
        title,
        tag("small", text(case.errors)),
        type="button",
        data_case=str(index),
        aria_pressed=pressed,
    )


def _heat_scale() -> str:
    gradient = ", ".join(css(stop) for stop in HEAT)
    bar = tag("i", style=f"background: linear-gradient(to right, {gradient})")
    ends = tag("span", tag("span", "0"), tag("span", f"{ERROR_LIMIT_MM:.0f}+ mm to the truth"))
    return tag("div", bar, ends, class_="scale")


def case_grid(cases: Sequence[Case], pictures: Sequence[Pictures]) -> str:
    """Pictures of all cases, by kind.

    Args:
        cases: the frames.
        pictures: of each.

    Returns:
        HTML.
    """
    parts = []
    for kind, head in KIND_HEADS.items():
        figures = [_case_figure(c, p) for c, p in zip(cases, pictures, strict=True) if c.kind == kind]
        if figures:
            parts.append(tag("h3", head) + tag("div", *figures, class_="cases"))
    return "".join(parts)


def _case_figure(case: Case, pictures: Pictures) -> str:
    error = case.error
    images = [f'<img src="{source}" alt="{alt}" width="400" height="400">' for source, alt in pictures]
    caption = (
        f"<b>{text(case.errors)}</b><br>{text(error.sequence)}<br>{text(error.frame)}, {text(case.seen)}"
    )
    return tag("figure", tag("div", *images, class_="pair"), tag("figcaption", caption))
