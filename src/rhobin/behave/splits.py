"""Which sequences train, which validate, which test."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from rhobin.behave.layout import is_folder_name, parse_sequence
from rhobin.files import read_json

SPLITS = ("train", "test")
OWN_VALIDATION = "val"
"""What BEHAVE's split does not have, and that of a root with validation sequences of its own does."""
"""Bytes of a name that file systems take."""
_TRAIN = 231
_TEST = {3: 35, 4: 35, 5: 20}


def read_split(root: Path) -> dict[str, list[str]]:
    """Read `split.json`: sequence names under "train", "test" and, in roots that have them, "val".

    Raises:
        FileNotFoundError: when it is missing.
        ValueError: when it lacks a part, or a sequence is in two.
    """
    path = Path(root) / "split.json"
    if not path.is_file():
        raise FileNotFoundError(
            f"no split.json at {path}: it ships with the raw release, beside `sequences/`"
        )
    try:
        content = read_json(path)
        parts = [*SPLITS, *(part for part in (OWN_VALIDATION,) if part in content)]
        split = {part: _names(content[part]) for part in parts}
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f'{path}: expected {{"train": [names], "test": [names]}}: {error!r}') from error
    for part, names in split.items():
        twice = sorted(name for name, count in Counter(names).items() if count > 1)
        if twice:
            raise ValueError(f"{path}: twice in {part}: {', '.join(twice[:3])} ({len(twice)} in all)")
    for one, other in combinations(split, 2):
        both = sorted(set(split[one]) & set(split[other]))
        if both:
            raise ValueError(f"{path}: in {one} and in {other}: {', '.join(both[:3])} ({len(both)} in all)")
    return split


def _names(value: Any) -> list[str]:
    """A list of sequence names, each a folder's name and not a path."""
    if not isinstance(value, list):
        raise TypeError(f"expected a list, found {type(value).__name__}")
    names = [str(name) for name in value]
    wrong = next((name for name in names if not is_folder_name(name)), None)
    if wrong is not None:
        raise ValueError(f"{wrong[:80]!r} is no name of a folder")
    return names


def official_differences(root: Path) -> list[str]:
    """In what a root's `split.json` is not BEHAVE's own.

    That has 231 training and 90 test sequences, the latter all of Date03: 35 each of subjects 3 and 4, and 20
    of subject 5.

    Returns:
        A sentence for each difference; none when it is the official split.
    """
    split = read_split(root)
    found = [
        f"expected {count} {what} sequences, found {len(split[part])}"
        for part, what, count in (("train", "training", _TRAIN), ("test", "test", sum(_TEST.values())))
        if len(split[part]) != count
    ]
    for subject, count in _TEST.items():
        mine = sum(name.startswith(f"Date03_Sub{subject:02d}_") for name in split["test"])
        if mine != count:
            found.append(f"expected {count} test sequences of Date03_Sub{subject:02d}, found {mine}")
    return found


def carve_validation(
    sequences: Sequence[str], frames: Sequence[int], fraction: float, by: str = "group", seed: int = 0
) -> list[str]:
    """Choose training sequences to hold out for validation, never parts of a sequence.

    Args:
        sequences: names of the training sequences.
        frames: how many frames each has.
        fraction: wanted share of the frames, 0 for no validation.
        by: "group" holds out one or more whole (date, subject) groups, so that validation shows a
            person in a room that training never pairs; "sequence" draws single sequences evenly
            from all groups. With fewer than three groups, "group" acts like "sequence".
        seed: order in which groups or sequences are drawn.

    Returns:
        Names of the held-out sequences, sorted; at least one when `fraction` > 0, never all.
    """
    if by not in ("group", "sequence"):
        raise ValueError(f"data.validation.by is {by!r}; expected group or sequence")
    if not 0 <= fraction < 1:
        raise ValueError(f"data.validation.fraction is {fraction}; expected 0 <= fraction < 1")
    if fraction == 0 or len(sequences) < 2:
        return []
    counts = dict(zip(sequences, frames, strict=True))
    groups: dict[tuple[str, int], list[str]] = {}
    for name in sorted(counts):
        groups.setdefault(_group(name), []).append(name)
    rng = np.random.default_rng([seed, 0x5EED])
    if by == "group" and len(groups) >= 3:
        units = [groups[key] for key in sorted(groups)]
        units = [units[i] for i in rng.permutation(len(units))]
    else:
        units = _round_robin(groups, rng)
    return _take(units, counts, fraction)


def _group(name: str) -> tuple[str, int]:
    """Date and subject of a BEHAVE sequence; of any other, what precedes the first underscore (a subject)."""
    try:
        parsed = parse_sequence(name)
    except ValueError:
        return name.split("_")[0], 0
    return parsed.date, parsed.subject


def _round_robin(groups: dict[tuple[str, int], list[str]], rng: np.random.Generator) -> list[list[str]]:
    """Single sequences in drawing order: one of every group, then the second of every group, ..."""
    ranked: list[tuple[int, float, str]] = []
    for key in sorted(groups):
        names = groups[key]
        ranked += [(rank, rng.random(), names[i]) for rank, i in enumerate(rng.permutation(len(names)))]
    return [[name] for _, _, name in sorted(ranked)]


def _take(units: list[list[str]], counts: dict[str, int], fraction: float) -> list[str]:
    """The unit nearest to `fraction` of all frames, then others while each brings the share nearer."""
    target = fraction * sum(counts.values())
    sizes = [sum(counts[name] for name in unit) for unit in units]
    first = int(np.argmin([abs(size - target) for size in sizes]))
    taken, total = list(units[first]), sizes[first]
    for unit, size in zip(
        units[:first] + units[first + 1 :], sizes[:first] + sizes[first + 1 :], strict=True
    ):
        leaves_some = len(taken) + len(unit) < len(counts)
        if leaves_some and abs(total + size - target) < abs(total - target):
            taken, total = taken + unit, total + size
    return sorted(taken)
