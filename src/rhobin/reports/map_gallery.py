"""The report's section of what the network itself drew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rhobin.behave.ref import RefTemplate
from rhobin.reports.drawn_choice import GROUPS, MOSTLY, group_of, relative_error
from rhobin.reports.drawn_views import DrawnView
from rhobin.reports.html import tag, text
from rhobin.reports.map_panels import Panel, draw_panels
from rhobin.reports.overlay import data_uri
from rhobin.scoring.document import FrameRow

ROWS = ("true", "predicted")
INTRO = (
    "Each view twice: above, the truth; below, the network's own maps, from which it reads the pose. "
    "A symmetric object's truth is told in the frame that suits the prediction best, as in training. "
    "Of each group a good, a median and a bad view by MSSD over the object's diameter; "
    f"mostly visible means {100 * MOSTLY:.0f} % or more."
)


def map_gallery(
    views: Sequence[DrawnView], frames: Sequence[FrameRow], templates: Mapping[str, RefTemplate]
) -> str:
    """The section's HTML, grouped by symmetry and visible fraction; empty without views.

    Args:
        views: what the network drew.
        frames: errors of these frames, and others.
        templates: by object name.
    """
    rows = {(frame.sequence, frame.frame): frame for frame in frames}
    pairs = [(view, rows[view.sequence, view.frame]) for view in views]
    parts = []
    for group in GROUPS:
        members = [(view, frame) for view, frame in pairs if group_of(frame, templates) == group]
        if members:
            parts += [tag("h3", group), _table(members, templates)]
    if not parts:
        return ""
    return tag("section", tag("h2", "What the network drew"), tag("p", INTRO), *parts, id="maps")


def _table(members: Sequence[tuple[DrawnView, FrameRow]], templates: Mapping[str, RefTemplate]) -> str:
    bodies, panels = [], []
    for view, frame in members:
        template = templates[view.object_name]
        panels = draw_panels(view, template.verts, template.faces)
        about = tag("th", _caption(view, frame), scope="rowgroup", rowspan=str(len(ROWS)))
        sides = [_side(panels, side) for side in range(len(ROWS))]
        bodies.append(tag("tbody", tag("tr", about, sides[0]), tag("tr", sides[1])))
    heads = [tag("th", panel.title, tag("small", text(panel.meaning)), scope="col") for panel in panels]
    head = tag("thead", tag("tr", tag("td"), tag("td"), *heads))
    return tag("div", tag("table", head, *bodies, class_="maps"), class_="scroll")


def _side(panels: Sequence[Panel], side: int) -> str:
    cells = [tag("th", ROWS[side], scope="row", class_="side")]
    for panel in panels:
        picture = data_uri(panel.pictures[side], exact=panel is not panels[0])
        image = f'<img src="{picture}" alt="{text(panel.title)}, {ROWS[side]}">'
        note = panel.notes[side]
        cells.append(tag("td", image, tag("small", text(note)) if note else ""))
    return "".join(cells)


def _caption(view: DrawnView, frame: FrameRow) -> str:
    share = 100 * relative_error(frame)
    lines = (
        f"MSSD {frame.errors['mssd_mm']:.0f} mm, {share:.0f} % of the diameter",
        f"{100 * frame.visible:.0f} % visible",
        f"{view.sequence} {view.frame}",
    )
    head = tag("b", text(f"{view.label.capitalize()}: {view.object_name}"))
    return head + "".join(tag("small", text(line).replace("_", "_<wbr>")) for line in lines)
