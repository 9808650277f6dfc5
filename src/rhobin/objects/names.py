"""The twenty objects of BEHAVE, and how an object's id names it."""

from collections.abc import Iterable

OBJECT_NAMES = (
    "backpack",
    "basketball",
    "boxlarge",
    "boxlong",
    "boxmedium",
    "boxsmall",
    "boxtiny",
    "chairblack",
    "chairwood",
    "keyboard",
    "monitor",
    "plasticcontainer",
    "stool",
    "suitcase",
    "tablesmall",
    "tablesquare",
    "toolbox",
    "trashbin",
    "yogaball",
    "yogamat",
)


def names_by_id(templates: Iterable[str]) -> tuple[str, ...]:
    """Names that object ids point into.

    Args:
        templates: names of the templates of a data set.

    Returns:
        `OBJECT_NAMES` where all templates are BEHAVE's, however many of them there are; otherwise (InterCap)
        the templates' own names, sorted.
    """
    names = tuple(sorted(templates))
    return OBJECT_NAMES if set(names) <= set(OBJECT_NAMES) else names
