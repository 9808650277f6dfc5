"""Predicted and true people as arrays, view by view."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rhobin.ensemble.members import EnsembleError, Member
from rhobin.metrics.posing import expand_pose
from rhobin.metrics.submission import LARGEST
from rhobin.scoring.collect import TRUTH, Further

CHUNK = 16  # views whose vertices are in memory at a time
SHOWN = 5
KEYS = ("poses", "betas", "trans")
View = tuple[str, str]
Views = Mapping[View, int]
SAME = 1e-4  # radians, metres or coefficients within which true people are the same


@dataclass(frozen=True)
class People:
    """People in N views as M members see them; true people have one row instead of M.

    Attributes:
        sequence: (N,) sequence names.
        frame: (N,) frame names.
        gender: (N,) male, female or neutral.
        poses: (M, N, 156) axis-angle, float32.
        betas: (M, N, 10).
        trans: (M, N, 3) SMPL translation, metres.
    """

    sequence: np.ndarray
    frame: np.ndarray
    gender: np.ndarray
    poses: np.ndarray
    betas: np.ndarray
    trans: np.ndarray

    def __len__(self) -> int:
        return len(self.frame)


def aligned(members: Sequence[Member]) -> People:
    """The members' people view by view.

    Raises:
        EnsembleError: a member lacks a view that another has, or says another gender, or has a value that is
            no number.
    """
    views = [_views(member) for member in members]
    names = sorted(set().union(*views))
    _need_every_view(members, views, names)
    gender = _one_gender(members, names)
    arrays = {
        key: np.stack([_rows(m, key, rows, names) for m, rows in zip(members, views, strict=True)])
        for key in KEYS
    }
    sequence, frame = (np.array([name[i] for name in names], dtype=str) for i in (0, 1))
    return People(sequence, frame, gender, **arrays)


def true_people(people: People, members: Sequence[Member], stored: Iterable[Further]) -> People:
    """The true people of the members' views, as stored beside their validation predictions.

    Raises:
        EnsembleError: members were told different truths.
    """
    arrays: dict[str, np.ndarray] = {}
    for member, further in zip(members, stored, strict=True):
        names = zip(further.sequence.tolist(), further.frame.tolist(), strict=True)
        row_of = {name: row for row, name in enumerate(names)}
        views = zip(people.sequence.tolist(), people.frame.tolist(), strict=True)
        rows = [row_of[view] for view in views]
        mine = {key: further.arrays[f"{TRUTH}{key}"][rows].astype(np.float32)[None] for key in KEYS}
        for key, value in mine.items():
            if np.abs(value - arrays.setdefault(key, value)).max() > SAME:
                raise EnsembleError(
                    f"{member.run} and {members[0].run} were predicted with different true people ({key} "
                    f"differ by up to {np.abs(value - arrays[key]).max():.3g}); predict both on one root "
                    "with views=val force=true"
                )
    return People(people.sequence, people.frame, people.gender, **arrays)


def chunks(labels: np.ndarray, size: int = CHUNK) -> Iterator[tuple[Any, np.ndarray]]:
    """Rows of equal label, at most `size` at a time, with the label; in the order of labels and rows."""
    for label in np.unique(labels, axis=0):
        rows = np.flatnonzero((labels == label).reshape(len(labels), -1).all(axis=1))
        for start in range(0, len(rows), size):
            yield label, rows[start : start + size]


def _views(member: Member) -> Views:
    return {
        (str(sequence), str(frame)): row
        for sequence, record in member.results.items()
        for row, frame in enumerate(record["frames"])
    }


def _need_every_view(members: Sequence[Member], views: Sequence[Views], names: Sequence[View]) -> None:
    for member, rows in zip(members, views, strict=True):
        missing = [f"{sequence}/{frame}" for sequence, frame in names if (sequence, frame) not in rows]
        if missing:
            more = f" and {len(missing) - SHOWN} more" if len(missing) > SHOWN else ""
            raise EnsembleError(
                f"{member.run} lacks {len(missing)} of the {len(names)} views that the members predict: "
                f"{', '.join(missing[:SHOWN])}{more}. Members must predict the same views: evaluate them on "
                "one root, and train them with the same data.validation and data.frame_list"
            )


def _one_gender(members: Sequence[Member], names: Sequence[View]) -> np.ndarray:
    """(N,) the gender of each view, which all members agree on."""
    genders = np.array([[str(m.results[sequence]["gender"]) for sequence, _ in names] for m in members])
    for member, gender in zip(members, genders, strict=True):
        other = np.flatnonzero(gender != genders[0])
        if len(other):
            raise EnsembleError(
                f"{member.run} says that sequence {names[other[0]][0]} shows a {gender[other[0]]} body, "
                f"{members[0].run} a {genders[0][other[0]]} one; evaluate both on one root"
            )
    return genders[0]


def _rows(member: Member, key: str, views: Views, names: Sequence[View]) -> np.ndarray:
    """(N, ...) values of one key in single precision, checked."""
    records = {sequence: np.asarray(record[key]) for sequence, record in member.results.items()}
    if key == "poses":
        records = {sequence: expand_pose(value) for sequence, value in records.items()}
    values = np.stack([records[name[0]][views[name]] for name in names])
    bad = np.flatnonzero(~(np.abs(values) <= LARGEST).all(axis=1))
    if len(bad):
        sequence, frame = names[bad[0]]
        raise EnsembleError(
            f"{member.run}: {key} of {sequence}/{frame} holds a value that is no number or beyond "
            f"{LARGEST:g}; leave this run out, or train it again"
        )
    return values.astype(np.float32)
