"""Photographs predicted in batches; one that cannot be used does not stop the others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rhobin.data.photos.beside import mask_beside
from rhobin.data.photos.camera import photo_camera
from rhobin.data.photos.finder import Finder
from rhobin.data.photos.photo import Photo, PhotoError, read_photo
from rhobin.data.photos.pointer import PARTS, READ, Box, Pointer, Told
from rhobin.engine.photo_files import write_photo
from rhobin.engine.photo_network import PhotoNetwork
from rhobin.engine.photos import PhotoPrediction, Shot, predict_shots, prepare_photo


@dataclass(frozen=True)
class Asked:
    """What a user says of all photographs of a call.

    Attributes:
        boxes: of person and object, for a call with one image; None for a mask, or for nothing.
        masks: files or folders of person and object.
        K: (3, 3) intrinsics, pixels; None where they are not told.
        focal: length, pixels; None where it is not told.
        gender: of the body model.
        object_name: of the template.
        batch: photographs that the network sees at once.
        smooth: standard deviation of the smoother of videos, frames; 0 for none.
        finder: finds the masks of a photograph, in place of `masks`; then the person's box, if any, chooses.
    """

    boxes: tuple[Box | None, Box | None] = (None, None)
    masks: tuple[Path | None, Path | None] = (None, None)
    K: np.ndarray | None = None
    focal: float | None = None
    gender: str | None = None
    object_name: str | None = None
    batch: int = 1
    smooth: float = 0.0
    finder: Finder | None = None

    def tells(self, part: int) -> bool:
        """Whether a part is pointed at."""
        return self.finder is not None or self.boxes[part] is not None or self.masks[part] is not None

    def pointer(self, photo: Photo, parts: Sequence[str]) -> Pointer:
        """Where person and object of a photograph are.

        Args:
            photo: decoded.
            parts: what the network predicts; of these the masks have to be there.
        """
        if self.finder is not None:
            return found_pointer(self.finder, photo)
        needed = [READ[part] for part in parts]
        person, obj = (
            Told(self.boxes[part], mask_beside(photo.file, self.masks[part], name in needed))
            for part, name in enumerate(PARTS)
        )
        return Pointer(person, obj)


def found_pointer(finder: Finder, photo: Photo) -> Pointer:
    """Where person and object are, by masks that were found."""
    masks = finder(photo)
    person, obj = (
        Told(mask=masks[name].pixels, name=masks[name].how) if name in masks else Told() for name in PARTS
    )
    return Pointer(person, obj)


@dataclass(frozen=True)
class Outcome:
    """What became of a photograph: a prediction, whose files are written, or an error."""

    file: Path
    found: PhotoPrediction | None = None
    error: Exception | None = None


def predict_images(
    network: PhotoNetwork, images: Sequence[Path], asked: Asked, out: Path
) -> Iterator[Outcome]:
    """Predict photographs and write their files.

    Args:
        network: an open run.
        images: files.
        asked: what the user says of them.
        out: folder of the files.

    Yields:
        What became of each, those of a batch together; errors as soon as they are known.
    """
    claimed: dict[str, Path] = {}
    waiting: list[Shot] = []
    for image in images:
        try:
            _require_own_name(image, claimed)
            photo = read_photo(image)
            pointer = asked.pointer(photo, network.samples.reads.parts)
            camera = photo_camera(photo, asked.K, asked.focal)
            waiting.append(prepare_photo(network, photo, pointer, camera, asked.gender, asked.object_name))
            claimed[image.stem] = image
        except (OSError, ValueError) as error:
            yield Outcome(image, error=error)
        if len(waiting) == asked.batch:
            yield from _written(network, waiting, out)
            waiting = []
    if waiting:
        yield from _written(network, waiting, out)


def _written(network: PhotoNetwork, shots: Sequence[Shot], out: Path) -> Iterator[Outcome]:
    for found in predict_shots(network, shots):
        file = found.shot.photo.file
        try:
            write_photo(out, file.stem, found)
        except OSError as error:
            yield Outcome(file, error=error)
        else:
            yield Outcome(file, found)


def _require_own_name(image: Path, claimed: dict[str, Path]) -> None:
    if image.stem in claimed:
        raise PhotoError(
            f"{image}: {claimed[image.stem]} has the same name, and its files are {image.stem}.*; expected "
            "different names. Predict it in another call with --out FOLDER"
        )
