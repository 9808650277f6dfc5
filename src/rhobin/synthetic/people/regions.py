"""Named surface patches of a figure: palms, fingers, soles, seat, back, and what must stay out of what."""

from __future__ import annotations

import numpy as np

from rhobin.synthetic.people.figure import Figure
from rhobin.synthetic.people.pose import (
    ANKLE,
    BALL,
    COLLAR,
    ELBOW,
    FINGERS,
    HEAD,
    HIP,
    KNEE,
    NECK,
    THUMB,
    WRIST,
)

TRUNK = (0, 3, 6, 9, NECK, HEAD, *COLLAR)


def finger_chain(side: int, finger: int) -> tuple[int, int, int]:
    """The three joints of a finger."""
    first = FINGERS[side][finger]
    return first, first + 1, first + 2


def hand_joints(side: int) -> tuple[int, ...]:
    """The wrist and the fifteen finger joints of one hand."""
    return (WRIST[side], *range(FINGERS[side][0], FINGERS[side][0] + 15))


def prepare(figure: Figure) -> Figure:
    """Add every patch of this module to a figure."""
    n = figure.normals
    for side in (0, 1):
        hand = np.isin(figure.part, hand_joints(side))
        palm = _palm(figure, side)
        for name, mask in {
            "hand": hand,
            "palm": palm,
            "volar": hand & ~np.isin(figure.part, finger_chain(side, THUMB)) & (n[:, 1] < -0.4),
            "forearm": figure.part == ELBOW[side],
            "foot": _is(figure, ANKLE[side], BALL[side]),
            "sole": _is(figure, ANKLE[side], BALL[side]) & (n[:, 1] < -0.8),
            "leg": _is(figure, KNEE[side], ANKLE[side], BALL[side]),
            "toe": _is(figure, BALL[side]),
        }.items():
            figure.add_patch(f"{name}{side}", np.flatnonzero(mask))
        for finger in range(5):
            ids = np.flatnonzero(np.isin(figure.part, finger_chain(side, finger)))
            figure.add_patch(f"finger{side}{finger}", ids)
    trunk = _is(figure, *TRUNK)
    thighs = _is(figure, *HIP)
    figure.add_patch("under", np.flatnonzero((thighs | _is(figure, 0)) & _under(figure)))
    figure.add_patch("chest", np.flatnonzero(_is(figure, 3, 6, 9) & (n[:, 2] > 0.5)))
    figure.add_patch("back", np.flatnonzero(_is(figure, 3, 6, 9) & (n[:, 2] < -0.6)))
    figure.add_patch("core", np.flatnonzero(trunk | thighs | _is(figure, *KNEE, *ANKLE, *BALL)))
    figure.add_patch("lower", np.flatnonzero(_is(figure, *KNEE, *ANKLE, *BALL)))
    figure.add_patch("all", np.arange(len(figure.verts)))
    return figure


def _is(figure: Figure, *joints: int) -> np.ndarray:
    return np.isin(figure.part, joints)


def _palm(figure: Figure, side: int) -> np.ndarray:
    wrist, middle = figure.joints[WRIST[side]], figure.joints[FINGERS[side][1]]
    along = (figure.verts - wrist) @ (middle - wrist) / np.sum((middle - wrist) ** 2)
    hand = np.isin(figure.part, hand_joints(side)) & ~np.isin(figure.part, finger_chain(side, THUMB))
    return hand & (figure.normals[:, 1] < -0.6) & (along > 0.25) & (along < 1.25)


def _under(figure: Figure) -> np.ndarray:
    """Buttocks and the backs of the thighs: what a seat carries."""
    below = figure.verts[:, 1] < figure.joints[0, 1]
    return below & (figure.normals[:, 2] < -0.3) & (figure.verts[:, 1] > figure.joints[HIP[0], 1] - 0.22)
