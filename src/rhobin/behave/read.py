"""Reading a dataset root of any layout into one record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from rhobin.behave.info import SequenceInfo, read_info
from rhobin.behave.layout import KINECTS
from rhobin.behave.raw import read_raw
from rhobin.behave.release import Frames, Release, Views
from rhobin.behave.splits import SPLITS
from rhobin.objects.template import Template

__all__ = ["Frames", "Release", "SequenceInfo", "Views", "read_info", "read_release"]

LAYOUTS = ("auto", "raw")


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
        split: "train" or "test".
        cameras: Kinects to use.
        templates: object templates; the root's own by default.
        layout: whose rules the files follow; "auto" looks at the root.

    Raises:
        FileNotFoundError: when the root or one of its parts is missing; says how to get them.
        ValueError: when nothing at all could be read; lists the reasons.
    """
    root = Path(root)
    if split not in SPLITS:
        raise ValueError(f"unknown split {split!r}; expected one of {', '.join(SPLITS)}")
    if layout not in LAYOUTS:
        raise ValueError(f"unknown layout {layout!r}; expected one of {', '.join(LAYOUTS)}")
    return read_raw(root, split, tuple(cameras), templates)
