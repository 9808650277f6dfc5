"""What a sequence's `info.json` says."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from rhobin.behave.layout import SUBJECTS, parse_sequence, subject_gender
from rhobin.types import GENDERS


@dataclass(frozen=True)
class SequenceInfo:
    """Facts of a sequence from `info.json`.

    Attributes:
        object_name: "" where no object is shown: `cat` is null.
        gender: of the person; "neutral" where nobody is shown.
        has_person: False where nobody is shown: `gender` is null.
        config: folder with the cameras' places.
        intrinsic: folder with the cameras' intrinsics.
    """

    object_name: str
    gender: str
    has_person: bool
    config: Path
    intrinsic: Path


def read_info(folder: Path) -> SequenceInfo:
    """Read a sequence's `info.json`; keys it lacks come from the sequence's name.

    A `cat` or `gender` of null says that the sequence shows no object, or nobody.

    Raises:
        ValueError: when the name or the file cannot be understood.
    """
    sequence = parse_sequence(folder.name)
    path = folder / "info.json"
    try:
        info = json.loads(path.read_text())
        has_person = info.get("gender", "") is not None
        has_object = info.get("cat", "") is not None
        gender = (info.get("gender") or subject_gender(sequence.subject)) if has_person else "neutral"
        object_name = (info.get("cat") or sequence.object_name) if has_object else ""
    except (OSError, ValueError, AttributeError) as error:
        raise ValueError(f"expected a JSON object with cat and gender: {error}") from error
    if not has_person and not has_object:
        raise ValueError("gender and cat are null: the sequence shows neither a person nor an object")
    if gender not in GENDERS:
        raise ValueError(f"gender is {gender!r}; expected one of {', '.join(GENDERS)}")
    if has_person and sequence.subject in SUBJECTS and gender != subject_gender(sequence.subject):
        known = subject_gender(sequence.subject)
        raise ValueError(f"gender is {gender!r}; subject {sequence.subject} of BEHAVE is {known}")
    config = folder / info.get("config", f"../../calibs/{sequence.date}/config")
    intrinsic = folder / info.get("intrinsic", "../../calibs/intrinsics")
    return SequenceInfo(object_name, gender, has_person, config.resolve(), intrinsic.resolve())
