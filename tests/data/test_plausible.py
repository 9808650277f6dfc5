"""Masks that are not those of what was fitted."""

import numpy as np
import pytest

from rhobin.data.images.plausible import mask_fault

K = np.array([[100.0, 0, 100], [0, 100, 100], [0, 0, 1]])
PERSON = np.array([[x, y, 2.0] for x in (-0.2, 0.2) for y in (-0.8, 0, 0.8)])  # pixels 90-110, 60-140
OBJECT = np.array([[x, y, 2.0] for x in (0.3, 0.9) for y in (0.2, 0.6)])  # pixels 115-145, 110-130
BOX, BOX_OF_THING = np.array([88.0, 58, 24, 84]), np.array([114.0, 109, 32, 22])


@pytest.mark.parametrize(
    "boxes",
    [
        (BOX, BOX_OF_THING),
        (np.array([88, 58, 24, 20]), BOX_OF_THING),  # only the head shows
        (np.array([108, 100, 3, 3]), BOX_OF_THING),  # next to nothing shows, near the object
        (BOX, np.array([140, 125, 2, 2])),
        (np.array([90, 60, 40, 90]), np.array([95, 60, 50, 80])),  # boxes of both nearly the same
    ],
)
def test_hidden_parts_are_no_fault(boxes):
    assert mask_fault(np.stack(boxes).astype(float), PERSON, OBJECT, K) is None


def test_exchanged_masks_and_those_of_another_image_are_told():
    assert mask_fault(np.stack([BOX_OF_THING, BOX]), PERSON, OBJECT, K) == (
        "person mask and object mask are exchanged"
    )
    away = np.stack([BOX, BOX_OF_THING]) - [80, 0, 0, 0]
    assert mask_fault(away, PERSON, OBJECT, K).startswith("neither mask is near")


def test_points_behind_the_camera_accuse_nobody():
    assert mask_fault(np.stack([BOX, BOX_OF_THING]), PERSON * [1, 1, -1], OBJECT, K) is None


def test_somebody_hidden_is_no_fault():
    """A mask may be empty, and both may: the whole frame can be shown nevertheless."""
    for boxes in ([BOX, 0 * BOX], [0 * BOX, BOX_OF_THING], [0 * BOX, 0 * BOX]):
        assert mask_fault(np.stack(boxes).astype(float), PERSON, OBJECT, K) is None
    away = np.stack([0 * BOX, [5, 5, 9, 9]]).astype(float)
    assert mask_fault(away, PERSON, OBJECT, K).startswith("neither mask is near")
