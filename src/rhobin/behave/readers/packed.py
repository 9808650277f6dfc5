"""VisTracker's `<sequence>_GT-packed.pkl`: parameters and detections of whole sequences at 30 fps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rhobin.behave.builder import FileNames, FrameRecord, ReleaseBuilder
from rhobin.behave.layout import file_sizes, sequence_folder
from rhobin.behave.numbers import as_floats
from rhobin.behave.readers.frames import UnusableError, view_names
from rhobin.behave.readers.joblib_files import load_joblib
from rhobin.behave.readers.raw import sequence_facts
from rhobin.behave.release import Release
from rhobin.behave.root_templates import root_templates
from rhobin.behave.splits import read_split
from rhobin.objects.template import Template
from rhobin.pickles import BrokenFileError, UnsafePickleError

ENDING = "_GT-packed.pkl"
_FITS = {"poses": (156,), "betas": (10,), "trans": (3,), "obj_angles": (3,), "obj_trans": (3,)}


@dataclass(frozen=True)
class PackedSequence:
    """T frames of a sequence, in the frame of kinect 1.

    Attributes:
        frames: T frame names.
        poses: (T, 156) SMPL-H axis-angle: ground truth, smoothed, other than the 1-fps fits.
        betas: (T, 10).
        trans: (T, 3) metres.
        obj_angles: (T, 3) rotation vectors.
        obj_trans: (T, 3) metres.
        joints2d: (T, K, 25, 3) OpenPose's body joints by Kinect: detections; None where the file has none.
        mocap_poses: (T, K, 72) FrankMocap's poses by Kinect, each in its own camera's frame: a baseline's
            input, not ground truth; None where the file has none.
        mocap_betas: (T, K, 10) FrankMocap's shapes; None likewise.
    """

    frames: list[str]
    poses: np.ndarray
    betas: np.ndarray
    trans: np.ndarray
    obj_angles: np.ndarray
    obj_trans: np.ndarray
    joints2d: np.ndarray | None
    mocap_poses: np.ndarray | None
    mocap_betas: np.ndarray | None


def read_packed(path: Path) -> PackedSequence:
    """Read one packed sequence; nothing stored in it is run.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is damaged, unsafe, lacks a key, or its arrays differ in length; the message names it.
    """
    content = load_joblib(path)
    if not isinstance(content, dict) or "frames" not in content:
        found = ", ".join(sorted(map(str, content))) if isinstance(content, dict) else type(content).__name__
        raise ValueError(f"{path}: expected frames, {', '.join(_FITS)}; found {found}")
    if not isinstance(content["frames"], list | tuple | np.ndarray):
        found = type(content["frames"]).__name__
        raise ValueError(f"{path}: expected a list of frame names under frames, found {found}")
    frames = [str(frame) for frame in content["frames"]]
    if len(set(frames)) != len(frames):
        raise ValueError(f"{path}: a frame is listed twice")
    fits = {key: _array(path, content, key, len(frames), shape) for key, shape in _FITS.items()}
    joints2d = _detections(path, content, "joints2d", len(frames), (25, 3))
    mocap_poses = _detections(path, content, "mocap_poses", len(frames), (72,))
    mocap_betas = _detections(path, content, "mocap_betas", len(frames), (10,))
    return PackedSequence(frames, **fits, joints2d=joints2d, mocap_poses=mocap_poses, mocap_betas=mocap_betas)


def read_packed_release(
    root: Path,
    packs: Path,
    split: str,
    kinects: Sequence[int],
    templates: Mapping[str, Template] | None = None,
) -> Release:
    """Read packed parameters with the images that belong to them.

    Args:
        root: a tree in the layout of the raw release, with the frames that were extracted from the videos and
            masks renamed beside them, as VisTracker's readme does; its fits are not read.
        packs: folder of the packed files.
        split: "train" or "test".
        kinects: Kinects to use.
        templates: object templates; the root's own by default.

    Returns:
        A release; frames whose parameters are not finite, whose images are missing, or of a sequence without
        a packed file are in its skips.
    """
    known = root_templates(root) if templates is None else templates
    builder = ReleaseBuilder(root, split, "30fps", known)
    for name in read_split(root).get(split, []):
        _add_sequence(builder, packs / f"{name}{ENDING}", name, kinects)
    return builder.release()


def _add_sequence(builder: ReleaseBuilder, path: Path, name: str, kinects: Sequence[int]) -> None:
    folder = sequence_folder(builder.root, name)
    if not folder.is_dir():
        builder.skip(folder, "missing_sequence", "no such folder", 0)
        return
    try:
        packed = read_packed(path)
    except (OSError, ValueError) as error:
        builder.skip(folder, _reason(error), str(error), 0)
        return
    found = sequence_facts(builder, folder, kinects, frames=len(packed.frames))
    if found is None:
        return
    info, cameras = found
    parameters = np.concatenate([getattr(packed, key) for key in _FITS], axis=1)
    for frame, row in zip(packed.frames, parameters, strict=True):
        place = folder / frame
        if not np.isfinite(row).all():
            detail = f"{path}: parameters of {frame} are not finite"
            builder.skip(place, "bad_parameters", detail, len(cameras))
            continue
        views, listing = _views(builder, place, cameras)
        if views:
            builder.add(name, info.gender, info.object_name, FrameRecord(frame, row, views, listing))


def _views(
    builder: ReleaseBuilder, folder: Path, cameras: Mapping[int, int]
) -> tuple[dict[int, tuple[int, FileNames]], str]:
    """Usable views of a frame folder, and the names and sizes of their files."""
    sizes = file_sizes(folder)
    views: dict[int, tuple[int, FileNames]] = {}
    listing, prefix = "", folder.relative_to(builder.root).as_posix()
    for kinect, camera in cameras.items():
        try:
            names = view_names(folder, kinect, sizes)
        except UnusableError as why:
            builder.skip(why.file, why.reason, str(why), 1)
            continue
        color, person, obj = (f"{prefix}/{name}" for name in names)
        views[kinect] = (camera, (color, person, obj))
        listing += "".join(f"{name} {sizes[name]}\n" for name in names)
    return views, listing


def _reason(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "missing_sequence"
    if isinstance(error, UnsafePickleError):
        return "unsafe_pickle"
    return "broken_pickle" if isinstance(error, BrokenFileError) else "bad_parameters"


def _detections(
    path: Path, content: Mapping, key: str, length: int, shape: tuple[int, ...]
) -> np.ndarray | None:
    """Arrays (T, K, ...) of any number K of Kinects, None where the file has none."""
    if content.get(key) is None:
        return None
    return _array(path, content, key, length, (*np.shape(content[key])[1:2], *shape))


def _array(path: Path, content: Mapping, key: str, length: int, shape: tuple[int, ...]) -> np.ndarray:
    expected = (length, *shape)
    try:
        array = as_floats(content[key])
    except (KeyError, ValueError) as error:
        raise ValueError(f"{path}: expected {key} of shape {expected}: {error!r}") from error
    if array.shape != expected:
        raise ValueError(f"{path}: expected {key} of shape {expected}, found {array.shape}")
    return array
