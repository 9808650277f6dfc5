"""Writing the 30-fps layout: parameters of whole sequences, a video a Kinect, flat masks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from rhobin.behave.detect import PARAMS_30FPS
from rhobin.behave.exceptions import NOT_REGISTERED, known_exceptions
from rhobin.behave.readers.fits30 import OBJECT_FILE, SMPL_FILE
from rhobin.behave.release import Release
from rhobin.behave.video import FPS, time_file
from rhobin.behave.writers.files import read_image, read_mask, sequence_rows, write_common, write_image
from rhobin.behave.writers.tree import write_info
from rhobin.files import write_json
from rhobin.objects.names import names_by_id
from rhobin.pickles.write import single
from rhobin.types import GENDERS


def write_30fps(out: Path, releases: Sequence[Release]) -> None:
    """Write the 30-fps layout; as in the release, objects that were never registered are left out.

    Videos hold the frames that there are, and their files of times say when each was taken.
    """
    write_common(out, releases)
    missing = known_exceptions()[NOT_REGISTERED]["objects"]
    for release in releases:
        names = names_by_id(release.templates)
        for name, rows in sequence_rows(release):
            object_name = names[release.frames.object_id[rows[0]]]
            if object_name not in missing:
                _write_parameters(out / PARAMS_30FPS / name, release, rows, object_name)
                _write_images(out, release, name, rows)


def _write_parameters(folder: Path, release: Release, rows: np.ndarray, object_name: str) -> None:
    frames = release.frames
    folder.mkdir(parents=True)
    times, gender = frames.name[rows], GENDERS[frames.gender[rows[0]]]
    person = {"poses": frames.pose[rows], "betas": frames.betas[rows], "trans": frames.trans[rows]}
    placed = {"angles": frames.obj_angle[rows], "trans": frames.obj_trans[rows]}
    np.savez(folder / SMPL_FILE, **single(person), gender=gender, frame_times=times)
    np.savez(folder / OBJECT_FILE, **single(placed), frame_times=times)
    write_info(folder, object_name, gender, frames.betas[rows[0]])


def _write_images(out: Path, release: Release, name: str, rows: np.ndarray) -> None:
    frames, views = release.frames, release.views
    shown = np.flatnonzero(np.isin(views.frame, rows))
    masks = out / "masks" / name
    for kinect in np.unique(views.kinect[shown]):
        own = [int(view) for view in shown if views.kinect[view] == kinect]
        names = [str(frames.name[views.frame[view]]) for view in own]
        video = out / "videos" / f"{name}.{kinect}.color.mp4"
        write_video(video, [release.complete_files(view)[0] for view in own])
        write_json(time_file(video), {"color": [round(float(time[1:]) * 1e6) for time in names]})
        for view, time in zip(own, names, strict=True):
            _, person, obj = release.complete_files(view)
            write_image(masks / f"{time}-k{kinect}.person_mask.png", read_mask(person))
            write_image(masks / f"{time}-k{kinect}.obj_rend_mask.png", read_mask(obj))


def write_video(path: Path, images: Sequence[Path]) -> None:
    """Write images of one size as an MPEG-4 video of 30 frames a second.

    Raises:
        ValueError: an image cannot be read or has another size, or this OpenCV writes no such video.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    size = read_image(images[0]).shape[1::-1]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), FPS, size)
    if not writer.isOpened():
        raise ValueError(f"{path}: this OpenCV cannot write MPEG-4; install opencv-python-headless")
    try:
        for file in images:
            image = read_image(file)
            if image.shape[1::-1] != size:
                raise ValueError(f"{file} is not {size[0]}x{size[1]}, as the others of its video are")
            writer.write(image)
    finally:
        writer.release()
