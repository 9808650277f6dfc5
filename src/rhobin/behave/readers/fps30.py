"""Reading the 30-fps release: smoothed parameters of whole sequences, colour videos, flat mask files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rhobin.behave.builder import FileNames, FrameRecord, ReleaseBuilder
from rhobin.behave.detect import PARAMS_30FPS
from rhobin.behave.exceptions import (
    CONTINUED,
    MORE_BODIES,
    NOT_REGISTERED,
    continuations,
    image_sequence,
    known_exceptions,
)
from rhobin.behave.layout import OBJECT_MASKS, PERSON_MASKS, file_sizes, parse_sequence, sequence_folder
from rhobin.behave.readers.fits30 import SequenceFit, read_fit
from rhobin.behave.readers.frames import UnusableError, first_present
from rhobin.behave.readers.raw import sequence_facts
from rhobin.behave.release import Release
from rhobin.behave.root_templates import root_templates
from rhobin.behave.splits import read_split
from rhobin.behave.video import REACH, VideoError, extracted_frames, frame_file, frame_seconds
from rhobin.objects.template import Template

_MASKS = (("missing_person_mask", PERSON_MASKS), ("missing_object_mask", OBJECT_MASKS))


def read_30fps(
    root: Path, split: str, kinects: Sequence[int], templates: Mapping[str, Template] | None
) -> Release:
    """Read one split at 30 fps; arguments and errors as `rhobin.behave.read.read_release`.

    Body and object are joined where both have a fit of the same time, and shown by the video frame nearest
    to it. The fits are others than those of the raw release, and smoothed.
    """
    names = read_split(root).get(split, [])
    known = root_templates(root) if templates is None else templates
    builder = ReleaseBuilder(root, split, "30fps", known)
    for name in names:
        parts = [name, *(part for part in continuations(name) if part not in names)]
        for part in parts:
            folder = params_folder(root, part)
            if part == name or folder.is_dir():
                _add_sequence(builder, folder, kinects)
    return builder.release()


def params_folder(root: Path, name: str) -> Path:
    """Where a root keeps the parameters of a sequence; archives differ in whether a folder stands between."""
    return sequence_folder(root, name, below=PARAMS_30FPS)


def _add_sequence(builder: ReleaseBuilder, folder: Path, kinects: Sequence[int]) -> None:
    name = folder.name
    if not folder.is_dir():
        _absent(builder, folder)
        return
    try:
        fit = read_fit(folder)
    except UnusableError as error:
        builder.skip(error.file, error.reason, str(error), 0)
        return
    found = sequence_facts(builder, folder, kinects, frames=len(fit.names))
    if found is None:
        return
    info, cameras = found
    _tell_unmatched(builder, folder, fit, len(cameras))
    if image_sequence(name) != name:
        builder.note(CONTINUED, name)
    clips = _clips(builder, name, cameras, len(fit.names))
    if not clips:
        return
    for record in _records(builder, name, fit, clips):
        builder.add(name, info.gender, info.object_name, record)


def _absent(builder: ReleaseBuilder, folder: Path) -> None:
    """Note a sequence without parameters, and whether it is known to have none."""
    try:
        object_name = parse_sequence(folder.name).object_name
    except ValueError as error:
        builder.skip(folder, "bad_sequence", str(error), 0)
        return
    if object_name in known_exceptions()[NOT_REGISTERED]["objects"]:
        builder.note(NOT_REGISTERED, folder.name)
        builder.skip(folder, "not_registered", f"no {object_name} was registered at 30 fps", 0)
    else:
        builder.skip(folder, "missing_sequence", "no such folder", 0)


def _tell_unmatched(builder: ReleaseBuilder, folder: Path, fit: SequenceFit, kinects: int) -> None:
    for file, times in fit.unmatched.items():
        if folder.name in known_exceptions()[MORE_BODIES]["extra"]:
            builder.note(MORE_BODIES, folder.name)
        detail = f"{len(times)} without a partner: {times[0]} to {times[-1]}"
        builder.skip(folder / file, "unmatched_times", detail, len(times) * kinects)
    for name, why in fit.broken.items():
        builder.skip(folder / f"smpl_fit_all.npz#{name}", "bad_parameters", why, kinects)


@dataclass(frozen=True)
class _Clip:
    """One Kinect's video of a sequence."""

    kinect: int
    camera: int
    file: str
    size: int
    seconds: np.ndarray


def _clips(builder: ReleaseBuilder, name: str, cameras: Mapping[int, int], lost: int) -> list[_Clip]:
    """The videos of a sequence; missing ones are noted."""
    clips = []
    images = image_sequence(name)
    for kinect, camera in cameras.items():
        file = f"{images}.{kinect}.color.mp4"
        places = [builder.root / "videos" / file, builder.root / "videos" / images[:6] / file]
        path = next((place for place in places if place.is_file()), places[0])
        try:
            seconds = frame_seconds(path)
            size = path.stat().st_size
        except (OSError, VideoError) as error:
            builder.skip(path, "missing_video", str(error), lost)
            continue
        clips.append(_Clip(kinect, camera, path.relative_to(builder.root).as_posix(), size, seconds))
    return clips


def _records(
    builder: ReleaseBuilder, name: str, fit: SequenceFit, clips: list[_Clip]
) -> Iterator[FrameRecord]:
    frames = extracted_frames(
        [clip.seconds for clip in clips], np.array([float(time[1:]) for time in fit.names])
    )
    folders = [builder.root / "masks" / part for part in dict.fromkeys((name, image_sequence(name)))]
    folder = next((place for place in folders if place.is_dir()), folders[0])
    sizes = file_sizes(folder)
    prefix = folder.relative_to(builder.root).as_posix()
    for row, time in enumerate(fit.names):
        views: dict[int, tuple[int, FileNames]] = {}
        listing = ""
        for clip, index in zip(clips, frames[row], strict=True):
            try:
                masks = _view_masks(folder, time, clip.kinect, sizes)
                if index < 0:
                    path = builder.root / clip.file
                    raise UnusableError(
                        path, "no_video_frame", f"none within {REACH * 1000:.0f} ms of {time}"
                    )
            except UnusableError as why:
                builder.skip(why.file, why.reason, str(why), 1)
                continue
            color = frame_file(clip.file, int(index))
            views[clip.kinect] = (clip.camera, (color, f"{prefix}/{masks[0]}", f"{prefix}/{masks[1]}"))
            listing += f"{color} {clip.size}\n" + "".join(f"{mask} {sizes[mask]}\n" for mask in masks)
        if views:
            yield FrameRecord(time, fit.parameters[row], views, listing)


def _view_masks(folder: Path, time: str, kinect: int, sizes: Mapping[str, int]) -> list[str]:
    """Names of a view's person and object masks."""
    return [
        first_present(folder, f"{time}-k{kinect}.", endings, sizes, missing, endings[0])
        for missing, endings in _MASKS
    ]
