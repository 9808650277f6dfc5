"""Whether a root is sound: all images of a raw one opened, all bytes of a prepared one compared."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from rhobin.behave.manifest import build_manifest
from rhobin.behave.release import Release
from rhobin.behave.skips import REASONS, Skip, count_skips
from rhobin.data.images.crops import EMPTY_MASK, missing_mask
from rhobin.data.images.decode import BadSampleError
from rhobin.data.images.source import read_source
from rhobin.data.prepare.index import file_digests, header_facts, read_header, read_manifest
from rhobin.data.prepare.judge import FAULTY, REASON, wrong_masks
from rhobin.data.prepare.prepared import PreparedRelease
from rhobin.data.prepare.recipe import Recipe
from rhobin.data.prepare.sequence import Sequence, list_sequences, read_record, signature
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
        problems: what has to be mended, each with what to do; none means that the root is sound.
        views: how many views were looked at.
    """

    manifest: dict[str, Any]
    problems: list[str] = field(default_factory=list)
    views: int = 0


def check_raw(releases: list[Release], workers: int = 1, notify: Notify = lambda views: None) -> Verdict:
    """Open every image of a raw root, and look whether masks can be those of their views."""
    found: list[Skip] = []
    boxes = {release.split: np.zeros((len(release.views.frame), 2, 4)) for release in releases}
    sizes = {release.split: np.zeros((len(release.views.frame), 2)) for release in releases}
    sequences = [sequence for release in releases for sequence in list_sequences(release)]
    with task_pool(workers if workers > 1 else 0) as submit:
        for seen in finished(submit(_open_images, sequence) for sequence in sequences):
            found += seen.skips
            boxes[seen.split][seen.views], sizes[seen.split][seen.views] = seen.boxes, seen.sizes
            notify(len(seen.views))
    for release in releases:
        found += _wrong_masks(release, boxes[release.split], sizes[release.split])
    manifest = build_manifest(releases, sorted(found, key=lambda skip: skip.file))
    verdict = Verdict(manifest, views=sum(len(release.views.frame) for release in releases))
    skips = [*found, *(skip for release in releases for skip in release.skips)]
    for reason, count in count_skips(skips).items():
        if reason not in INHERENT:
            named = [skip.file for skip in skips if skip.reason == reason][:_NAMED]
            verdict.problems.append(
                f"{REASONS[reason]}: {count['files']} files, {count['views']} views lost, for example "
                f"{', '.join(named)}; download or unpack these again, or go on without them"
            )
    return verdict


def check_prepared(
    releases: list[PreparedRelease], raw: list[Release] | None = None, notify: Notify = lambda views: None
) -> Verdict:
    """Compare a prepared root with its index byte by byte, and the index with the raw root if given."""
    root = releases[0].root
    verdict = Verdict(read_manifest(root))
    written, found = verdict.manifest["files"]["index"], file_digests(root)
    changed = sorted(name for name in {*written, *found} if written.get(name) != found.get(name))
    if changed:
        verdict.problems.append(
            f"changed since they were written: {', '.join(changed)}; run rhobin prepare again"
        )
    for release in releases:
        bad = _changed_files(release, notify)
        verdict.views += len(release.stored)
        if bad:
            verdict.problems.append(
                f"{len(bad)} files of the {release.split} split are missing or changed, for example "
                f"{', '.join(bad[:_NAMED])}; remove {root}/records/{release.split}/SEQUENCE.json of these "
                "sequences and run rhobin prepare again"
            )
    if raw is not None:
        verdict.problems += _stale(root, raw)
    return verdict


@dataclass(frozen=True)
class _Seen:
    """The views of a sequence after opening their images; boxes and sizes are 0 where that failed."""

    split: str
    views: range
    skips: list[Skip]
    boxes: np.ndarray
    sizes: np.ndarray


def _open_images(sequence: Sequence) -> _Seen:
    count = len(sequence.files)
    seen = _Seen(sequence.split, sequence.views, [], np.zeros((count, 2, 4)), np.zeros((count, 2)))
    for index, files in enumerate(sequence.files):
        try:
            source = read_source(files)
            source.read_color(_ANY_SIZE)
            seen.boxes[index], seen.sizes[index] = source.boxes, source.size
            shown = [file is not None for file in files[1:]]
            missing = missing_mask(source.boxes, "union", False, shown)
            if missing is not None:
                raise BadSampleError(files[1 + missing] or files[0], EMPTY_MASK[missing], "no pixel is set")
        except BadSampleError as error:
            file = error.file.relative_to(sequence.root).as_posix()
            seen.skips.append(Skip(file, error.reason, error.detail, 1))
    return seen


def _wrong_masks(release: Release, boxes: np.ndarray, sizes: np.ndarray) -> list[Skip]:
    rows = np.flatnonzero(sizes[:, 0])
    wrong = wrong_masks(release, rows, boxes[rows], sizes[rows])
    return [Skip(str(release.views.files[row][FAULTY]), REASON, REASONS[REASON], 1) for row in wrong]


def _changed_files(release: PreparedRelease, notify: Notify) -> list[str]:
    bad = []
    for view, row in enumerate(release.stored):
        if row["reason"]:
            continue
        color, masks = release.view_files(view)[0], release.masks_file(view)
        for file, place in ((color, row["color"]), (masks, row["masks"])):
            if _crc(release, file, place) != place[2]:
                bad.append(file.relative_to(release.root).as_posix())
        notify(1)
    return bad


def _crc(release: PreparedRelease, file: Path, place: np.ndarray) -> int | None:
    try:
        return zlib.crc32(release.content(file, place))
    except BadSampleError:
        return None


def _stale(root: Path, raw: list[Release]) -> list[str]:
    """What of the raw root is newer than the prepared one."""
    header = read_header(root)
    recipe = Recipe(**header["recipe"])
    names = []
    for release in raw:
        sequences = list_sequences(release)
        old = [s.name for s in sequences if read_record(root, s, signature(s, recipe)) is None]
        if not old and header["splits"].get(release.split) != header_facts(release):
            old = [f"the {release.split} split's parameters, calibration or templates"]
        names += old
    if not names:
        return []
    return [
        f"{raw[0].root} has changed since {root} was prepared: {', '.join(names[:_NAMED])} "
        f"({len(names)} in all); run rhobin prepare {raw[0].root} {root}, which only does these"
    ]
