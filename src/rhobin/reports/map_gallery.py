"""The report's section of what the network itself drew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rhobin.behave.ref import RefTemplate
from rhobin.metrics.tracks import HUMAN
from rhobin.reports.centre_panels import draw_centre_panels
from rhobin.reports.drawn_choice import (
    MOST_JOINTS,
    MOSTLY,
    OBJECT_GROUPS,
    PEOPLE_GROUPS,
    object_group,
    people_group,
    relative_error,
)
from rhobin.reports.drawn_views import DrawnView, ObjectView, PersonView
from rhobin.reports.html import tag, text
from rhobin.reports.map_panels import Panel, Templates, draw_panels
from rhobin.reports.overlay import data_uri
from rhobin.scoring.by_image import image_id
from rhobin.scoring.document import JOINTS_VISIBLE, FrameRow

ROWS = ("true", "predicted")
SIDES = "Each view twice: above, the truth; below, the network's own maps, from which it reads the pose. "
INTROS = {
    ObjectView: SIDES
    + "A symmetric object's truth is told in the frame that suits the prediction best, as in training. "
    "Of each group a good, a median and a bad view by MSSD over the object's diameter; "
    f"mostly visible means {100 * MOSTLY:.0f} % or more.",
    PersonView: SIDES
    + "The person's centre is the pelvis. Of each group a good, a median and a bad view by MPJPE; mostly "
    f"visible means that the image shows {100 * MOST_JOINTS:.0f} % of the joints or more.",
}

RefTemplates = Mapping[str, RefTemplate]
Members = list[tuple[DrawnView, FrameRow]]


def map_gallery(views: Sequence[DrawnView], frames: Sequence[FrameRow], templates: RefTemplates) -> str:
    """The section's HTML, by kind, and by what is seen of it; empty without views.

    Args:
        views: what the network drew.
        frames: errors of these frames, and others.
        templates: by object name.
    """
    rows = {key: frame for frame in frames for key in (frame.name, frame.frame)}
    pairs = [(view, rows[image_id(view.sequence, view.frame, rows)]) for view in views]
    parts = []
    for kind, intro in INTROS.items():
        members = [(view, frame) for view, frame in pairs if isinstance(view, kind)]
        if members:
            parts += [tag("p", intro), *_groups(members, templates)]
    if not parts:
        return ""
    return tag("section", tag("h2", "What the network drew"), *parts, id="maps")


def panels_of(view: DrawnView, templates: Templates, size: int | None = None) -> list[Panel]:
    """The pictures of a view of any kind; `size` of the crop's, or each kind's own."""
    sized = {} if size is None else {"size": size}
    if isinstance(view, ObjectView):
        template = templates[view.object_name]
        return draw_panels(view, template.verts, template.faces, **sized)
    if isinstance(view, PersonView):
        return draw_centre_panels(view, **sized)
    raise TypeError(f"expected a view of an object or of a person, found {type(view).__name__}")


def _groups(members: Members, templates: RefTemplates) -> list[str]:
    parts = []
    for group in (*OBJECT_GROUPS, *PEOPLE_GROUPS):
        shown = [(view, frame) for view, frame in members if _group_of(view, frame, templates) == group]
        if shown:
            parts += [tag("h3", group), _table(shown, templates)]
    return parts


def _group_of(view: DrawnView, frame: FrameRow, templates: RefTemplates) -> str:
    return object_group(frame, templates) if isinstance(view, ObjectView) else people_group(frame)


def _table(members: Members, templates: RefTemplates) -> str:
    bodies, panels = [], []
    for view, frame in members:
        panels = panels_of(view, templates)
        about = tag("th", _caption(view, frame), scope="rowgroup", rowspan=str(len(ROWS)))
        sides = [_side(panels, side) for side in range(len(ROWS))]
        bodies.append(tag("tbody", tag("tr", about, sides[0]), tag("tr", sides[1])))
    heads = [tag("th", panel.title, tag("small", text(panel.meaning)), scope="col") for panel in panels]
    head = tag("thead", tag("tr", tag("td"), tag("td"), *heads))
    style = "maps" if isinstance(members[0][0], ObjectView) else "maps large"
    return tag("div", tag("table", head, *bodies, class_=style), class_="scroll")


def _side(panels: Sequence[Panel], side: int) -> str:
    cells = [tag("th", ROWS[side], scope="row", class_="side")]
    for panel in panels:
        picture = data_uri(panel.pictures[side], exact=panel is not panels[0])
        image = f'<img src="{picture}" alt="{text(panel.title)}, {ROWS[side]}">'
        note = panel.notes[side]
        cells.append(tag("td", image, tag("small", text(note)) if note else ""))
    return "".join(cells)


def _caption(view: DrawnView, frame: FrameRow) -> str:
    lines = (*_errors(view, frame), f"{view.sequence} {view.frame}")
    head = tag("b", text(f"{view.label.capitalize()}: {view.object_name}"))
    return head + "".join(tag("small", text(line).replace("_", "_<wbr>")) for line in lines)


def _errors(view: DrawnView, frame: FrameRow) -> list[str]:
    if isinstance(view, ObjectView):
        share = 100 * relative_error(frame)
        error = f"MSSD {frame.errors['mssd_mm']:.0f} mm, {share:.0f} % of the diameter"
        return [error, f"{100 * frame.visible:.0f} % visible"]
    error = ", ".join(f"{c.name} {frame.errors[c.frames]:.0f} {c.unit}" for c in HUMAN.leads)
    seen = frame.errors.get(JOINTS_VISIBLE)
    return [error] if seen is None else [error, f"{100 * seen:.0f} % of the joints seen"]
