"""What a sequence's `info.json` says."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from rhobin.behave.layout import SUBJECTS, parse_sequence, subject_gender
from rhobin.types import GENDERS


@dataclass(frozen=True)
class SequenceInfo:
    """Facts of a sequence from `info.json`: object, gender, calibration folders."""

    object_name: str
    gender: str
    config: Path
    intrinsic: Path


def read_info(folder: Path) -> SequenceInfo:
    """Read a sequence's `info.json`; keys it lacks come from the sequence's name.

    Raises:
        ValueError: when the name or the file cannot be understood.
    """
    sequence = parse_sequence(folder.name)
    path = folder / "info.json"
    try:
        info = json.loads(path.read_text())
        gender = info.get("gender") or subject_gender(sequence.subject)
        object_name = info.get("cat") or sequence.object_name
    except (OSError, ValueError, AttributeError) as error:
        raise ValueError(f"expected a JSON object with cat and gender: {error}") from error
    if gender not in GENDERS:
        raise ValueError(f"gender is {gender!r}; expected one of {', '.join(GENDERS)}")
    if sequence.subject in SUBJECTS and gender != subject_gender(sequence.subject):
        known = subject_gender(sequence.subject)
        raise ValueError(f"gender is {gender!r}; subject {sequence.subject} of BEHAVE is {known}")
    config = folder / info.get("config", f"../../calibs/{sequence.date}/config")
    intrinsic = folder / info.get("intrinsic", "../../calibs/intrinsics")
    return SequenceInfo(object_name, gender, config.resolve(), intrinsic.resolve())
