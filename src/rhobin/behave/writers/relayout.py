"""Writing what was read in one layout by the rules of another."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from rhobin.behave.detect import LAYOUTS
from rhobin.behave.layout import SYNTHETIC
from rhobin.behave.release import Release
from rhobin.behave.writers.fps30 import write_30fps
from rhobin.behave.writers.frame_folders import write_2023, write_raw
from rhobin.behave.writers.images2024 import write_2024
from rhobin.body.bodyset import BodySet
from rhobin.files import write_json

_UNPLACED = ("2024", "intercap")


def write_release(releases: Sequence[Release], out: Path, layout: str, bodies: BodySet | None = None) -> None:
    """Write splits of a release as a new root of another layout.

    Files already as the layout wants them are copied byte by byte; others are decoded and written anew: PNG
    masks for the 30-fps and 2024 layouts, JPEG for frames that come from videos, MPEG-4 for videos. The
    folder appears only when it is complete.

    Args:
        releases: splits of one root.
        out: folder to make.
        layout: a key of `rhobin.behave.detect.LAYOUTS`.
        bodies: body models that the parameters belong to; the 2024 layout needs them, since SMPL's
            translation moves with the rest pelvis and the posed vertices are part of it.

    Raises:
        FileExistsError: `out` holds something.
        ValueError: the layout is unknown, or wants what the releases do not tell.
    """
    out = Path(out)
    if layout not in LAYOUTS:
        raise ValueError(f"unknown layout {layout!r}; expected one of {', '.join(LAYOUTS)}")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise FileExistsError(f"{out} is not empty; choose another folder")
    _check(releases, layout)
    part = out.with_name(f".{out.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    if layout == "raw":
        write_raw(part, releases)
    elif layout == "30fps":
        write_30fps(part, releases)
    elif layout == "2023":
        write_2023(part, releases)
    else:
        if bodies is None:
            raise ValueError("the 2024 layout needs body models: it holds posed vertices")
        write_2024(part, releases, bodies)
    write_json(
        part / "relayout.json", {"from": [str(release.root) for release in releases], "layout": layout}
    )
    if (releases[0].root / SYNTHETIC).is_file():
        shutil.copyfile(releases[0].root / SYNTHETIC, part / SYNTHETIC)
    if out.is_dir():
        out.rmdir()
    part.rename(out)


def _check(releases: Sequence[Release], layout: str) -> None:
    """Refuse releases that do not tell what a layout wants."""
    if not releases:
        raise ValueError("nothing to write: no split was read")
    for release in releases:
        if not (release.frames.has_body & release.frames.has_object).all():
            raise ValueError(
                f"{release.root}: frames without SMPL-H parameters, or without an object, cannot be written "
                f"as {layout}"
            )
        if release.layout in _UNPLACED and layout != "2024":
            raise ValueError(
                f"{release.root} has layout {release.layout}, which does not tell where the cameras stood; "
                f"{layout} needs that: start from raw, 30fps or 2023"
            )
