"""The object templates of a run that is opened for photographs, whether its data are here or not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rhobin.behave.root_templates import root_templates
from rhobin.data.prepare.recipe import TEMPLATES
from rhobin.data.prepare.templates import read_templates
from rhobin.objects.load import load_templates
from rhobin.objects.names import names_by_id
from rhobin.objects.template import Template


@dataclass(frozen=True)
class PhotoTemplates:
    """Templates to predict with.

    Attributes:
        names: object names by id; those of the training first.
        by_id: templates by id.
        how: where they come from, in words.
        guessed: whether the training's are not here, and the built-in ones stand for them.
    """

    names: tuple[str, ...]
    by_id: Mapping[int, Template]
    how: str
    guessed: bool = False


def find_templates(root: Path, folder: Path | None) -> PhotoTemplates:
    """Templates of a folder, or else those of the training's data, or else the built-in ones.

    Args:
        root: of the data set that the run was trained on, which need not be here.
        folder: of other templates, see `load_templates`; None for those of the training.

    Raises:
        FileNotFoundError: the folder is missing or holds no object.
        ValueError: a mesh cannot be read.
    """
    trained = trained_templates(root)
    guessed = folder is None and trained is None
    if trained is not None and folder is None:
        chosen, how = trained, str(root)
    else:
        chosen, how = load_templates(folder), "built in" if folder is None else str(folder)
    known = names_by_id(chosen if trained is None else trained)
    names = (*known, *(name for name in chosen if name not in known))
    by_id = {names.index(name): template for name, template in chosen.items()}
    return PhotoTemplates(names, by_id, how, guessed)


def require_learnt(where: Path, found: PhotoTemplates, learnt: Mapping[str, Mapping[str, Any]]) -> None:
    """Refuse built-in templates in place of others that the network learnt.

    Args:
        where: the export, for the message.
        found: templates to predict with.
        learnt: what the export's card says of the training's templates, by name; `sha256` of each mesh.

    Raises:
        ValueError: one is missing or another mesh.
    """
    here = {template.name: template.sha256 for template in found.by_id.values()}
    other = [name for name, told in learnt.items() if here.get(name) != told["sha256"]]
    if other and found.guessed:
        raise ValueError(
            f"{where} learnt templates that are not built in: {', '.join(other)}; the card has their hashes. "
            "Give the folder that holds them with --templates FOLDER"
        )


def trained_templates(root: Path) -> dict[str, Template] | None:
    """Templates of a data set; None where it is not here, or keeps them in no folder of their own."""
    if (root / TEMPLATES).is_file():
        return read_templates(root / TEMPLATES)
    return root_templates(root) if (root / "objects").is_dir() else None
