"""Reading the raw (1 fps) release."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from rhobin.behave.builder import ReleaseBuilder
from rhobin.behave.calibration import read_camera
from rhobin.behave.frames import FrameReader
from rhobin.behave.info import SequenceInfo, read_info
from rhobin.behave.layout import is_frame_name
from rhobin.behave.release import Release
from rhobin.behave.splits import read_split
from rhobin.objects.load import load_templates
from rhobin.objects.template import Template


def read_raw(
    root: Path, split: str, kinects: Sequence[int], templates: Mapping[str, Template] | None
) -> Release:
    """Read one split of a raw release; arguments and errors as `rhobin.behave.read.read_release`."""
    names = read_split(root)[split]
    known = load_templates(root / "objects") if templates is None else templates
    builder = ReleaseBuilder(root, split, "raw", known)
    for name in names:
        _add_sequence(builder, name, kinects)
    return builder.release()


def _add_sequence(builder: ReleaseBuilder, name: str, kinects: Sequence[int]) -> None:
    folder = builder.root / "sequences" / name
    if not folder.is_dir():
        builder.skip(folder, "missing_sequence", "no such folder", 0)
        return
    frames = sorted(p.name for p in folder.iterdir() if is_frame_name(p.name))
    found = sequence_facts(builder, folder, kinects, lost=len(frames) * len(kinects))
    if found is None:
        return
    info, cameras = found
    reader = FrameReader(builder, info.object_name, cameras)
    for frame in frames:
        record = reader.read(folder / frame)
        if record is not None:
            builder.add(name, info.gender, info.object_name, record)


def sequence_facts(
    builder: ReleaseBuilder, folder: Path, kinects: Sequence[int], lost: int
) -> tuple[SequenceInfo, dict[int, int]] | None:
    """Facts of a sequence and the camera index of each Kinect; None, and noted, when they cannot be had.

    Args:
        builder: what the release is collected in.
        folder: the sequence's folder.
        kinects: Kinects to use.
        lost: views that go with the sequence.
    """
    try:
        info = read_info(folder)
    except ValueError as error:
        builder.skip(folder / "info.json", "bad_sequence", str(error), lost)
        return None
    if info.object_name not in builder.templates:
        builder.skip(folder, "unknown_object", f"object {info.object_name!r}", lost)
        return None
    try:
        return info, {kinect: _camera(builder, info, kinect) for kinect in kinects}
    except (OSError, ValueError) as error:
        builder.skip(folder, "bad_calibration", str(error), lost)
        return None


def _camera(builder: ReleaseBuilder, info: SequenceInfo, kinect: int) -> int:
    key = (info.config, info.intrinsic, kinect)
    known = builder.camera_id(key)
    return known if known is not None else builder.add_camera(key, read_camera(*key))
