"""Trees of which some sequences show nobody, or no object."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

BOTH, NO_OBJECT, NOBODY = (
    "Date01_Sub01_boxlarge_lift",
    "Date01_Sub01_chairblack_sit",
    "Date02_Sub06_yogaball_hold",
)


def without_object(root: Path, name: str) -> None:
    """Make a sequence one of a person alone: no object named, none fitted, no mask of it."""
    _leave_out(root / "sequences" / name, "cat", "obj_*", ("chair", "sports ball", "boxlarge", "backpack"))


def without_person(root: Path, name: str) -> None:
    """Make a sequence one of an object alone: no gender, no fitted body, no mask of anybody."""
    _leave_out(root / "sequences" / name, "gender", "person_*", ("person",))


def _leave_out(folder: Path, key: str, masks: str, fits: tuple[str, ...]) -> None:
    info = folder / "info.json"
    info.write_text(json.dumps({**json.loads(info.read_text()), key: None}))
    for frame in folder.glob("t*"):
        for file in frame.glob(f"k?.{masks}"):
            file.unlink()
        removed = [frame / name for name in fits if (frame / name).is_dir()]
        assert removed, f"{frame} has none of {fits}"
        for fit in removed:
            shutil.rmtree(fit)
