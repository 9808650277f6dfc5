"""Which interaction is played with which object, how often, and what stays put while it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from rhobin.objects.template import Template
from rhobin.synthetic.interactions import carry, hold, hug, lift, sit, step, surface
from rhobin.synthetic.interactions.contact import Solved
from rhobin.synthetic.interactions.motion import Params
from rhobin.synthetic.people.figure import Figure

Solver = Callable[[Figure, Template, Params, tuple[float, ...]], Solved]
_ONE_WAY = (0.0,)


@dataclass(frozen=True)
class Interaction:
    """A way of using an object.

    Attributes:
        kind: the family it belongs to.
        solve: makes one frame.
        objects: yaw roles (degrees) by object name; see `grasp.canonical`.
        rests: the object stays where it is in the room while the person moves; else the person leads.
        unable: subjects who cannot do it, by object name.
    """

    kind: str
    solve: Solver
    objects: dict[str, tuple[float, ...]]
    rests: bool = False
    unable: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def _plain(*names: str) -> dict[str, tuple[float, ...]]:
    return dict.fromkeys(names, _ONE_WAY)


_BOXES = ("boxlarge", "boxlong", "boxmedium", "boxsmall", "boxtiny")

INTERACTIONS: dict[str, Interaction] = {
    "carry": Interaction(
        "carry",
        carry.solve,
        _plain(
            *_BOXES, "plasticcontainer", "stool", "suitcase", "tablesmall", "toolbox", "trashbin", "yogamat"
        )
        | _plain("backpack", "basketball", "keyboard")
        | {"monitor": (0.0, 180.0), "chairwood": (180.0,), "chairblack": (180.0,)},
    ),
    "hand": Interaction("hold", hold.by_handle, _plain("backpack", "suitcase", "toolbox")),
    "palm": Interaction("hold", hold.on_palm, _plain("basketball", "boxtiny", "boxsmall", "keyboard")),
    "use": Interaction("touch", hold.operate, _plain("keyboard", "boxtiny", "boxsmall", "basketball")),
    "hug": Interaction(
        "hug", hug.solve, _plain("yogaball", "boxmedium", "boxsmall", "backpack", "basketball", "trashbin")
    ),
    "lift": Interaction(
        "lift",
        lift.solve,
        _plain(*_BOXES, "plasticcontainer", "stool", "suitcase", "tablesmall", "toolbox", "trashbin")
        | {"chairwood": (180.0,), "chairblack": (180.0,)},
    ),
    "sit": Interaction(
        "sit",
        sit.solve,
        _plain("chairwood", "chairblack", "stool", "yogaball", "boxlarge", "tablesmall"),
        rests=True,
        unable={"yogaball": ("Sub07",)},  # her feet do not reach the floor
    ),
    "touch": Interaction(
        "touch",
        surface.touch,
        _plain("tablesquare", "tablesmall", "boxlarge", "stool", "yogaball", "monitor")
        | _plain("chairwood", "chairblack"),
        rests=True,
    ),
    "lean": Interaction(
        "lean",
        surface.lean,
        _plain("tablesquare", "suitcase", "chairwood", "chairblack", "yogaball"),
        rests=True,
    ),
    "push": Interaction(
        "push",
        surface.push,
        _plain("tablesquare", "tablesmall", "chairwood", "chairblack", "boxlarge", "yogaball"),
    ),
    "step": Interaction(
        "step",
        step.step,
        _plain("boxlarge", "boxmedium", "boxsmall", "boxlong", "stool", "tablesmall", "basketball")
        | _plain("plasticcontainer", "yogamat"),
        rests=True,
    ),
    "kick": Interaction("step", step.kick, _plain("basketball", "yogaball", "boxtiny", "trashbin")),
}
