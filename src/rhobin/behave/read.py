"""Reading a dataset root of any layout into one record."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from rhobin.behave.detect import detect_layout
from rhobin.behave.layout import KINECTS
from rhobin.behave.readers.challenge2023 import read_2023
from rhobin.behave.readers.challenge2024 import read_2024
from rhobin.behave.readers.fps30 import read_30fps
from rhobin.behave.readers.info import SequenceInfo, read_info
from rhobin.behave.readers.intercap import read_intercap
from rhobin.behave.readers.raw import read_raw
from rhobin.behave.readers.renders import read_renders
from rhobin.behave.release import Frames, Release, Views
from rhobin.objects.template import Template

__all__ = ["Frames", "Release", "SequenceInfo", "Views", "read_info", "read_release"]

SPLITS = ("train", "val", "test")

_READERS: dict[str, Callable[[Path, str, tuple[int, ...], Mapping[str, Template] | None], Release]] = {
    "raw": read_raw,
    "30fps": read_30fps,
    "2023": read_2023,
    "2024": read_2024,
    "intercap": read_intercap,
    "renders": read_renders,
}


def read_release(
    root: Path,
    split: str = "train",
    cameras: Sequence[int] = KINECTS,
    templates: Mapping[str, Template] | None = None,
    layout: str = "auto",
) -> Release:
    """Read one split of a release.

    Images are not opened; broken ones show when a sample is made. Everything left out is listed in
    `skips`.

    Args:
        root: dataset root; data/README.md shows the tree of each layout.
        split: "train" or "test"; "val" where the root has one (`split.json`, or a folder of 2024).
        cameras: Kinects to use.
        templates: object templates; the root's own by default.
        layout: whose rules the files follow (`rhobin.behave.detect.LAYOUTS`); "auto" looks at the root.

    Raises:
        FileNotFoundError: when the root or one of its parts is missing; says how to get them.
        EmptySplitError: when nothing of the split could be read; lists the reasons.
        ValueError: when the root could be read as several layouts, or a file that all depends on is broken.
    """
    root = Path(root)
    if split not in SPLITS:
        raise ValueError(f"unknown split {split!r}; expected one of {', '.join(SPLITS)}")
    return _READERS[detect_layout(root, layout)](root, split, tuple(cameras), templates)
