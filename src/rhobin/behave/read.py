"""Reading the raw (1 fps) release into flat arrays: one row per frame, one row per view."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rhobin.behave.calibration import read_camera
from rhobin.behave.frames import FrameReader, FrameRecord
from rhobin.behave.layout import KINECTS, is_frame_name, parse_sequence, subject_gender
from rhobin.behave.skips import Skip
from rhobin.behave.splits import SPLITS, read_split
from rhobin.objects.load import load_templates
from rhobin.objects.names import OBJECT_NAMES
from rhobin.objects.template import Template
from rhobin.types import GENDERS, Camera


@dataclass(frozen=True)
class Frames:
    """Parameters of F frames in the world frame (kinect 1), metres and radians.

    Attributes:
        sequence: (F,) index into the release's sequences.
        name: (F,) frame folder names.
        pose: (F, 156) SMPL-H axis-angle, absolute hands.
        betas: (F, 10).
        trans: (F, 3).
        obj_angle: (F, 3) rotation vector, centred template to world.
        obj_trans: (F, 3).
        gender: (F,) index into `GENDERS`.
        object_id: (F,) index into the sorted object names.
    """

    sequence: np.ndarray
    name: np.ndarray
    pose: np.ndarray
    betas: np.ndarray
    trans: np.ndarray
    obj_angle: np.ndarray
    obj_trans: np.ndarray
    gender: np.ndarray
    object_id: np.ndarray


@dataclass(frozen=True)
class Views:
    """N images: which frame each shows, by which Kinect and camera, and its three files.

    Attributes:
        frame: (N,) row in `Frames`.
        kinect: (N,) Kinect number.
        camera: (N,) index into the release's cameras.
        files: (N, 3) file names of colour, person mask, object mask inside the frame folder.
    """

    frame: np.ndarray
    kinect: np.ndarray
    camera: np.ndarray
    files: np.ndarray


@dataclass(frozen=True)
class Release:
    """What one split of a release holds after reading.

    Attributes:
        root: dataset root.
        split: "train" or "test".
        sequences: names, in order.
        frames: parameters.
        views: images.
        cameras: calibrated cameras that `views.camera` points into.
        templates: object templates by name.
        skips: what was left out and why.
        data_hash: digest of parameters, calibration, templates, and names and sizes of all files read.
    """

    root: Path
    split: str
    sequences: list[str]
    frames: Frames
    views: Views
    cameras: list[Camera]
    templates: dict[str, Template]
    skips: list[Skip]
    data_hash: str

    def frame_dir(self, frame: int) -> Path:
        """Folder of a frame."""
        return (
            self.root
            / "sequences"
            / self.sequences[self.frames.sequence[frame]]
            / str(self.frames.name[frame])
        )

    def view_files(self, view: int) -> tuple[Path, Path, Path]:
        """Colour, person mask and object mask files of a view."""
        folder = self.frame_dir(int(self.views.frame[view]))
        color, person, thing = self.views.files[view]
        return folder / color, folder / person, folder / thing


def read_release(
    root: Path,
    split: str = "train",
    cameras: Sequence[int] = KINECTS,
    templates: Mapping[str, Template] | None = None,
) -> Release:
    """Read one split of a raw release.

    Images are not opened; broken ones show when a sample is made. Everything left out is listed in
    `skips`.

    Args:
        root: dataset root with `sequences/`, `calibs/`, `split.json`.
        split: "train" or "test".
        cameras: Kinects to use.
        templates: object templates; those of `objects/` by default.

    Raises:
        FileNotFoundError: when the root or the split file is missing; says how to get them.
        ValueError: when nothing at all could be read; lists the reasons.
    """
    root = Path(root)
    if split not in SPLITS:
        raise ValueError(f"unknown split {split!r}; expected one of {', '.join(SPLITS)}")
    names = read_split(root)[split]
    known = dict(load_templates(root / "objects") if templates is None else templates)
    builder = _Builder(root, tuple(cameras), set(known))
    for name in names:
        builder.add_sequence(name)
    if not builder.records:
        first = "; ".join(f"{s.file}: {s.detail}" for s in builder.skips[:3]) or "the split is empty"
        raise ValueError(f"{root}: no usable frame in the {split} split ({len(names)} sequences). {first}")
    return builder.release(split, known)


class _Builder:
    """Collects frames sequence by sequence, and what had to be skipped."""

    def __init__(self, root: Path, kinects: tuple[int, ...], objects: set[str]):
        self.root, self.kinects, self.objects = root, kinects, objects
        self.sequences: list[str] = []
        self.records: list[FrameRecord] = []
        self.rows: list[tuple[int, int, int]] = []
        self.cameras: list[Camera] = []
        self.camera_ids: dict[tuple[Path, Path, int], int] = {}
        self.skips: list[Skip] = []
        self.digest = hashlib.sha256()

    def skip(self, path: Path, reason: str, detail: str, views: int) -> None:
        self.skips.append(Skip(str(path.relative_to(self.root)), reason, detail, views))

    def add_sequence(self, name: str) -> None:
        folder = self.root / "sequences" / name
        if not folder.is_dir():
            self.skip(folder, "missing_sequence", "no such folder", 0)
            return
        frames = sorted(p.name for p in folder.iterdir() if is_frame_name(p.name))
        lost = len(frames) * len(self.kinects)
        try:
            info = read_info(folder)
        except ValueError as error:
            self.skip(folder / "info.json", "bad_sequence", str(error), lost)
            return
        if info.object_name not in self.objects:
            self.skip(folder, "unknown_object", f"object {info.object_name!r}", lost)
            return
        try:
            ids = [self.camera_id(info.config, info.intrinsic, kinect) for kinect in self.kinects]
        except (OSError, ValueError) as error:
            self.skip(folder, "bad_calibration", str(error), lost)
            return
        self.add_frames(folder, frames, info, ids)

    def add_frames(self, folder: Path, frames: list[str], info: SequenceInfo, ids: list[int]) -> None:
        reader = FrameReader(self.root, info.object_name, self.kinects, self.skips)
        sequence = len(self.sequences)
        self.sequences.append(folder.name)
        for frame in frames:
            record = reader.read(folder / frame)
            if record is None:
                continue
            record.sequence, record.gender = sequence, GENDERS.index(info.gender)
            record.object_id = OBJECT_NAMES.index(info.object_name)
            row = len(self.records)
            self.records.append(record)
            self.rows += [(row, kinect, ids[self.kinects.index(kinect)]) for kinect in record.views]
            self.digest.update(f"{folder.name}/{frame} {info.gender} {info.object_name}\n".encode())
            self.digest.update(record.parameters.tobytes())
            self.digest.update(record.listing.encode())

    def camera_id(self, config: Path, intrinsic: Path, kinect: int) -> int:
        key = (config, intrinsic, kinect)
        if key not in self.camera_ids:
            camera = read_camera(config, intrinsic, kinect)
            self.camera_ids[key] = len(self.cameras)
            self.cameras.append(camera)
            for array in (camera.K, camera.R, camera.t, np.array([camera.width, camera.height])):
                self.digest.update(np.ascontiguousarray(array).tobytes())
        return self.camera_ids[key]

    def release(self, split: str, templates: dict[str, Template]) -> Release:
        for name in sorted(templates):
            self.digest.update(f"{name} {templates[name].sha256}\n".encode())
        parameters = np.stack([record.parameters for record in self.records])
        pose, betas, trans, angle, shift = np.split(parameters, [156, 166, 169, 172], axis=1)
        frames = Frames(
            sequence=np.array([r.sequence for r in self.records], np.int32),
            name=np.array([r.name for r in self.records]),
            pose=pose,
            betas=betas,
            trans=trans,
            obj_angle=angle,
            obj_trans=shift,
            gender=np.array([r.gender for r in self.records], np.int64),
            object_id=np.array([r.object_id for r in self.records], np.int64),
        )
        rows = np.array(self.rows, np.int32).reshape(-1, 3)
        files = [self.records[frame].views[kinect] for frame, kinect, _ in self.rows]
        views = Views(rows[:, 0], rows[:, 1], rows[:, 2], np.array(files).reshape(-1, 3))
        return Release(
            self.root,
            split,
            self.sequences,
            frames,
            views,
            self.cameras,
            templates,
            self.skips,
            self.digest.hexdigest()[:16],
        )


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
    config = folder / info.get("config", f"../../calibs/{sequence.date}/config")
    intrinsic = folder / info.get("intrinsic", "../../calibs/intrinsics")
    return SequenceInfo(object_name, gender, config.resolve(), intrinsic.resolve())
