"""Masks in folders: of a photograph by its name, of a video by the number of the frame."""

from __future__ import annotations

from pathlib import Path

from rhobin.data.photos.inputs import IMAGES
from rhobin.data.photos.photo import PhotoError


def mask_beside(image: Path, place: Path | None, needed: bool) -> Path | None:
    """The mask itself, or the one in a folder that has the image's name.

    Args:
        image: the photograph.
        place: a mask, or a folder of masks.
        needed: whether the network cannot do without.

    Raises:
        PhotoError: the folder has several, or none of a mask that is needed.
    """
    if place is None or not place.is_dir():
        return place
    found = sorted(
        file
        for file in place.iterdir()
        if file.stem == image.stem and file.suffix.lower() in IMAGES and not same_file(file, image)
    )
    if len(found) > 1 or (needed and not found):
        names = ", ".join(file.name for file in found) or "none"
        raise PhotoError(
            f"{image}: found {names} in {place}; expected one mask {image.stem}.png there. Add it"
        )
    return found[0] if found else None


def frame_masks(video: Path, place: Path) -> dict[int, Path]:
    """Masks of a video by the number of the frame, from 0: PLACE/VIDEO/000000.png, or PLACE/000000.png.

    Args:
        video: the video.
        place: folder of the masks.

    Raises:
        PhotoError: it is no folder, holds no such file, or two for one frame.
    """
    named = place / video.stem
    folder = named if named.is_dir() else place
    if not folder.is_dir():
        raise PhotoError(
            f"{video}: {place} is no folder; a video needs a folder of masks, one a frame: "
            f"{video.stem}/000000.png, {video.stem}/000001.png. Give the folder"
        )
    masks: dict[int, Path] = {}
    for file in sorted(folder.iterdir()):
        if not (file.suffix.lower() in IMAGES and file.stem.isdecimal()):
            continue
        if int(file.stem) in masks:
            raise PhotoError(f"{file}: {masks[int(file.stem)]} is of the same frame. Keep one of them")
        masks[int(file.stem)] = file
    if not masks:
        raise PhotoError(
            f"{video}: found no mask in {folder}; expected files named by the number of the frame, from "
            "000000.png on. Add them"
        )
    return masks


def same_file(one: Path, other: Path) -> bool:
    """Whether two names are of one file; a file that is missing is like no other."""
    return other.exists() and one.samefile(other)
