"""The twenty objects of BEHAVE; an object's id is its place in this tuple."""

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
