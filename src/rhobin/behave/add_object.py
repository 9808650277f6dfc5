"""Making an object of a user's mesh: its folder in a root, its symmetry, and what is known of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rhobin.behave.writers.templates import write_templates
from rhobin.files import write_json
from rhobin.objects.find_symmetry import TOLERANCE, FoundSymmetry, find_symmetry
from rhobin.objects.keypoints import condition
from rhobin.objects.load import load_template, own_objects
from rhobin.objects.names import OBJECT_NAMES, names_by_id
from rhobin.objects.regions import farthest_points
from rhobin.objects.symmetry_file import SYMMETRY_FILE, read_symmetry, stated_fit, write_symmetry
from rhobin.objects.symmetry_fit import Fit
from rhobin.objects.template import Template, make_template
from rhobin.objects.user_mesh import UserMesh, read_user_mesh

RECORD = "object.json"
REGIONS = 64


@dataclass(frozen=True, eq=False)
class AddedObject:
    """An object in its root.

    Attributes:
        template: as every command reads it.
        fit: how its symmetry fits its surface.
        stated: whether `symmetry.json` was there before.
        found: what the surface itself says.
        folder: where its files are.
        names: the root's object names by id.
        notes: what is unusual about the mesh, a sentence each.
    """

    template: Template
    fit: Fit
    stated: bool
    found: FoundSymmetry
    folder: Path
    names: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def mixed(self) -> bool:
        """Whether the root holds BEHAVE's objects beside others."""
        behave = [name for name in self.names if name in OBJECT_NAMES]
        return 0 < len(behave) < len(self.names)

    @property
    def regions(self) -> np.ndarray:
        """(64,) vertices at the centres of the surface regions."""
        return farthest_points(self.template.verts, REGIONS)


def add_object(
    mesh: Path, root: Path, name: str, unit: str = "m", tolerance: float = TOLERANCE, mix: bool = False
) -> AddedObject:
    """Make a template of a mesh and write it to a dataset root; doing it again takes its place.

    Args:
        mesh: file in any format that trimesh reads.
        root: dataset root; the object goes to `objects/<name>/`.
        name: of the object.
        unit: of the mesh's vertices.
        tolerance: of the symmetry that is looked for (`find_symmetry`).
        mix: let BEHAVE's objects and others share a root.

    Returns:
        What was written. A `symmetry.json` that was there is kept and used.

    Raises:
        FileNotFoundError: no such mesh.
        FileExistsError: the folder holds an object of somebody else.
        ValueError: the mesh makes no object, the root would mix BEHAVE's objects with others, or
            `symmetry.json` states rotations that do not keep the shape.
    """
    folder = Path(root) / "objects" / name
    _check_place(folder, mix)
    read = read_user_mesh(mesh, unit)
    stated = folder / SYMMETRY_FILE
    was_there = stated.is_file()
    found = find_symmetry(read.verts, read.faces, tolerance)
    fit = _stated_fit(stated, read) if was_there else found.best
    template = make_template(
        name, read.verts, read.faces, group=fit.group, centre=fit.centre, colors=read.colors
    )
    write_templates(root, {name: template})
    write_symmetry(stated, fit.group, fit.centre)
    names = names_by_id(root_names(Path(root)))
    added = AddedObject(load_template(folder.parent, name), fit, was_there, found, folder, names, read.notes)
    write_json(folder / RECORD, _record(added, mesh, unit, read))
    return added


def root_names(root: Path) -> list[str]:
    """Names of the objects that a root's `objects/` holds."""
    folder = root / "objects"
    return [*(name for name in OBJECT_NAMES if (folder / name).is_dir()), *own_objects(folder)]


def _check_place(folder: Path, mix: bool) -> None:
    """Refuse a folder that is not ours, and a root that would mix BEHAVE's objects with others."""
    if folder.is_dir() and any(folder.iterdir()) and not (folder / RECORD).is_file():
        raise FileExistsError(
            f"{folder} holds an object that rhobin object add did not write; choose another --name or --out"
        )
    root, name = folder.parents[1], folder.name
    there = root_names(root)
    behave = [other for other in there if other in OBJECT_NAMES]
    others = behave if name not in OBJECT_NAMES else [other for other in there if other not in OBJECT_NAMES]
    if others and not mix:
        raise ValueError(
            f"{root} has {', '.join(others)}: with {name} it would mix BEHAVE's objects with others. Object "
            "ids would then be places among the sorted names of the root, not BEHAVE's, and networks trained "
            "on it before would take one object for another. Give the object a root of its own (--out), or "
            "say --mix"
        )


def _stated_fit(path: Path, read: UserMesh) -> Fit:
    return stated_fit(path, read.verts, read.faces, *read_symmetry(path))


def _record(added: AddedObject, mesh: Path, unit: str, read: UserMesh) -> dict[str, Any]:
    template = added.template
    return {
        "name": template.name,
        "source": mesh.name,
        "unit": unit,
        "point_of_file": {
            "scale": read.scale,
            "shift": read.shift.tolist(),
            "is_at": "scale * point - shift",
        },
        "sha256": template.sha256,
        "vertices": len(template.verts),
        "faces": len(template.faces),
        "size_m": np.ptp(template.verts, axis=0).round(6).tolist(),
        "diameter_m": round(template.diameter, 6),
        "keypoints": template.kpt_ids.tolist(),
        "condition": round(condition(template.kpts), 4),
        "regions": added.regions.tolist(),
        "symmetries": len(template.symmetries),
        "symmetry_error_mm": round(1e3 * added.fit.error, 4),
        "symmetry_from": SYMMETRY_FILE if added.stated else "the surface",
        "notes": list(added.notes),
    }
