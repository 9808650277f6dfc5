"""The built-in templates: BEHAVE's twenty objects at real sizes."""

from collections.abc import Callable
from functools import cache

import numpy as np
from jaxtyping import Float, Integer, UInt8

from rhobin.objects import boxes, desk, furniture, luggage, rounds
from rhobin.objects.assemble import Design, Part, assemble, colors_at
from rhobin.objects.names import OBJECT_NAMES
from rhobin.objects.template import Template

DESIGNS: dict[str, Callable[[], Design]] = {
    "backpack": luggage.backpack,
    "basketball": rounds.basketball,
    "boxlarge": boxes.boxlarge,
    "boxlong": boxes.boxlong,
    "boxmedium": boxes.boxmedium,
    "boxsmall": boxes.boxsmall,
    "boxtiny": boxes.boxtiny,
    "chairblack": furniture.chairblack,
    "chairwood": furniture.chairwood,
    "keyboard": desk.keyboard,
    "monitor": desk.monitor,
    "plasticcontainer": boxes.plasticcontainer,
    "stool": furniture.stool,
    "suitcase": luggage.suitcase,
    "tablesmall": furniture.tablesmall,
    "tablesquare": furniture.tablesquare,
    "toolbox": luggage.toolbox,
    "trashbin": rounds.trashbin,
    "yogaball": rounds.yogaball,
    "yogamat": rounds.yogamat,
}


@cache
def built_in(name: str) -> Template:
    """The built-in template of one object; the same instance at every call.

    Raises:
        ValueError: no such object.
    """
    if name not in DESIGNS:
        raise ValueError(f"unknown object {name!r}; the objects are {', '.join(OBJECT_NAMES)}")
    return assemble(name, DESIGNS[name]())


def surface_colors(
    name: str, face_ids: Integer[np.ndarray, " N"], points: Float[np.ndarray, "N 3"]
) -> UInt8[np.ndarray, "N 3"]:
    """Colours of surface points of a built-in object, crisper than its triangles' colours.

    Args:
        name: the object.
        face_ids: (N,) triangles that the points lie on.
        points: (N, 3) in the template's frame, metres.

    Returns:
        (N, 3) RGB.

    Raises:
        ValueError: no such object.
    """
    return colors_at(_parts(name), built_in(name), face_ids, points)


@cache
def _parts(name: str) -> list[Part]:
    return DESIGNS[name]().parts
