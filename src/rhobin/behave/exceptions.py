"""What the published data are known to have wrong or special: `exceptions.toml` beside this file."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

NOT_REGISTERED = "not-registered-at-30fps"
CONTINUED = "continued-sequence"
MORE_BODIES = "more-bodies-than-objects"
OBJECT_FOLDER = "object-folder-by-class"
TEST_KINECT_ONLY = "test-is-kinect-1"
OTHER_DATASET = "other-dataset"
BROKEN_TEMPLATE = "template-08-broken"


@cache
def known_exceptions() -> dict[str, dict[str, Any]]:
    """Every known exception by name: the layouts it concerns, what it is, its source, and its data."""
    return tomllib.loads(files("rhobin.behave").joinpath("exceptions.toml").read_text("utf-8"))


def continuations(base: str) -> list[str]:
    """Sequences whose images lie in the sequence `base`."""
    table = known_exceptions()[CONTINUED]["images"]
    return [name for name, images in table.items() if images == base]


def image_sequence(name: str) -> str:
    """The sequence that holds the images of a 30-fps registration: itself, but for the known six."""
    return known_exceptions()[CONTINUED]["images"].get(name, name)
