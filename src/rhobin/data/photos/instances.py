"""The person and the object of a photograph as Mask R-CNN finds them (`--masks auto`)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import nn

from rhobin.data.photos.chosen import MIN_SCORE, Box, FoundMask, boxes_text, in_box
from rhobin.data.photos.coco_names import COCO_OBJECTS, PERSON, shows
from rhobin.data.photos.mask_network import class_names
from rhobin.data.photos.photo import Photo, PhotoError
from rhobin.data.photos.region_files import PARTS
from rhobin.data.photos.regions import listing

LONGEST = 1333  # pixels: the network shrinks longer images to this; masks of all instances fit memory then
_INSIDE = 0.5  # torchvision's masks are probabilities
_TOUCHING = 1.0  # pixels between two things that touch
_BY_HAND = "Give masks with --mask FILE"


@dataclass(frozen=True)
class Instance:
    """A thing that the network found.

    Attributes:
        name: COCO's class.
        score: 0 to 1.
        box: (4,) x, y, width, height, pixels of the upright photograph.
        mask: (H, W) uint8 of 0 or 255, of the photograph's size.
    """

    name: str
    score: float
    box: np.ndarray
    mask: np.ndarray

    @property
    def weight(self) -> float:
        """Score times the pixels of its mask."""
        return self.score * np.count_nonzero(self.mask)


def find_instances(photo: Photo, network: nn.Module) -> list[Instance]:
    """What a Mask R-CNN finds in a photograph with a score of `MIN_SCORE` or more, the best first.

    Args:
        photo: decoded.
        network: of `mask_network`; it runs where its weights are.
    """
    scale = min(1.0, LONGEST / max(photo.size))
    size = [max(1, round(scale * side)) for side in photo.size]
    image = photo.pixels if scale == 1 else cv2.resize(photo.pixels, size, interpolation=cv2.INTER_AREA)
    colors = torch.from_numpy(np.ascontiguousarray(image[..., ::-1])).permute(2, 0, 1)
    with torch.inference_mode():
        found = network([colors.to(next(network.parameters()).device) / 255])[0]
    names, labels = class_names(), found["labels"].tolist()
    corners = found["boxes"].cpu().double().numpy() * np.tile(np.array(photo.size) / size, 2)
    boxes = np.hstack([corners[:, :2], corners[:, 2:] - corners[:, :2]])
    return [
        Instance(names[labels[i]], score, boxes[i], _whole(found["masks"][i, 0], photo))
        for i, score in enumerate(found["scores"].tolist())
        if score >= MIN_SCORE
    ]


def choose_masks(
    instances: list[Instance],
    photo: Photo,
    need: Collection[str] = PARTS,
    also: Collection[str] = (),
    box: Box | None = None,
    asked: str | None = None,
) -> dict[str, FoundMask]:
    """The person and the object among the instances of a photograph.

    The person is the one with the largest score times area. The object is the one that is nearest to that
    person; of several that touch, the one with the largest score times area.

    Args:
        instances: of `find_instances`.
        photo: in which they were found.
        need: which of `PARTS` have to be there.
        also: which are taken where they are there.
        box: the person is the one that overlaps most with it; x, y, width, height.
        asked: name of the object, as BEHAVE or COCO calls it; any object of BEHAVE by default.

    Returns:
        A mask by part.

    Raises:
        PhotoError: a part that is needed is not there.
    """
    shown = [one for one in instances if one.mask.any()]
    person = _person([one for one in shown if one.name == PERSON], photo, box)
    wanted = object_classes(asked)
    chosen = {PERSON: person, "object": _nearest([one for one in shown if one.name in wanted], person)}
    for part in need:
        if chosen[part] is None:
            raise PhotoError(_missing(part, instances, photo, asked))
    return {
        part: FoundMask(one.mask, one.name, f"{one.name} by Mask R-CNN, score {one.score:.2f}")
        for part, one in chosen.items()
        if one is not None and (part in need or part in also)
    }


def object_classes(asked: str | None) -> tuple[str, ...]:
    """COCO's classes that an object may be of: all that BEHAVE has, or those of the one that is asked for."""
    if asked is None:
        return tuple(COCO_OBJECTS)
    return tuple(name for name in class_names() if name != PERSON and shows(name, asked))


def _whole(mask: torch.Tensor, photo: Photo) -> np.ndarray:
    """A mask of probabilities at the photograph's size, uint8 of 0 or 255."""
    values = mask.float().cpu().numpy()
    if values.shape != photo.pixels.shape[:2]:
        values = cv2.resize(values, photo.size, interpolation=cv2.INTER_LINEAR)
    return (values > _INSIDE).astype(np.uint8) * np.uint8(255)


def _person(people: list[Instance], photo: Photo, box: Box | None) -> Instance | None:
    if box is None or not people:
        return max(people, key=lambda one: one.weight, default=None)
    number = in_box(np.stack([one.box for one in people]), box)
    if number is None:
        raise PhotoError(
            f"{photo.file}: Mask R-CNN finds people in the boxes {boxes_text(one.box for one in people)}, "
            f"none of which overlaps with the box {boxes_text([box])}; expected x, y, width, height of the "
            "person. Correct --box"
        )
    return people[number]


def _nearest(things: list[Instance], person: Instance | None) -> Instance | None:
    if person is None:
        return max(things, key=lambda one: one.weight, default=None)
    away = cv2.distanceTransform((person.mask == 0).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    gaps = [max(float(away[one.mask > 0].min()), _TOUCHING) for one in things]
    ranks = [(gap, -one.weight, number) for number, (gap, one) in enumerate(zip(gaps, things, strict=True))]
    return things[min(ranks)[2]] if ranks else None


def _missing(part: str, instances: list[Instance], photo: Photo, asked: str | None) -> str:
    found = listing([f"{one.name} {one.score:.2f}" for one in instances])
    wanted = (PERSON,) if part == PERSON else object_classes(asked)
    if not wanted:
        return (
            f"{photo.file}: Mask R-CNN knows no {asked}; expected an object of BEHAVE that COCO has a class "
            f"for: {', '.join(name for names in COCO_OBJECTS.values() for name in names)}. {_BY_HAND}"
        )
    return (
        f"{photo.file}: Mask R-CNN finds no {part} (found: {found}); expected one of {', '.join(wanted)} "
        f"with a score of {MIN_SCORE} or more. {_BY_HAND}"
    )
