"""What COCO calls people and the objects of BEHAVE."""

from __future__ import annotations

from rhobin.objects.names import OBJECT_NAMES

PERSON = "person"

COCO_OBJECTS = {
    "backpack": ("backpack",),
    "suitcase": ("suitcase",),
    "sports ball": ("basketball", "yogaball"),
    "chair": ("chairblack", "chairwood"),
    "dining table": ("tablesmall", "tablesquare"),
    "tv": ("monitor",),
    "keyboard": ("keyboard",),
}
"""Names of COCO's classes, and which objects of BEHAVE are of that class. The other objects have none."""

COCO_IDS = {
    1: PERSON,
    27: "backpack",
    33: "suitcase",
    37: "sports ball",
    62: "chair",
    67: "dining table",
    72: "tv",
    76: "keyboard",
}
"""COCO's own category ids of these classes, for lists of results that come without their categories."""

_KNOWN = {*COCO_OBJECTS, *OBJECT_NAMES}


def shows(name: str, asked: str) -> bool:
    """Whether a thing of this name can be the object that is asked for: the same name, or its COCO class."""
    return name == asked.lower() or asked.lower() in COCO_OBJECTS.get(name, ())


def is_known(name: str) -> bool:
    """Whether a name is an object of BEHAVE or the COCO class of one, so that it stands for no other."""
    return name in _KNOWN
