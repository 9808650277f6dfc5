"""What the writers of all layouts share: pixels of any view, calibration, splits, annotations."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from rhobin.behave.layout import parse_sequence
from rhobin.behave.release import Release
from rhobin.behave.video import read_frame, split_frame
from rhobin.behave.writers.depth import copy_backgrounds, copy_tables
from rhobin.behave.writers.templates import write_templates
from rhobin.behave.writers.tree import COLOR_QUALITY, write_calibs, write_split
from rhobin.types import Camera

_MASK_THRESHOLD = 127


def read_image(file: Path, flag: int = cv2.IMREAD_COLOR) -> np.ndarray:
    """An image file or a frame of a video, (H, W, 3) BGR uint8, or (H, W) with `IMREAD_GRAYSCALE`.

    Raises:
        ValueError: it cannot be decoded; names the file.
    """
    frame = split_frame(file)
    if frame is not None:
        image = read_frame(*frame)
        return cv2.cvtColor(image, cv2.COLOR_BGR2GRAY) if flag == cv2.IMREAD_GRAYSCALE else image
    decoded = cv2.imread(str(file), flag | cv2.IMREAD_IGNORE_ORIENTATION)
    if decoded is None:
        raise ValueError(f"{file} is missing, truncated or not an image; repair it, or leave its view out")
    return decoded


def read_mask(file: Path) -> np.ndarray:
    """A mask as (H, W) uint8 of 0 and 255; one of 0 and 1 means the same."""
    grey = read_image(file, cv2.IMREAD_GRAYSCALE)
    level = 0 if grey.max() == 1 and grey.min() == 0 else _MASK_THRESHOLD
    return cv2.threshold(grey, level, 255, cv2.THRESH_BINARY)[1]


def copy_image(file: Path, target: Path) -> None:
    """Put an image at `target`: the same bytes where the kind of file is the same, else encoded anew."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if file.suffix == target.suffix:
        shutil.copyfile(file, target)
    else:
        write_image(target, read_image(file))


def write_image(target: Path, image: np.ndarray) -> None:
    """Encode an image by the ending of its name."""
    target.parent.mkdir(parents=True, exist_ok=True)
    options = [cv2.IMWRITE_JPEG_QUALITY, COLOR_QUALITY] if target.suffix == ".jpg" else []
    done, code = cv2.imencode(target.suffix, image, options)
    if not done:
        raise ValueError(f"{target}: cannot encode an image of shape {image.shape}")
    target.write_bytes(code.tobytes())


def views_by_frame(release: Release) -> Iterator[tuple[int, list[int]]]:
    """Each frame's row and the rows of its views."""
    order = np.argsort(release.views.frame, kind="stable")
    bounds = np.searchsorted(release.views.frame[order], np.arange(len(release.frames.name) + 1))
    for frame in range(len(release.frames.name)):
        yield frame, order[bounds[frame] : bounds[frame + 1]].tolist()


def sequence_rows(release: Release) -> Iterator[tuple[str, np.ndarray]]:
    """Each sequence's name and the rows of its frames."""
    for number, name in enumerate(release.sequences):
        yield name, np.flatnonzero(release.frames.sequence == number)


def write_common(out: Path, releases: Sequence[Release]) -> None:
    """Write `calibs/`, `objects/` and `split.json` as the raw release has them.

    The Kinects' tables (`pointcloud_table.npy`) and the empty rooms are copied where the source has them.
    """
    cameras: dict[str, dict[int, Camera]] = {}
    for release in releases:
        for view in np.unique(release.views.camera, return_index=True)[1]:
            _placed(cameras, release, int(view))
    write_templates(out, {name: t for release in releases for name, t in release.templates.items()})
    write_calibs(out, cameras)
    for root in {release.root for release in releases}:
        copy_tables(root, out)
        copy_backgrounds(root, out)
    names = {release.split: release.sequences for release in releases}
    write_split(out, names.get("train", []), names.get("test", []), names.get("val", []))


def _placed(cameras: dict[str, dict[int, Camera]], release: Release, view: int) -> None:
    sequence = release.sequences[release.frames.sequence[release.views.frame[view]]]
    group = cameras.setdefault(parse_sequence(sequence).date, {})
    group[int(release.views.kinect[view])] = release.cameras[release.views.camera[view]]
