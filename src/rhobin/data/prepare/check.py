"""Whether a raw root is sound: all its images opened, and judged by what they should show."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rhobin.behave.manifest import build_manifest
from rhobin.behave.release import Release
from rhobin.behave.skips import REASONS, Skip, count_skips
from rhobin.data.images.crops import EMPTY_MASK, missing_mask
from rhobin.data.images.decode import BadSampleError
from rhobin.data.images.source import read_source
from rhobin.data.prepare.judge import faulty_views
from rhobin.data.prepare.overlaps import misplaced
from rhobin.data.prepare.ready import cannot_start, mostly_lost
from rhobin.data.prepare.sequence import Sequence, list_sequences
from rhobin.pool import finished, task_pool

Notify = Callable[[int], None]

INHERENT = frozenset(
    {
        "missing_object_mask",
        "empty_person_mask",
        "empty_object_mask",
        "not_registered",
        "unmatched_times",
        "not_in_split",
        "other_dataset",
        "not_in_frame_list",
    }
)
"""Reasons that the releases themselves give; all others mean that a file is missing or damaged."""

_ANY_SIZE = 8
_NAMED = 3


@dataclass
class Verdict:
    """What a check found.

    Attributes:
        manifest: what the root holds and what of it is left out.
        problems: what is wrong, each with what to do; none means that the root is sound.
        views: how many views were looked at.
    """

    manifest: dict[str, Any]
    problems: list[str] = field(default_factory=list)
    views: int = 0


def check_raw(
    releases: list[Release],
    workers: int = 1,
    notify: Notify = lambda views: None,
    missing: Mapping[str, Exception] | None = None,
) -> Verdict:
    """Open every image of a raw root, and look whether images and masks can be those of their views.

    Args:
        releases: the splits that could be read.
        workers: processes; 1 works in this one.
        notify: called with the number of views that were looked at.
        missing: by split, why another one could not be read.
    """
    looks = {release.split: _Look.of(release) for release in releases}
    sequences = [sequence for release in releases for sequence in list_sequences(release)]
    with task_pool(workers if workers > 1 else 0) as submit:
        for seen in finished(submit(_open_images, sequence) for sequence in sequences):
            looks[seen.split].add(seen)
            notify(len(seen.views))
    for look in looks.values():
        look.judge()
    found = sorted((skip for look in looks.values() for skip in look.skips), key=lambda skip: skip.file)
    verdict = Verdict(build_manifest(releases, found), cannot_start(releases, missing or {}))
    verdict.views = sum(len(release.views.frame) for release in releases)
    for look in looks.values():
        verdict.problems += mostly_lost(look.release, look.skips) + look.misplaced
    verdict.problems += _damage([*found, *(skip for release in releases for skip in release.skips)])
    return verdict


@dataclass(frozen=True)
class _Seen:
    """The views of a sequence after opening their images; boxes and sizes are 0 where it cannot be used."""

    split: str
    views: range
    skips: list[Skip]
    boxes: np.ndarray
    sizes: np.ndarray


@dataclass
class _Look:
    """What is known of a split after opening its images: boxes (N, 2, 4), sizes (N, 2), and what is wrong."""

    release: Release
    boxes: np.ndarray
    sizes: np.ndarray
    skips: list[Skip] = field(default_factory=list)
    misplaced: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, release: Release) -> _Look:
        count = len(release.views.frame)
        return cls(release, np.zeros((count, 2, 4)), np.zeros((count, 2)))

    def add(self, seen: _Seen) -> None:
        self.skips += seen.skips
        self.boxes[seen.views], self.sizes[seen.views] = seen.boxes, seen.sizes

    def judge(self) -> None:
        """Find what no single file tells: images of another shape, masks that are elsewhere."""
        rows = np.flatnonzero(self.sizes[:, 0])
        for row, reason, file, detail in faulty_views(self.release, rows, self.boxes[rows], self.sizes[rows]):
            self.skips.append(Skip(str(self.release.views.files[row][file]), reason, detail, 1))
            self.sizes[row] = 0
        rows = np.flatnonzero(self.sizes[:, 0])
        if len(rows):
            self.misplaced = misplaced(self.release, rows, self.boxes[rows], self.sizes[rows])


def _damage(skips: list[Skip]) -> list[str]:
    """A problem for each reason that no release gives of itself."""
    problems = []
    for reason, count in count_skips(skips).items():
        if reason not in INHERENT:
            named = [skip for skip in skips if skip.reason == reason][:_NAMED]
            problems.append(
                f"{REASONS[reason]}: {count['files']} files, {count['views']} views lost, for example "
                f"{', '.join(map(str, named))}; download or unpack these "
                "again, or go on without them"
            )
    return problems


def _open_images(sequence: Sequence) -> _Seen:
    count = len(sequence.files)
    seen = _Seen(sequence.split, sequence.views, [], np.zeros((count, 2, 4)), np.zeros((count, 2)))
    for index, files in enumerate(sequence.files):
        try:
            source = read_source(files)
            source.read_color(_ANY_SIZE)
            shown = [file is not None for file in files[1:]]
            missing = missing_mask(source.boxes, "union", False, shown)
            if missing is not None:
                raise BadSampleError(files[1 + missing] or files[0], EMPTY_MASK[missing], "no pixel is set")
            seen.boxes[index], seen.sizes[index] = source.boxes, source.size
        except BadSampleError as error:
            file = error.file.relative_to(sequence.root).as_posix()
            seen.skips.append(Skip(file, error.reason, error.detail, 1))
    return seen
