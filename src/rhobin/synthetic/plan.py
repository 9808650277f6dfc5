"""Which sequences a dataset holds: names, people, objects, actions, days, the split."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from rhobin.objects.names import OBJECT_NAMES
from rhobin.synthetic.interactions.table import INTERACTIONS

Size = Literal["tiny", "demo", "long"]

TEST_DATE = "Date03"
TEST_SUBJECTS = ("Sub03", "Sub04", "Sub05")  # Sub03 is never seen in training, as in BEHAVE
TRAIN_DATES = ("Date01", "Date02", "Date04", "Date05", "Date06", "Date07")
TRAIN_SUBJECTS = ("Sub01", "Sub02", "Sub04", "Sub05", "Sub06", "Sub07", "Sub08")


@dataclass(frozen=True)
class SequencePlan:
    """One sequence to be generated.

    Attributes:
        name: ``DateXX_SubYY_object_action``, unique in its dataset.
        seed: everything random about the sequence follows from it.
        subject: ``Sub01`` to ``Sub08``.
        object_name: one of the 20 names.
        action: a key of `rhobin.synthetic.interactions.table.INTERACTIONS`.
        n_frames: how many frames, one second apart.
        date: ``Date01`` to ``Date07``: the room and the camera set-up.
        split: ``train`` or ``test``.
    """

    name: str
    seed: int
    subject: str
    object_name: str
    action: str
    n_frames: int
    date: str
    split: Literal["train", "test"]


@dataclass(frozen=True)
class _Counts:
    train: int
    test: int
    frames: int


_SIZES: dict[str, _Counts] = {
    "tiny": _Counts(train=4, test=2, frames=2),
    "demo": _Counts(train=92, test=24, frames=8),
    "long": _Counts(train=950, test=40, frames=8),
}


def plan_dataset(size: Size, seed: int = 0, frames: int | None = None) -> list[SequencePlan]:
    """The sequences of a dataset: training first, then test.

    Objects take turns, and so do the actions of each object, so that every prefix is balanced. The test
    split is the room `TEST_DATE` alone, with `TEST_SUBJECTS`.

    Args:
        size: ``tiny`` (for tests), ``demo`` or ``long``.
        seed: of the whole dataset.
        frames: frames a sequence, the size's own number by default.

    Raises:
        ValueError: unknown size or a frame count below one.
    """
    if size not in _SIZES:
        raise ValueError(f"unknown size {size!r}; expected one of {', '.join(_SIZES)}")
    if frames is not None and frames < 1:
        raise ValueError(f"a sequence needs at least one frame, got {frames}")
    counts = _SIZES[size]
    n = counts.frames if frames is None else frames
    train = _split("train", counts.train, n, TRAIN_DATES, TRAIN_SUBJECTS, seed)
    return train + _split("test", counts.test, n, (TEST_DATE,), TEST_SUBJECTS, seed)


def _split(
    split: Literal["train", "test"],
    count: int,
    frames: int,
    dates: tuple[str, ...],
    subjects: tuple[str, ...],
    seed: int,
) -> list[SequencePlan]:
    rng = np.random.default_rng([seed, 0 if split == "train" else 1])
    turns = {name: rng.permutation(actions_of(name)).tolist() for name in OBJECT_NAMES}
    order = rng.permutation(OBJECT_NAMES).tolist()
    plans: list[SequencePlan] = []
    used: dict[str, int] = {}
    for i in range(count):
        name = order[i % len(order)]
        action = turns[name][i // len(order) % len(turns[name])]
        subject, date = _able(str(rng.choice(subjects)), subjects, name, action), str(rng.choice(dates))
        stem = f"{date}_{subject}_{name}_{action}"
        used[stem] = used.get(stem, 0) + 1
        label = stem if used[stem] == 1 else f"{stem}{used[stem]}"
        own = int(rng.integers(2**31))
        plans.append(SequencePlan(label, own, subject, name, action, frames, date, split))
    return plans


def _able(subject: str, subjects: tuple[str, ...], object_name: str, action: str) -> str:
    """The subject, or the next one who can do the action with the object."""
    unable = INTERACTIONS[action].unable.get(object_name, ())
    turn = subjects.index(subject)
    return next(name for name in subjects[turn:] + subjects[:turn] if name not in unable)


def actions_of(object_name: str) -> list[str]:
    """The actions that are played with an object."""
    return [action for action, entry in INTERACTIONS.items() if object_name in entry.objects]
