"""The frames of a video as photographs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from rhobin.behave.video import Video, VideoError, frame_file
from rhobin.data.photos.exif import Exif
from rhobin.data.photos.photo import Photo, PhotoError


def open_clip(path: Path) -> Video:
    """A video.

    Raises:
        PhotoError: there is none, or OpenCV cannot decode it.
    """
    try:
        return Video(path)
    except VideoError as error:
        raise PhotoError(f"{error}; expected a whole video. Copy it again, or convert it to MP4") from error


def clip_frames(video: Video) -> Iterator[tuple[int, np.ndarray]]:
    """Number and pixels (H, W, 3) BGR uint8 of each frame, up to the first that cannot be decoded."""
    for index in range(video.frames):
        try:
            pixels = video.frame(index)
        except VideoError:
            return
        yield index, pixels


def frame_photo(video: Path, index: int, pixels: np.ndarray) -> Photo:
    """A frame as a photograph, which no EXIF describes."""
    return Photo(video.with_name(frame_file(video.name, index)), b"", pixels, Exif())
