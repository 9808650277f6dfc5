"""Which sequences a dataset holds: names, people, objects, actions, days, the split."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from rhobin.behave.layout import KINECTS, TEST_KINECT
from rhobin.objects.names import OBJECT_NAMES
from rhobin.synthetic.interactions.table import INTERACTIONS

Size = Literal["tiny", "demo", "long", "bench", "bench_long", "bench_occluded"]
Split = Literal["train", "val", "test"]

TEST_DATE = "Date03"
TEST_SUBJECTS = ("Sub03", "Sub04", "Sub05")  # Sub03 is never seen in training, as in BEHAVE
TRAIN_DATES = ("Date01", "Date02", "Date04", "Date05", "Date06", "Date07")
TRAIN_SUBJECTS = ("Sub01", "Sub02", "Sub04", "Sub05", "Sub06", "Sub07", "Sub08")
BENCH_TEST_DATES = (TEST_DATE, "Date08", "Date09")
BENCH_VAL_DATES = ("Date10", "Date11")


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
        date: ``Date01`` and so on: the room and the camera set-up.
        split: ``train``, ``val`` or ``test``.
        visible: least and largest share of the object that kinect 1 should see past the person; None for
            whatever comes.
        shown: share of the person's 24 joints that kinect 1 should see past a piece of furniture put before
            the person; None for no such piece.
    """

    name: str
    seed: int
    subject: str
    object_name: str
    action: str
    n_frames: int
    date: str
    split: Split
    visible: tuple[float, float] | None = None
    shown: float | None = None

    @property
    def kinects(self) -> tuple[int, ...]:
        """Whose views are made: of people behind furniture only the test's, since each needs a room anew."""
        return KINECTS if self.shown is None else (TEST_KINECT,)


@dataclass(frozen=True)
class _Part:
    """The sequences of one split.

    Attributes:
        split: which split.
        count: number of sequences.
        frames: of each sequence.
        dates: rooms.
        subjects: people.
        hidden: share of the sequences in which the person hides much of the object, while the others show
            enough of it to be scored; None for whatever comes.
        shown: least and largest share of the person's joints that is wanted past a piece of furniture; None
            for no such piece.
    """

    split: Split
    count: int
    frames: int
    dates: tuple[str, ...]
    subjects: tuple[str, ...]
    hidden: float | None = None
    shown: tuple[float, float] | None = None


_STREAMS = {"train": 0, "test": 1, "val": 2}
_HIDDEN_TO = (0.3, 0.7)
_SCORED = 0.3  # visible fraction from which the challenge counts a frame


def _train(count: int, frames: int = 8) -> _Part:
    return _Part("train", count, frames, TRAIN_DATES, TRAIN_SUBJECTS)


def _test(count: int, frames: int = 8) -> _Part:
    return _Part("test", count, frames, (TEST_DATE,), TEST_SUBJECTS)


_BENCH = (
    _Part("val", 160, 2, BENCH_VAL_DATES, TRAIN_SUBJECTS, hidden=0.5),
    _Part("test", 400, 2, BENCH_TEST_DATES, TEST_SUBJECTS, hidden=0.5),
)
_SIZES: dict[str, tuple[_Part, ...]] = {
    "tiny": (_train(4, 2), _test(2, 2)),
    "demo": (_train(92), _test(24)),
    "long": (_train(950), _test(40)),
    "bench": (_train(92), *_BENCH),
    "bench_long": (_train(950), *_BENCH),
    "bench_occluded": (
        _Part("test", 160, 2, BENCH_TEST_DATES, TEST_SUBJECTS, hidden=0.0, shown=(0.3, 0.75)),
    ),
}


def plan_dataset(size: Size, seed: int = 0, frames: int | None = None) -> list[SequencePlan]:
    """The sequences of a dataset: training first, test last.

    Objects take turns, and so do the actions of each object, so that every prefix is balanced. Rooms of the
    test split are in no other, and neither are those of validation. ``bench`` and ``bench_long`` train on
    what ``demo`` and ``long`` train on, and share validation and test sequences made to tell methods apart.
    ``bench_occluded`` is a test alone: the first of ``bench``'s test sequences, with furniture in front.

    Args:
        size: ``tiny`` (for tests), ``demo``, ``long``, ``bench``, ``bench_long`` or ``bench_occluded``.
        seed: of the whole dataset.
        frames: frames a sequence, the size's own number by default.

    Raises:
        ValueError: unknown size or a frame count below one.
    """
    if size not in _SIZES:
        raise ValueError(f"unknown size {size!r}; expected one of {', '.join(_SIZES)}")
    if frames is not None and frames < 1:
        raise ValueError(f"a sequence needs at least one frame, got {frames}")
    return [plan for part in _SIZES[size] for plan in _sequences(part, frames or part.frames, seed)]


def _sequences(part: _Part, frames: int, seed: int) -> list[SequencePlan]:
    stream = _STREAMS[part.split]
    rng, hiding, showing = (np.random.default_rng([seed, stream, *more]) for more in ((), (1,), (2,)))
    turns = {name: rng.permutation(actions_of(name)).tolist() for name in OBJECT_NAMES}
    order = rng.permutation(OBJECT_NAMES).tolist()
    plans: list[SequencePlan] = []
    used: dict[str, int] = {}
    for i in range(part.count):
        name = order[i % len(order)]
        action = turns[name][i // len(order) % len(turns[name])]
        subject, date = str(rng.choice(part.subjects)), str(rng.choice(part.dates))
        subject = _able(subject, part.subjects, name, action)
        stem = f"{date}_{subject}_{name}_{action}"
        used[stem] = used.get(stem, 0) + 1
        label = stem if used[stem] == 1 else f"{stem}{used[stem]}"
        own, visible = int(rng.integers(2**31)), _visible(part.hidden, hiding)
        shown = part.shown and float(showing.uniform(*part.shown))
        plans.append(
            SequencePlan(label, own, subject, name, action, frames, date, part.split, visible, shown)
        )
    return plans


def _visible(hidden: float | None, rng: np.random.Generator) -> tuple[float, float] | None:
    if hidden is None:
        return None
    wanted = float(rng.uniform(*_HIDDEN_TO))
    return (wanted, wanted) if rng.uniform() < hidden else (_SCORED, 1.0)


def _able(subject: str, subjects: tuple[str, ...], object_name: str, action: str) -> str:
    """The subject, or the next one who can do the action with the object."""
    unable = INTERACTIONS[action].unable.get(object_name, ())
    turn = subjects.index(subject)
    return next(name for name in subjects[turn:] + subjects[:turn] if name not in unable)


def actions_of(object_name: str) -> list[str]:
    """The actions that are played with an object."""
    return [action for action, entry in INTERACTIONS.items() if object_name in entry.objects]
