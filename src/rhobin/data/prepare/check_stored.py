"""Whether a prepared root is sound: all its bytes compared with the index, the index with the raw root."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np

from rhobin.behave.release import Release
from rhobin.data.images.decode import BadSampleError
from rhobin.data.prepare.check import Notify, Verdict
from rhobin.data.prepare.index import file_digests, header_facts, read_header, read_manifest
from rhobin.data.prepare.prepared import PreparedRelease
from rhobin.data.prepare.ready import prepared_problems
from rhobin.data.prepare.recipe import Recipe
from rhobin.data.prepare.sequence import list_sequences, read_record, signature

_NAMED = 3


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
    verdict.problems += prepared_problems(releases)
    return verdict


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
