"""Taking possession of a folder for renders: its settings and templates, written once and compared later."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rhobin.behave.layout import RENDERS
from rhobin.behave.ref import find_ref
from rhobin.behave.renders import FORMAT, finished_parts, part_indices, read_settings
from rhobin.behave.root_templates import root_templates
from rhobin.behave.writers.templates import write_templates
from rhobin.files import write_bytes, write_json
from rhobin.objects.load import load_templates
from rhobin.objects.template import Template

_OURS = {"objects", "ref.pkl"}


@dataclass(frozen=True)
class RenderSettings:
    """What decides the pictures: kept in `renders.json` and compared when a root is continued.

    Attributes:
        renderer: "embree" or "blender".
        poses: law of the rotations; see `posed_views`.
        count: poses of each object.
        size: width and height of the pictures, pixels.
        seed: of poses and looks.
    """

    renderer: str = "embree"
    poses: str = "uniform"
    count: int = 8000
    size: int = 256
    seed: int = 0


def claim(out: Path, settings: RenderSettings, root: Path | None) -> dict[str, Template]:
    """Templates of a root of renders; a new root is given its templates and settings first.

    Args:
        out: root of the renders.
        settings: what is rendered.
        root: where templates come from; None for the built-in ones.

    Raises:
        ValueError: `out` holds renders of other settings or templates, or something else.
    """
    templates = load_templates() if root is None else root_templates(Path(root))
    if (out / RENDERS).is_file():
        _compare(out, settings, templates)
        return templates
    others = [path.name for path in out.glob("*") if path.name not in _OURS and path.name[0] != "."]
    if others:
        raise ValueError(f"{out} holds {others[0]} and no {RENDERS}; choose another --out")
    _copy_templates(out, templates, root)
    note_finished(out, settings)
    return templates


def note_finished(out: Path, settings: RenderSettings) -> None:
    """Write `renders.json`: the settings, and what is finished by now, by whatever process."""
    write_json(out / RENDERS, {"format": FORMAT, **asdict(settings), "objects": _finished(out, settings)})


def _finished(out: Path, settings: RenderSettings) -> dict[str, Any]:
    found = {}
    for folder in sorted((out / "renders").glob("*")):
        numbers = finished_parts(out, folder.name)
        poses = sum(len(part_indices(number, settings.count)) for number in numbers)
        found[folder.name] = {"parts": len(numbers), "poses": poses}
    return found


def _compare(out: Path, settings: RenderSettings, templates: Mapping[str, Template]) -> None:
    found, own = read_settings(out), root_templates(out)
    other = {key: (found.get(key), new) for key, new in asdict(settings).items() if found.get(key) != new}
    if other:
        changes = ", ".join(f"{key} is {old!r}, asked for {new!r}" for key, (old, new) in other.items())
        raise ValueError(
            f"{out} holds other renders ({changes}); choose another --out, or repeat the options of the "
            "first run to continue it"
        )
    meshes, wanted = ({name: template.sha256 for name, template in all_.items()} for all_ in (own, templates))
    if meshes != wanted:
        changed = sorted(name for name, _ in meshes.items() ^ wanted.items())
        raise ValueError(
            f"{out}/objects and --root hold different templates: {', '.join(dict.fromkeys(changed))}; choose "
            "another --out"
        )


def _copy_templates(out: Path, templates: Mapping[str, Template], root: Path | None) -> None:
    """Templates as files, whole or not at all; with a root its `ref.pkl` too, which lists symmetries."""
    part = out / f".templates.{os.getpid()}"
    if root is None:
        write_templates(part, templates)
    else:
        shutil.copytree(Path(root) / "objects", part / "objects")
        reference = find_ref(Path(root))
        if reference is not None:
            write_bytes(out / "ref.pkl", reference.read_bytes())
    try:
        (part / "objects").rename(out / "objects")
    except OSError:
        if not (out / "objects").is_dir():
            raise  # else another process was first
    shutil.rmtree(part)
