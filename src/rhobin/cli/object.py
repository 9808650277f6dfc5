"""`rhobin object add MESH`: make an object of a mesh: template, keypoints, regions and symmetry."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rhobin.behave.add_object import AddedObject
    from rhobin.objects.symmetry_fit import Fit

UNITS = ("m", "cm", "mm", "in")
MOST_PERCENT = 2.5


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("action", choices=("add",), help="add: write the object, or write it again")
    parser.add_argument("mesh", type=Path, help="ply, obj, stl, glb, off: what trimesh reads")
    parser.add_argument(
        "--out", type=Path, required=True, help="dataset root; the object goes to objects/NAME"
    )
    parser.add_argument("--name", help="small letters and digits (default: the file's name)")
    parser.add_argument("--unit", choices=UNITS, default="m", help="of the mesh's vertices (default: m)")
    parser.add_argument(
        "--tolerance",
        type=_percent,
        default=0.5,
        metavar="PERCENT",
        help="how far a symmetry may move the surface, in %% of its diameter about the axis (default: 0.5)",
    )
    parser.add_argument(
        "--mix", action="store_true", help="let BEHAVE's objects and others share the root; ids are then new"
    )


def run(args: argparse.Namespace) -> int:
    """Add the object; returns 1 when it cannot be made, with the reason."""
    from rhobin.behave.add_object import add_object
    from rhobin.objects.user_mesh import object_name
    from rhobin.reports.contact_sheet import write_sheet
    from rhobin.reports.object_sheet import draw_object

    try:
        name = object_name(args.mesh, args.name)
        added = add_object(args.mesh, args.out, name, args.unit, args.tolerance / 100, args.mix)
        picture = added.folder / f"{name}.png"
        write_sheet(picture, draw_object(added.template, added.fit, added.found, added.regions))
    except (OSError, ValueError) as error:
        print(f"rhobin object: {error}", file=sys.stderr)
        return 1
    _report(added, picture)
    return 0


def _percent(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= MOST_PERCENT:
        raise argparse.ArgumentTypeError(f"expected a number above 0 and up to {MOST_PERCENT}, found {text}")
    return value


def _report(added: AddedObject, picture: Path) -> None:
    from rhobin.objects.symmetry import describe
    from rhobin.objects.symmetry_file import SYMMETRY_FILE

    template, fit, found, file = added.template, added.fit, added.found, added.folder / SYMMETRY_FILE
    sides = " x ".join(
        f"{100 * side:.1f}" for side in template.verts.max(axis=0) - template.verts.min(axis=0)
    )
    print(f"{added.folder}: {template.name}, {sides} cm, {len(template.verts):,} vertices")
    lines = [f"note: {note}" for note in added.notes]
    whence = f"as {SYMMETRY_FILE} states" if added.stated else "found from the surface, whatever its colours"
    lines.append(f"symmetry, {whence}: {_told(fit)}")
    if added.stated:
        lines.append(f"the surface itself fits: {_told(found.best)}")
    if found.beyond:
        lines.append(
            "note: the shape keeps more rotations than one main axis has (as a cube's), such as "
            f"{describe(found.beyond[0].group)}; the group is the largest part of them that can be stated"
        )
    lines += [f"almost, and left out: {_told(refused)}" for refused in found.refused]
    lines.append(f"look at {picture}; where the symmetry is wrong, change {file} and run this again")
    ids = ", ".join(f"{index} {name}" for index, name in enumerate(added.names))
    lines.append(
        f"object ids of this root: {ids}; they are places in this list, so train after the last one is added"
    )
    if added.mixed:
        lines.append("warning: this root mixes BEHAVE's objects with others, so its ids are not BEHAVE's")
    for line in lines:
        print(f"  {line}")


def _told(fit: Fit) -> str:
    from rhobin.objects.symmetry import describe

    share = f"{100 * fit.share:.2f} % of the diameter about the axis"
    error = f": {1e3 * fit.error:.2f} mm off in the mean ({share})" if fit.error else ""
    return describe(fit.group) + error
