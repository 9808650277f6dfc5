"""Photographs that scikit-image ships, which anybody may use, and masks of them that were drawn by hand."""

from importlib.util import find_spec
from pathlib import Path

import pytest

MASKS = {
    "astronaut": Path(__file__).parent / "photographs" / "astronaut_via.json",  # NASA, public domain
    "camera": Path(__file__).parent / "photographs" / "camera_coco.json",  # CC0, by Lav Varshney
}
"""Files of masks by the name of the photograph: a person, and a helmet or a camera on its tripod."""


def photograph(name):
    """The file of a photograph, 512 x 512; skips the test where scikit-image is not installed."""
    spec = find_spec("skimage")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("scikit-image is not installed")
    return Path(spec.submodule_search_locations[0]) / "data" / f"{name}.png"
