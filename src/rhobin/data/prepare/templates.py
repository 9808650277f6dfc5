"""Templates as one file of arrays."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from rhobin.files import write_bytes
from rhobin.objects.catalogue import built_in
from rhobin.objects.names import OBJECT_NAMES
from rhobin.objects.symmetry import SymmetryGroup
from rhobin.objects.template import Template
from rhobin.pickles import read_npz

_ARRAYS = ("verts", "faces", "kpt_ids", "symmetries", "symmetry_offsets", "centre", "colors", "face_parts")


def write_templates(path: Path, templates: Mapping[str, Template]) -> None:
    """Write meshes, keypoints and symmetries of all templates as `.npz`."""
    arrays: dict[str, Any] = {}
    for name, template in templates.items():
        group = template.group
        values: dict[str, Any] = {key: getattr(template, key) for key in _ARRAYS}
        values |= {"diameter": np.float64(template.diameter), "sha256": np.array(template.sha256)}
        values["group"] = np.array([group.order, group.sphere, group.flip is not None])
        values["axes"] = np.array([group.axis, group.flip or (0.0, 0.0, 0.0)])
        arrays |= {f"{name}/{key}": value for key, value in values.items()}
    content = io.BytesIO()
    np.savez(content, **arrays)
    write_bytes(path, content.getvalue())


def read_templates(path: Path) -> dict[str, Template]:
    """Templates by name, as they were written; those that are built in with all that is known of them.

    Raises:
        ValueError: the file is missing or broken.
    """
    found: dict[str, dict[str, np.ndarray]] = {}
    try:
        for key, array in read_npz(path).items():
            name, _, part = key.partition("/")
            found.setdefault(name, {})[part] = array
        return {name: _template(name, values) for name, values in found.items()}
    except (OSError, ValueError, KeyError) as error:
        raise ValueError(f"{path}: not the templates of a prepared root ({error!r})") from error


def _template(name: str, values: dict[str, np.ndarray]) -> Template:
    sha256 = str(values["sha256"])
    order, sphere, flips = (int(value) for value in values["group"])
    axis, flip = ((float(x), float(y), float(z)) for x, y, z in values["axes"])
    group = SymmetryGroup(order, axis, flip if flips else None, bool(sphere))
    arrays: dict[str, Any] = {key: values[key] for key in _ARRAYS}
    if name in OBJECT_NAMES and built_in(name).sha256 == sha256:
        return _known(built_in(name), group, arrays)
    return Template(name=name, group=group, diameter=float(values["diameter"]), sha256=sha256, **arrays)


def _known(own: Template, group: SymmetryGroup, arrays: Mapping[str, Any]) -> Template:
    """A built-in template, with other symmetries where the root stated them."""
    stated = {key: arrays[key] for key in ("symmetries", "symmetry_offsets", "centre")}
    if all(np.array_equal(value, getattr(own, key)) for key, value in stated.items()):
        return own
    return replace(own, group=group, **stated)
