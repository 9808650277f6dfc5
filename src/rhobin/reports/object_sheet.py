"""One picture of an object: its keypoints, regions and axes, and its copies after each symmetry."""

from __future__ import annotations

import cv2
import numpy as np

from rhobin.objects.find_symmetry import FoundSymmetry
from rhobin.objects.regions import nearest_region
from rhobin.objects.strays import Surface
from rhobin.objects.symmetry import SymmetryGroup, describe
from rhobin.objects.symmetry_fit import Fit
from rhobin.objects.template import Template
from rhobin.reports.contact_sheet import GAP, INK, LINE, PAPER
from rhobin.reports.object_views import SIZE, View, paint, see, shrunk
from rhobin.reports.palette import RGB, TARGET_OBJECT

SIDES = {
    "front (+z)": ((0, 0, 1), (0, 1, 0)),
    "side (+x)": ((1, 0, 0), (0, 1, 0)),
    "top (+y)": ((0, 1, 0), (0, 0, -1)),
    "slanted": ((0.62, 0.5, 0.6), (0, 1, 0)),
}
AXIS: RGB = (255, 120, 90)
FLIP: RGB = (110, 190, 255)
GREY: RGB = (112, 118, 126)
REFUSED: RGB = (255, 110, 100)
SHOWN_SHARE = 0.03  # of the diameter about the axis: red in the copies
HELD_BACK = 0.01  # diameters that the copy may lie behind the mesh and still be shown
COPIES = 8


def draw_object(template: Template, fit: Fit, found: FoundSymmetry, regions: np.ndarray) -> np.ndarray:
    """The picture of an object.

    Rows: the mesh with keypoints and axes from four sides; its regions; copies turned by the generators of
    its symmetry and by what was refused, coloured by their distance to the mesh.

    Args:
        template: the object.
        fit: its symmetry.
        found: what the surface says, with the turns that were refused.
        regions: (R,) vertices at the regions' centres.

    Returns:
        (H, W, 3) RGB uint8.
    """
    views = {name: View.of(template, *side) for name, side in SIDES.items()}
    seen = {name: see(view, template.verts, template.faces) for name, view in views.items()}
    hues = _hues(len(regions))
    first, second = [], []
    for name, view in views.items():
        it = seen[name]
        plain = paint(it, template.colors[it.face])
        first.append(_tile(_marked(plain, template, fit, view), name))
        which = nearest_region(it.points, template.verts[regions]) - 1
        second.append(_tile(paint(it, hues[which]), f"{len(regions)} regions"))
    sides = " x ".join(f"{100 * side:.1f}" for side in np.ptp(template.verts, axis=0))
    head = f"{template.name}   {sides} cm   {len(template.verts)} vertices   symmetry: {describe(fit.group)}"
    rows = [_heading(head), _row(first), _row(second)]
    tiles = _copies(template, fit, found)
    rows.append(
        _heading(f"copies after a turn: green lies on the mesh, red is {100 * SHOWN_SHARE:g} % or more away")
    )
    rows += [_row(tiles[k : k + len(SIDES)]) for k in range(0, len(tiles), len(SIDES))]
    return np.concatenate(rows)


def _marked(picture: np.ndarray, template: Template, fit: Fit, view: View) -> np.ndarray:
    """The picture with axes of symmetry and numbered keypoints."""
    group, reach = fit.group, 0.62 * template.diameter
    lines = [] if group.sphere or group.order == 1 else [(group.axis, AXIS)]
    lines += [] if group.flip is None else [(group.flip, FLIP)]
    for axis, color in lines:
        ends = view.pixels(fit.centre + np.outer([-reach, reach], axis))
        start, end = _whole(ends)
        cv2.line(picture, start, end, color, 2, cv2.LINE_AA)
    if lines or group.sphere:
        cv2.circle(picture, _whole(view.pixels(fit.centre[None]))[0], 4, AXIS, -1, cv2.LINE_AA)
    for number, place in enumerate(_whole(view.pixels(template.kpts))):
        cv2.circle(picture, place, 4, TARGET_OBJECT, -1, cv2.LINE_AA)
        _write(picture, str(number), (place[0] + 5, place[1] - 4), TARGET_OBJECT)
    return picture


def _copies(template: Template, fit: Fit, found: FoundSymmetry) -> list[np.ndarray]:
    """A tile for each generator of the symmetry, each turn beyond it and each refused one."""
    surface = Surface(template.verts, template.faces)
    tiles = [_copy(template, surface, part, fit.centre, INK, "") for part in _parts(fit.group)]
    for other, color, word in ((found.beyond[:2], INK, "also: "), (found.refused, REFUSED, "refused: ")):
        tiles += [_copy(template, surface, it.group, it.centre, color, word) for it in other]
    return tiles[:COPIES]


def _parts(group: SymmetryGroup) -> list[SymmetryGroup]:
    if group.sphere:
        return [group]
    parts = [] if group.order == 1 else [SymmetryGroup(group.order, group.axis)]
    return parts if group.flip is None else [*parts, SymmetryGroup(2, group.flip)]


def _copy(
    template: Template, surface: Surface, group: SymmetryGroup, centre: np.ndarray, color: RGB, word: str
) -> np.ndarray:
    """The mesh and its copy after the member of a group that strays most."""
    members = group.rotations()[1:]
    (mean, peak), across = surface.strays(members, centre), surface.across(members, centre)
    worst = int(np.argmax(mean / across))
    width, moved = float(across[worst]), (template.verts - centre) @ members[worst].T + centre
    view = View.of(template, *SIDES["slanted"])
    mesh, copy = see(view, template.verts, template.faces), see(view, moved, template.faces)
    picture = np.full((*mesh.on.shape, 3), PAPER, np.float64)
    picture[mesh.on] = mesh.shade[:, None] * GREY
    heat = np.zeros_like(picture)
    heat[copy.on] = copy.shade[:, None] * _heat(surface.distances(copy.points) / (SHOWN_SHARE * width))
    shown = copy.on & (copy.depth < mesh.depth + HELD_BACK * template.diameter)
    picture[shown] = heat[shown]
    error = f"{1e3 * mean[worst]:.1f} mm ({100 * mean[worst] / width:.2f} %)"
    lines = f"{word}{describe(group)}", f"{error}, 2 % beyond {1e3 * peak[worst]:.1f} mm"
    return _tile(shrunk(picture), *lines, color=color)


def _heat(level: np.ndarray) -> np.ndarray:
    """Colours (N, 3) of levels (N,): green at 0, yellow, red at 1 and above."""
    level = np.clip(level, 0, 1)[:, None]
    green, yellow, red = np.array([(70, 190, 110), (240, 210, 70), (235, 70, 60)], dtype=np.float64)
    return np.where(
        level < 0.5, green + 2 * level * (yellow - green), yellow + (2 * level - 1) * (red - yellow)
    )


def _hues(count: int) -> np.ndarray:
    """Colours (count, 3) that differ much from one to the next."""
    hue = (np.arange(count) * 180 * 0.618034) % 180
    value = 160 + 95 * (np.arange(count) % 3) / 2
    hsv = np.stack([hue, np.full(count, 170), value], axis=1).astype(np.uint8)
    return cv2.cvtColor(hsv[None], cv2.COLOR_HSV2RGB)[0].astype(np.float64)


def _tile(picture: np.ndarray, *lines: str, color: RGB = INK) -> np.ndarray:
    below = np.full((LINE * len(lines) + 8, SIZE, 3), PAPER, np.uint8)
    for number, line in enumerate(lines):
        _write(below, line, (2, LINE * (number + 1)), color)
    return np.concatenate([picture, below])


def _row(tiles: list[np.ndarray]) -> np.ndarray:
    width, height = len(SIDES) * (SIZE + GAP) + GAP, max(tile.shape[0] for tile in tiles)
    row = np.full((height, width, 3), PAPER, np.uint8)
    for column, tile in enumerate(tiles):
        left = GAP + column * (SIZE + GAP)
        row[: tile.shape[0], left : left + SIZE] = tile
    return row


def _heading(text: str) -> np.ndarray:
    strip = np.full((LINE + 14, len(SIDES) * (SIZE + GAP) + GAP, 3), PAPER, np.uint8)
    cv2.putText(strip, text, (GAP, LINE + 4), cv2.FONT_HERSHEY_DUPLEX, 0.46, INK, 1, cv2.LINE_AA)
    return strip


def _write(canvas: np.ndarray, text: str, at: tuple[int, int], color: RGB) -> None:
    cv2.putText(canvas, text, at, cv2.FONT_HERSHEY_DUPLEX, 0.36, color, 1, cv2.LINE_AA)


def _whole(pixels: np.ndarray) -> list[tuple[int, int]]:
    return [(round(float(x)), round(float(y))) for x, y in pixels]
