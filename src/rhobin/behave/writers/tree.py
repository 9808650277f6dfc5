"""Writing a tree that reads like the raw BEHAVE release: frames, sequence facts, calibration, splits.

Every file or folder appears under its final name only when it is complete.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np

from rhobin.behave.layout import (
    KINECTS,
    camera_file,
    intrinsics_file,
    object_dirs,
    object_fit_file,
    parse_sequence,
    person_fit_file,
    subject_gender,
)
from rhobin.behave.ply import write_ply
from rhobin.behave.writers.depth import write_depth
from rhobin.files import write_json
from rhobin.pickles.write import pickled, single
from rhobin.types import Camera

COLOR_QUALITY = 92
MASK_QUALITY = 95

Mesh = tuple[np.ndarray, np.ndarray]


class View(Protocol):
    """What one Kinect saw of a frame: BGR uint8 colour and boolean masks, all (H, W).

    `person_mask` and `object_mask` hold visible pixels, `person_full` and `object_full` the whole
    silhouettes as if nothing stood in front.
    """

    color: np.ndarray
    person_mask: np.ndarray
    object_mask: np.ndarray
    person_full: np.ndarray
    object_full: np.ndarray


def write_frame(
    frame_dir: Path,
    object_name: str,
    pose: np.ndarray,
    betas: np.ndarray,
    trans: np.ndarray,
    obj_angle: np.ndarray,
    obj_trans: np.ndarray,
    images: Mapping[int, View],
    body_mesh: Mesh | None = None,
    object_mesh: Mesh | None = None,
    depths: Mapping[int, np.ndarray] | None = None,
) -> None:
    """Write one frame folder; an existing folder of that name is replaced.

    Args:
        frame_dir: `sequences/<sequence>/t0003.000`.
        object_name: one of the 20 object names; decides the object folder's name.
        pose: (156,) SMPL-H axis-angle, absolute hands, root orientation in the world.
        betas: (10,) shape coefficients.
        trans: (3,) SMPL translation in the world (kinect 1), metres.
        obj_angle: (3,) object rotation vector, centred template to world.
        obj_trans: (3,) object translation in the world, metres.
        images: views by Kinect number.
        body_mesh: posed vertices (V, 3) in the world and faces (F, 3), written as `person_fit.ply`.
        object_mesh: the same of the object.
        depths: (H, W) metres by Kinect number, see `write_depth`.
    """
    frame_dir = Path(frame_dir)
    part = frame_dir.with_name(f".{frame_dir.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    object_dir = object_dirs(object_name)[0]
    person = {"pose": _vector(pose, 156), "betas": _vector(betas, 10), "trans": _vector(trans, 3)}
    placed = {"angle": _vector(obj_angle, 3), "trans": _vector(obj_trans, 3)}
    _dump(person_fit_file(part), person)
    _dump(object_fit_file(part, object_dir), placed)
    if body_mesh is not None:
        write_ply(person_fit_file(part, "ply"), *body_mesh)
    if object_mesh is not None:
        write_ply(object_fit_file(part, object_dir, "ply"), *object_mesh)
    for kinect, view in images.items():
        write_view(part, kinect, view)
    for kinect, depth in (depths or {}).items():
        write_depth(part, kinect, depth)
    shutil.rmtree(frame_dir, ignore_errors=True)
    part.rename(frame_dir)


def write_view(frame_dir: Path, kinect: int, view: View) -> None:
    """Write the JPEGs of one Kinect into an existing frame folder."""
    _write_jpeg(frame_dir / f"k{kinect}.color.jpg", view.color, COLOR_QUALITY)
    for name, mask in (
        ("person_mask", view.person_mask),
        ("obj_rend_mask", view.object_mask),
        ("person_full", view.person_full),
        ("obj_rend_full", view.object_full),
    ):
        grey = np.asarray(mask, bool).view(np.uint8) * np.uint8(255)
        _write_jpeg(frame_dir / f"k{kinect}.{name}.jpg", grey, MASK_QUALITY)


def write_info(
    sequence_dir: Path,
    object_name: str,
    gender: str | None = None,
    betas: np.ndarray | None = None,
    extra: Mapping[str, Any] | None = None,
) -> None:
    """Write a sequence's `info.json`; write it last, since it marks the sequence as complete.

    Args:
        sequence_dir: `sequences/<sequence>`.
        object_name: the object's name.
        gender: "male" or "female"; the subject's by default.
        betas: (10,) the subject's shape.
        extra: further keys, such as the seed that made a synthetic sequence.
    """
    sequence = parse_sequence(Path(sequence_dir).name)
    calibs = "../../calibs"
    info = {
        "config": f"{calibs}/{sequence.date}/config",
        "intrinsic": f"{calibs}/intrinsics",
        "empty": f"{calibs}/{sequence.date}/background",
        "cat": object_name,
        "gender": gender or subject_gender(sequence.subject),
        "kinects": list(KINECTS),
        "beta": None if betas is None else _vector(betas, 10).tolist(),
        **(extra or {}),
    }
    write_json(Path(sequence_dir) / "info.json", info)


def write_calibs(root: Path, cameras: Mapping[str, Sequence[Camera] | Mapping[int, Camera]]) -> None:
    """Write `calibs/`: extrinsics per date and Kinect, intrinsics per Kinect.

    Args:
        root: dataset root.
        cameras: the cameras of each date, all four in order or by Kinect; a Kinect has the same intrinsics on
            every date.

    Raises:
        ValueError: when a Kinect's intrinsics differ between dates.
    """
    lenses: dict[int, Camera] = {}
    for date, group in cameras.items():
        for kinect, camera in group.items() if isinstance(group, Mapping) else enumerate(group):
            known = lenses.setdefault(kinect, camera)
            if not np.array_equal(known.K, camera.K):
                raise ValueError(
                    f"kinect {kinect} has other intrinsics on {date}; BEHAVE keeps one file per Kinect"
                )
            placed = {"rotation": np.ravel(camera.R).tolist(), "translation": np.ravel(camera.t).tolist()}
            write_json(camera_file(root, date, kinect), placed)
    for kinect, camera in lenses.items():
        write_lens(root, kinect, camera)


def write_lens(root: Path, kinect: int, camera: Camera) -> None:
    """Write one Kinect's lens to `calibs/intrinsics`."""
    write_json(intrinsics_file(root, kinect), _calibration(camera))


def write_split(root: Path, train: Sequence[str], test: Sequence[str], val: Sequence[str] = ()) -> None:
    """Write `split.json`: names of the training and test sequences, and of validation where there are any."""
    own = {"val": list(val)} if val else {}
    write_json(Path(root) / "split.json", {"train": list(train), "test": list(test)} | own)


def _calibration(camera: Camera) -> dict[str, Any]:
    """One lens in the release's format; depth is registered to colour, so both are the same lens."""
    fx, fy, cx, cy = (float(camera.K[i]) for i in ((0, 0), (1, 1), (0, 2), (1, 2)))
    distortion = np.zeros(8) if camera.distortion is None else camera.distortion
    lens = {
        "fx": fx,
        "fy": fy,
        "cx": cx,
        "cy": cy,
        "width": camera.width,
        "height": camera.height,
        "opencv": [fx, fy, cx, cy, *distortion.tolist()],
    }
    same = {"rotation": np.eye(3).ravel().tolist(), "translation": [0.0, 0.0, 0.0]}
    return {"color": lens, "depth": lens, "color_to_depth": same, "depth_to_color": same}


def _vector(values: np.ndarray, length: int) -> np.ndarray:
    vector = np.array(values, dtype=np.float64).reshape(-1)
    if vector.shape != (length,):
        raise ValueError(f"expected {length} numbers, found {vector.size}")
    return vector


def _dump(path: Path, value: dict[str, np.ndarray]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pickled(single(value)))


def _write_jpeg(path: Path, image: np.ndarray, quality: int) -> None:
    done, code = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ValueError(f"{path}: cannot encode an image of shape {image.shape} and type {image.dtype}")
    path.write_bytes(code.tobytes())
