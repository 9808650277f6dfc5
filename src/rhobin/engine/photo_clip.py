"""A trained network on a video whose frames have masks; frames without are gaps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

import numpy as np

from rhobin.behave.video import Video
from rhobin.data.photos.beside import frame_masks
from rhobin.data.photos.camera import photo_camera
from rhobin.data.photos.clip import clip_frames, frame_photo, open_clip
from rhobin.data.photos.photo import EmptyMaskError, PhotoError
from rhobin.data.photos.pointer import OPTIONS, PARTS, READ, Pointer, Told
from rhobin.engine.photo_images import Asked, found_pointer
from rhobin.engine.photo_network import PhotoNetwork
from rhobin.engine.photo_numbers import Arrays
from rhobin.engine.photo_smooth import smoothed, stretches
from rhobin.engine.photos import Shot, predict_shots, prepare_photo

Masks = tuple[dict[int, Path], dict[int, Path]]


@dataclass(frozen=True)
class ClipPrediction:
    """Person and object in the frames of a video.

    Attributes:
        file: the video.
        shot: its first predicted frame.
        network: that predicted.
        frames: (T,) numbers of the predicted frames, from 0, rising.
        arrays: (T, ...) by name, as of a photograph, without K, which all frames share.
        boxes: (T, 2, 4) of both masks, see `PhotoSource`.
        decoded: frames that could be decoded.
        promised: frames that the header promises.
        fps: frames a second.
        faults: a line for each frame whose masks cannot be used.
        notes: what the user should know.
        smooth: standard deviation of the smoother, frames; 0 where poses are as predicted.
    """

    file: Path
    shot: Shot
    network: PhotoNetwork
    frames: np.ndarray
    arrays: Arrays
    boxes: np.ndarray
    decoded: int
    promised: int
    fps: float
    faults: tuple[str, ...]
    notes: tuple[str, ...]
    smooth: float = 0.0

    @property
    def gaps(self) -> list[tuple[int, int]]:
        """First and last number of each stretch of decoded frames that were not predicted."""
        missing = np.setdiff1d(np.arange(self.decoded), self.frames)
        return [
            (int(missing[rows][0]), int(missing[rows][-1])) for rows in stretches(missing) if len(missing)
        ]

    @property
    def whole(self) -> bool:
        """Whether nothing went wrong: gaps are no mistake."""
        return self.decoded == self.promised and not self.faults


@dataclass
class _Reading:
    """What became known while a video was read."""

    decoded: int = 0
    first: Shot | None = None
    nothing: str = ""
    faults: list[str] = field(default_factory=list)
    notes: dict[str, None] = field(default_factory=dict)


def predict_clip(network: PhotoNetwork, file: Path, asked: Asked) -> ClipPrediction:
    """Predict the frames of a video that have all masks that the network needs.

    Args:
        network: an open run.
        file: the video.
        asked: what the user says of it; masks in folders.

    Raises:
        PhotoError: it is no video, it has no masks, or no frame of it can be predicted.
    """
    video, reading = open_clip(file), _Reading()
    masks = ({}, {}) if asked.finder else _masks(file, asked)
    rows: list[tuple[int, Arrays, np.ndarray]] = []
    for batch in _batches(_shots(network, video, asked, masks, reading), asked.batch):
        found = predict_shots(network, [shot for _, shot in batch])
        reading.first = reading.first or found[0].shot
        for (index, shot), one in zip(batch, found, strict=True):
            rows.append((index, one.arrays, shot.subject.source.boxes))
    video.close()
    if reading.first is None:
        first = reading.faults[0] if reading.faults else reading.nothing
        reason = f" ({first})" if first else ""
        raise PhotoError(
            f"{file}: none of its {reading.decoded} frames has a mask of each part that the network predicts"
            f"{reason}. Add masks named by the number of the frame, from 000000.png on"
        )
    frames, boxes = np.array([index for index, _, _ in rows]), np.stack([box for _, _, box in rows])
    names = [name for name in rows[0][1] if name != "K"]
    arrays = {name: np.stack([one[name] for _, one, _ in rows]) for name in names}
    if asked.smooth:
        arrays = smoothed(network, frames, arrays, asked.smooth, reading.first.gender)
    return ClipPrediction(
        file=file,
        shot=_in_words(reading.first, asked),
        network=network,
        frames=frames,
        arrays=arrays,
        boxes=boxes,
        decoded=reading.decoded,
        promised=video.frames,
        fps=video.fps,
        faults=tuple(reading.faults),
        notes=tuple(reading.notes),
        smooth=asked.smooth,
    )


def _shots(
    network: PhotoNetwork, video: Video, asked: Asked, masks: Masks, reading: _Reading
) -> Iterator[tuple[int, Shot]]:
    """Number and content of each frame whose masks can be used."""
    needed = [READ[part] for part in network.samples.reads.parts]
    for index, pixels in clip_frames(video):
        reading.decoded = index + 1
        if not asked.finder and any(
            name in needed and index not in masks[part] for part, name in enumerate(PARTS)
        ):
            continue
        photo = frame_photo(video.path, index, pixels)
        try:
            pointer = (
                found_pointer(asked.finder, photo)
                if asked.finder
                else Pointer(Told(mask=masks[0].get(index)), Told(mask=masks[1].get(index)))
            )
        except PhotoError as error:
            reading.nothing = reading.nothing or str(error)
            continue
        camera = photo_camera(photo, asked.K, asked.focal)
        try:
            shot = prepare_photo(network, photo, pointer, camera, asked.gender, asked.object_name)
        except EmptyMaskError:
            continue
        except (OSError, ValueError) as error:
            reading.faults.append(str(error))
            continue
        reading.notes |= dict.fromkeys(shot.subject.notes)
        yield index, shot


def _in_words(shot: Shot, asked: Asked) -> Shot:
    """A frame that speaks for all: its masks are told as the folder that they lie in."""
    if asked.finder:
        return shot
    places = dict(zip(PARTS, asked.masks, strict=True))
    how = {part: f"masks by frame in {places[part]}" for part in shot.subject.how}
    return replace(shot, subject=replace(shot.subject, how=how))


def _batches(shots: Iterator[tuple[int, Shot]], size: int) -> Iterator[list[tuple[int, Shot]]]:
    while batch := list(islice(shots, size)):
        yield batch


def _masks(file: Path, asked: Asked) -> Masks:
    """Masks of person and object by the number of the frame.

    Raises:
        PhotoError: a box is told, which is of one image, or a folder has none.
    """
    for part, name in enumerate(PARTS):
        if asked.boxes[part] is not None:
            mask, box = OPTIONS[name]
            raise PhotoError(
                f"{file}: {box} is of one image; a video needs a folder of masks, one a frame: "
                f"{file.stem}/000000.png. Give {mask} FOLDER"
            )
    person, obj = ({} if place is None else frame_masks(file, place) for place in asked.masks)
    return person, obj
