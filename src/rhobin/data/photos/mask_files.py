"""Masks of a photograph in files that people have: arrays (NPZ), COCO's JSON, VIA's JSON."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import numpy as np

from rhobin.data.images.crops import mask_box
from rhobin.data.images.decode import size_text
from rhobin.data.photos.chosen import MIN_SCORE, Box, FoundMask, boxes_text, in_box
from rhobin.data.photos.coco_names import PERSON, is_known, shows
from rhobin.data.photos.photo import Photo, PhotoError
from rhobin.data.photos.region_files import PARTS, read_regions
from rhobin.data.photos.regions import Region, RegionError

MASK_SUFFIXES = (".npz", ".json")
"""Files that `read_masks` reads."""


def read_masks(
    file: Path,
    photo: Photo,
    need: Collection[str] = PARTS,
    also: Collection[str] = (),
    box: Box | None = None,
    asked: str | None = None,
) -> dict[str, FoundMask]:
    """Masks of the person and the object of a photograph.

    Args:
        file: `.npz` with arrays `person` and `object`, or `.json` of COCO or VIA.
        photo: decoded.
        need: which of `PARTS` have to be there.
        also: which are taken where they are there.
        box: the person is the one that overlaps most with it; x, y, width, height.
        asked: name of the object, as BEHAVE or COCO calls it. A region whose name is no object of BEHAVE
            counts as it, too.

    Returns:
        A mask by part.

    Raises:
        PhotoError: the file cannot be used, a part is not there, or several regions may be meant.
    """
    try:
        regions = read_regions(file, photo)
        found = {}
        for part in PARTS:
            candidates = _persons(regions) if part == PERSON else _objects(regions, asked)
            if part in need and not candidates:
                raise RegionError(_missing(part, regions, photo, asked))
            if candidates and (part in need or part in also):
                region, pixels = _one(part, candidates, photo, box)
                found[part] = FoundMask(pixels, ", ".join(region.names), f"{region.where} of {file}")
        return found
    except RegionError as error:
        raise PhotoError(f"{file}: {error}") from error


def _persons(regions: list[Region]) -> list[Region]:
    return _sure([region for region in regions if PERSON in region.names])


def _objects(regions: list[Region], asked: str | None) -> list[Region]:
    """Those that may be the object: of the asked name, or else of names that mean nothing here."""
    others = [region for region in regions if PERSON not in region.names]
    if asked is None:
        return _sure(others)
    named = [region for region in others if any(shows(name, asked) for name in region.names)]
    return _sure(named or [region for region in others if not any(map(is_known, region.names))])


def _sure(regions: list[Region]) -> list[Region]:
    """Those that a detector is sure of; crowds only where there is nothing else."""
    kept = [region for region in regions if region.score >= MIN_SCORE]
    return [region for region in kept if not region.crowd] or kept


def _one(part: str, candidates: list[Region], photo: Photo, box: Box | None) -> tuple[Region, np.ndarray]:
    """The region that is meant, and its pixels, uint8 of 0 or 255."""
    masks = [np.ascontiguousarray(region.draw(photo.size), np.uint8) * np.uint8(255) for region in candidates]
    boxes = np.stack([mask_box(mask) for mask in masks])
    number = _number(part, candidates, boxes, box)
    if not boxes[number].any():
        raise RegionError(
            f"{candidates[number].where}: no pixel of {photo.file}, which is {size_text(photo.size)}, lies "
            f"in it; expected some where the {part} is. Draw them"
        )
    return candidates[number], masks[number]


def _number(part: str, candidates: list[Region], boxes: np.ndarray, box: Box | None) -> int:
    """Which of the candidates is meant."""
    if part == PERSON and box is not None:
        number = in_box(boxes, box)
        if number is None:
            raise RegionError(
                f"person: found {boxes_text(boxes)}, none of which overlaps with the box "
                f"{boxes_text([box])}; expected x, y, width, height of the person. Correct --box"
            )
        return number
    if len(candidates) > 1:
        raise RegionError(_several(part, candidates, boxes))
    return 0


def _several(part: str, candidates: list[Region], boxes: np.ndarray) -> str:
    if part == PERSON:
        return (
            f"person: found {len(candidates)}, in the boxes {boxes_text(boxes)}; expected one. Give the box "
            "of the one that is meant: --box X,Y,WIDTH,HEIGHT"
        )
    found = ", ".join(f"{', '.join(region.names)} ({region.where})" for region in candidates)
    return f"object: found {found}; expected one. Name it with --object NAME, or remove the others"


def _missing(part: str, regions: list[Region], photo: Photo, asked: str | None) -> str:
    unsure = {region.where: f" (score {region.score:.2f})" for region in regions if region.score < MIN_SCORE}
    found = ", ".join(f"{', '.join(region.names)}{unsure.get(region.where, '')}" for region in regions)
    wanted = PERSON if part == PERSON else asked or "an object"
    least = f" with a score of {MIN_SCORE} or more" if unsure else ""
    return (
        f"{part}: found {found or 'no region'} for {photo.file.name}; expected a region called "
        f"{wanted}{least}. Draw it, or call it so"
    )
