"""Frames of videos, named as `clip.mp4#12`."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from rhobin.behave.numbers import as_floats
from rhobin.files import read_json

FPS = 30.0
FIRST_SECOND = 3.0
REACH = 1.5 / FPS
"""Seconds that a video frame may be off the time that it shows."""
_NEAR = 32
_OPEN = 8


class VideoError(ValueError):
    """A video that cannot be opened, or a frame that it does not give."""


def frame_file(video: str, index: int) -> str:
    """The name of a frame of a video: "clip.mp4#12"."""
    return f"{video}#{index}"


def split_frame(path: Path) -> tuple[Path, int] | None:
    """The video and the frame that a path names, None when it names a plain file."""
    name, mark, index = path.name.rpartition("#")
    return (path.with_name(name), int(index)) if mark and index.isdigit() else None


class Video:
    """A video that gives frames in any order, fastest in rising order.

    Attributes:
        path: the file.
        frames: number of frames that its header promises.
        fps: frames a second by its header; `FPS` where that tells none.
    """

    def __init__(self, path: Path):
        if not path.is_file():
            raise VideoError(f"no video at {path}")
        self.path = path
        self._capture = cv2.VideoCapture(str(path), cv2.CAP_ANY, [cv2.CAP_PROP_N_THREADS, 1])
        self.frames = int(self._capture.get(cv2.CAP_PROP_FRAME_COUNT))
        told = float(self._capture.get(cv2.CAP_PROP_FPS))
        self.fps = told if 0 < told < float("inf") else FPS
        self._next = 0
        if not self._capture.isOpened() or self.frames < 1:
            raise VideoError(f"{path} is truncated or not a video that OpenCV can decode")

    def frame(self, index: int) -> np.ndarray:
        """Frame `index` as (H, W, 3) BGR uint8.

        Raises:
            VideoError: there is no such frame, or it cannot be decoded.
        """
        if not 0 <= index < self.frames:
            raise VideoError(f"{self.path} has {self.frames} frames, frame {index} was asked for")
        if self._next <= index <= self._next + _NEAR:
            while self._next < index and self._capture.grab():
                self._next += 1
        else:
            self._capture.set(cv2.CAP_PROP_POS_FRAMES, index)
            self._next = index
        done, image = self._capture.read() if self._next == index else (False, None)
        if not done or image is None:
            self._next = -_NEAR - 1
            raise VideoError(f"{self.path}: frame {index} of {self.frames} cannot be decoded")
        self._next = index + 1
        return image

    def __iter__(self) -> Iterator[np.ndarray]:
        """All frames in order."""
        return (self.frame(index) for index in range(self.frames))

    def close(self) -> None:
        """Release the file."""
        self._capture.release()


_videos: OrderedDict[tuple[int, Path], Video] = OrderedDict()


def read_frame(path: Path, index: int) -> np.ndarray:
    """One frame of a video; the last few videos stay open in each process.

    Args:
        path: the video.
        index: number of the frame, from 0.

    Returns:
        (H, W, 3) BGR uint8.

    Raises:
        VideoError: the video or the frame cannot be read.
    """
    key = (os.getpid(), path)
    if key not in _videos:
        _videos[key] = Video(path)
        while len(_videos) > _OPEN:
            _videos.popitem(last=False)[1].close()
    _videos.move_to_end(key)
    return _videos[key].frame(index)


def frame_seconds(video: Path) -> np.ndarray:
    """When each frame of a Kinect's colour video was taken, seconds.

    Args:
        video: `<sequence>.<kinect>.color.mp4`; `<sequence>.<kinect>.time.json` beside it holds microseconds.

    Returns:
        (T,) seconds, never falling; without the file of times, 30 frames a second from second 3.

    Raises:
        VideoError: the video, or its file of times, cannot be read.
    """
    times = time_file(video)
    if times.is_file():
        try:
            seconds = as_floats(read_json(times)["color"]) / 1e6
        except (KeyError, TypeError, ValueError) as error:
            raise VideoError(f"{times}: expected microseconds under 'color': {error!r}") from error
        if seconds.ndim != 1 or not len(seconds) or not (np.diff(seconds) >= 0).all():
            raise VideoError(f"{times}: expected rising microseconds under 'color'")
        return seconds
    reader = Video(video)
    reader.close()
    return FIRST_SECOND + np.arange(reader.frames) / FPS


def nearest_frames(videos: Sequence[np.ndarray], wanted: np.ndarray) -> np.ndarray:
    """Which frame of each video shows a time.

    Of the Kinects' frames nearest to a time, the nearest of all gives the moment that all then show, as the
    release's own extraction of images chooses them.

    Args:
        videos: rising times of each video's frames, seconds.
        wanted: (T,) seconds.

    Returns:
        (T, videos) frame numbers; -1 where none is within `REACH`.
    """
    taken = np.stack([seconds[_closest(seconds, wanted)] for seconds in videos], axis=1)
    best = np.abs(taken - wanted[:, None]).argmin(axis=1)
    moment = taken[np.arange(len(wanted)), best]
    frames = np.stack([_closest(seconds, moment) for seconds in videos], axis=1)
    shown = np.stack([seconds[frames[:, i]] for i, seconds in enumerate(videos)], axis=1)
    return np.where(np.abs(shown - wanted[:, None]) <= REACH, frames, -1)


def extracted_frames(videos: Sequence[np.ndarray], wanted: np.ndarray) -> np.ndarray:
    """Which frame of each video the release's own extraction stores under a time.

    Its reader counts from the first frame that it is asked for, and is one short where that is not the first
    of the video (behave-dataset, `data/video_reader.py`): every later frame is then the one before the
    nearest. Masks and fits carry the times of images that were extracted so, from second 3 on.

    Args:
        videos: rising times of each video's frames, seconds.
        wanted: (T,) seconds.

    Returns:
        (T, videos) frame numbers; -1 where none is within `REACH` of the time.
    """
    taken = np.stack([seconds[_closest(seconds, np.array([FIRST_SECOND]))] for seconds in videos], axis=1)[0]
    begin = taken[[np.abs(taken - FIRST_SECOND).argmin()]]
    late = np.array([int(_closest(seconds, begin)[0] > 0) for seconds in videos])
    frames = nearest_frames(videos, wanted)
    return np.where(frames > 0, frames - late, frames)


def _closest(rising: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Index of the entry of a rising array nearest to each value."""
    after = np.searchsorted(rising, values).clip(0, len(rising) - 1)
    before = np.maximum(after - 1, 0)
    return np.where(np.abs(values - rising[before]) <= np.abs(rising[after] - values), before, after)


def time_file(video: Path) -> Path:
    """The file of frame times beside a Kinect's colour video."""
    return video.with_name(video.name.replace(".color.mp4", ".time.json"))
