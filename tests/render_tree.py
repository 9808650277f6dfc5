"""A small root of rendered objects."""

from pathlib import Path

from rhobin.synthetic.renders.build import build_renders, plan_renders
from rhobin.synthetic.renders.claim import RenderSettings

OBJECTS = ("boxtiny", "chairwood")


def make_renders(root: Path, count: int = 6, size: int = 64) -> Path:
    """Write `count` renders of each of two objects."""
    build_renders(plan_renders(root, RenderSettings(count=count, size=size), OBJECTS))
    return root
