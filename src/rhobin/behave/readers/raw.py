"""Reading the raw (1 fps) release."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from rhobin.behave.builder import ReleaseBuilder
from rhobin.behave.calibration import read_camera
from rhobin.behave.exceptions import OBJECT_FOLDER
from rhobin.behave.layout import is_frame_name, object_dirs, sequence_folder
from rhobin.behave.readers.frames import FrameReader
from rhobin.behave.readers.info import SequenceInfo, read_info
from rhobin.behave.release import Release
from rhobin.behave.root_templates import root_templates
from rhobin.behave.splits import read_split
from rhobin.objects.template import Template
from rhobin.types import Camera


def read_raw(
    root: Path, split: str, kinects: Sequence[int], templates: Mapping[str, Template] | None
) -> Release:
    """Read one split of a raw release; arguments and errors as `rhobin.behave.read.read_release`."""
    names = read_split(root).get(split, [])
    known = root_templates(root) if templates is None else templates
    builder = ReleaseBuilder(root, split, "raw", known)
    for name in names:
        add_sequence(builder, sequence_folder(root, name), kinects)
    return builder.release()


def add_sequence(
    builder: ReleaseBuilder, folder: Path, kinects: Sequence[int], fixed: Mapping[int, Camera] | None = None
) -> None:
    """Read a sequence's folder of frame folders into a builder.

    Args:
        builder: what the release is collected in.
        folder: the sequence's folder.
        kinects: Kinects to use.
        fixed: cameras by Kinect in place of the calibration that `info.json` names.
    """
    if not folder.is_dir():
        builder.skip(folder, "missing_sequence", "no such folder", 0)
        return
    frames = sorted(p.name for p in folder.iterdir() if is_frame_name(p.name))
    found = sequence_facts(builder, folder, kinects, len(frames), fixed, both_parts=False)
    if found is None:
        return
    info, cameras = found
    if info.object_name and object_dirs(info.object_name)[0] != info.object_name:
        builder.note(OBJECT_FOLDER, folder.name)
    reader = FrameReader(builder, info, cameras)
    for frame in frames:
        record = reader.read(folder / frame)
        if record is not None:
            builder.add(folder.name, info.gender, info.object_name, record)


def sequence_facts(
    builder: ReleaseBuilder,
    folder: Path,
    kinects: Sequence[int],
    frames: int,
    fixed: Mapping[int, Camera] | None = None,
    both_parts: bool = True,
) -> tuple[SequenceInfo, dict[int, int]] | None:
    """Facts of a sequence and the camera index of each Kinect; None, and noted, when they cannot be had.

    Kinects that `info.json` does not list did not film the sequence: they have no camera.

    Args:
        builder: what the release is collected in.
        folder: the sequence's folder.
        kinects: Kinects to use.
        frames: how many go with the sequence.
        fixed: cameras by Kinect in place of the calibration.
        both_parts: leave out a sequence that shows nobody, or no object.
    """
    lost = frames * len(kinects)
    try:
        info = read_info(folder, builder.root)
    except (OSError, ValueError) as error:
        builder.skip(folder / "info.json", "bad_sequence", str(error), lost)
        return None
    if both_parts and not (info.has_person and info.object_name):
        detail = f"shows {'no object' if info.has_person else 'nobody'}, which only the raw layout can tell"
        builder.skip(folder / "info.json", "bad_sequence", detail, lost)
        return None
    filmed = [kinect for kinect in kinects if kinect in info.kinects]
    if not filmed:
        listed, asked = (", ".join(map(str, some)) or "none" for some in (info.kinects, kinects))
        detail = f"films of kinects {listed}, asked for {asked}"
        builder.skip(folder / "info.json", "missing_color", detail, 0)
        return None
    kinects, lost = filmed, frames * len(filmed)
    if info.object_name and info.object_name not in builder.templates:
        builder.skip(folder, "unknown_object", f"object {info.object_name!r}", lost)
        return None
    if fixed is not None:
        return info, {kinect: builder.add_camera(kinect, fixed[kinect]) for kinect in kinects}
    try:
        return info, {kinect: _camera(builder, info, kinect) for kinect in kinects}
    except (OSError, ValueError) as error:
        builder.skip(folder, "bad_calibration", str(error), lost)
        return None


def _camera(builder: ReleaseBuilder, info: SequenceInfo, kinect: int) -> int:
    key = (info.config, info.intrinsic, kinect)
    known = builder.camera_id(key)
    return known if known is not None else builder.add_camera(key, read_camera(*key))
