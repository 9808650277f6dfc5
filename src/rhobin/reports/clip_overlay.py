"""Pictures as a video that browsers and players open."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np


def write_clip(path: Path, pictures: Iterable[np.ndarray], fps: float) -> None:
    """Write an MP4 whole, or not at all.

    Args:
        path: of the file; its folder is made where it is missing.
        pictures: (h, w, 3) RGB uint8, all of one size of even numbers; at least one.
        fps: frames a second.

    Raises:
        OSError: OpenCV cannot write one here.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        part, writer = Path(folder) / path.name, None
        for picture in pictures:
            writer = writer or _writer(part, picture.shape[1::-1], fps)
            writer.write(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
        if writer is not None:
            writer.release()
            part.replace(path)


def _writer(path: Path, size: tuple[int, ...], fps: float) -> cv2.VideoWriter:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), fps, (size[0], size[1]))
    if not writer.isOpened():
        raise OSError(
            f"{path.name}: OpenCV has no writer of MP4 here; expected the codec mp4v. Install ffmpeg"
        )
    return writer
