"""The templates of a dataset root, with the symmetries that the challenge's `ref.pkl` lists."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from rhobin.behave.ref import RefTemplate, find_ref, read_ref
from rhobin.objects.load import load_templates
from rhobin.objects.record import with_symmetries
from rhobin.objects.symmetry_file import SYMMETRY_FILE
from rhobin.objects.template import Template

SAME_PLACE = 1e-4  # metres between vertices of the same mesh in two files


class SymmetryWarning(UserWarning):
    """Symmetries of `ref.pkl` that cannot be used; our own stand in for them."""


def root_templates(root: Path) -> dict[str, Template]:
    """Templates of `objects/`; where the root has a `ref.pkl`, with its symmetries instead of our table's.

    A `symmetry.json` beside a mesh, which somebody wrote on purpose, comes before both.

    Raises:
        FileNotFoundError: `objects/` or one of its simplified meshes is missing.
        ValueError: a mesh cannot be read.
    """
    templates = load_templates(root / "objects")
    path = find_ref(root)
    if path is None:
        return templates
    try:
        _, listed = read_ref(path, centred=False)
    except (OSError, ValueError) as error:
        warnings.warn(f"symmetries are our own: {error}", SymmetryWarning, stacklevel=2)
        return templates
    return adopt_symmetries(root, path, templates, listed)


def adopt_symmetries(
    root: Path, path: Path, templates: Mapping[str, Template], listed: Mapping[str, RefTemplate]
) -> dict[str, Template]:
    """Templates with listed symmetries, where they are of the same mesh and keep its shape.

    Args:
        root: dataset root; objects whose `objects/` folder has a `symmetry.json` keep what that states.
        path: where the list comes from, for messages.
        templates: templates by name.
        listed: what `read_ref` found.
    """
    adopted = dict(templates)
    for name, reference in listed.items():
        template = templates.get(name)
        stated = root / "objects" / name / SYMMETRY_FILE
        if template is None or not reference.symmetries or stated.is_file():
            continue
        try:
            adopted[name] = _adopt(template, reference)
        except ValueError as error:
            warnings.warn(f"{path}: {error}; its symmetries are not used", SymmetryWarning, stacklevel=3)
    return adopted


def _adopt(template: Template, reference: RefTemplate) -> Template:
    verts = reference.verts
    if verts.shape != template.verts.shape or np.abs(verts - template.verts).max() > SAME_PLACE:
        raise ValueError(f"{template.name} is another mesh than the one in objects/")
    rotations, shifts = zip(*reference.symmetries, strict=True)
    return with_symmetries(template, np.stack(rotations), np.stack(shifts))
