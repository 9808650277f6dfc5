"""What a sequence's `info.json` says."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rhobin.behave.layout import KINECTS, SUBJECTS, parse_sequence, subject_gender
from rhobin.files import read_json
from rhobin.types import GENDERS, gender_name

_CALIBS = "calibs"


@dataclass(frozen=True)
class SequenceInfo:
    """Facts of a sequence from `info.json`.

    Attributes:
        object_name: "" where no object is shown: `cat` is null.
        gender: of the person; "neutral" where nobody is shown.
        has_person: False where nobody is shown: `gender` is null.
        config: folder with the cameras' places.
        intrinsic: folder with the cameras' intrinsics.
        kinects: that filmed the sequence; all four where the file does not say.
    """

    object_name: str
    gender: str
    has_person: bool
    config: Path
    intrinsic: Path
    kinects: tuple[int, ...] = KINECTS


def read_info(folder: Path, root: Path) -> SequenceInfo:
    """Read a sequence's `info.json`; keys it lacks come from the sequence's name.

    A `cat` or `gender` of null says that the sequence shows no object, or nobody. Folders of cameras are
    taken as named, relative to the sequence. Where such a folder does not exist (after a move, behind a link,
    on another computer), what follows `calibs` in its name is looked for in the root's own `calibs`.

    Args:
        folder: of the sequence.
        root: dataset root.

    Raises:
        ValueError: when the name or the file cannot be understood.
    """
    sequence = parse_sequence(folder.name)
    try:
        info = read_json(folder / "info.json")
        if not isinstance(info, dict):
            raise ValueError(f"found {type(info).__name__}")
    except (OSError, ValueError) as error:
        raise ValueError(f"expected a JSON object with cat and gender: {error}") from error
    gender, object_name = _text(info, "gender"), _text(info, "cat")
    if gender is None and object_name is None:
        raise ValueError("gender and cat are null: the sequence shows neither a person nor an object")
    if gender is not None:
        gender = _checked(gender_name(gender or subject_gender(sequence.subject)), sequence.subject)
    return SequenceInfo(
        object_name="" if object_name is None else object_name or sequence.object_name,
        gender=gender or "neutral",
        has_person=gender is not None,
        config=_place(info, "config", folder, root, f"{sequence.date}/config"),
        intrinsic=_place(info, "intrinsic", folder, root, "intrinsics"),
        kinects=_kinects(info.get("kinects")),
    )


def _text(info: Mapping[str, Any], key: str) -> str | None:
    """A text of the file, "" where it is not there, None where it is null."""
    value = info.get(key, "")
    if value is not None and not isinstance(value, str):
        raise ValueError(f"{key} is {value!r}; expected a name or null")
    return value


def _checked(gender: str, subject: int) -> str:
    if gender not in GENDERS:
        raise ValueError(f"gender is {gender!r}; expected one of {', '.join(GENDERS)}")
    if subject in SUBJECTS and gender != subject_gender(subject):
        known = subject_gender(subject)
        raise ValueError(f"gender is {gender!r}; subject {subject} of BEHAVE is {known}")
    return gender


def _place(info: Mapping[str, Any], key: str, folder: Path, root: Path, usual: str) -> Path:
    """A folder of cameras: as the file names it, or below the root's own `calibs`."""
    named = (_text(info, key) or f"{(root / _CALIBS).absolute()}/{usual}").replace("\\", "/")
    stated = [Path(os.path.normpath(folder / named)), folder / named]
    _, calibs, inner = f"/{named}".rpartition(f"/{_CALIBS}/")
    places = [*stated, root / _CALIBS / inner] if calibs else stated
    return next((place for place in places if place.is_dir()), places[-1]).resolve()


def _kinects(listed: Any) -> tuple[int, ...]:
    if listed is None:
        return KINECTS
    if not isinstance(listed, list) or any(type(k) is not int or k not in KINECTS for k in listed):
        raise ValueError(f"kinects is {listed!r}; expected a list of some of {', '.join(map(str, KINECTS))}")
    return tuple(sorted(set(listed)))
