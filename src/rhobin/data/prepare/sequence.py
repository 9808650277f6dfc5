"""One sequence: all its views, written so that it is either absent or complete."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tarfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from rhobin.behave.release import Release, ViewFiles
from rhobin.data.prepare.recipe import FORMAT, STORED, Recipe, record_file, sequence_store, view_stem
from rhobin.data.prepare.view import prepare_view
from rhobin.files import read_sealed, write_sealed

_COLOR, _MASKS = ".jpg", ".bits"


@dataclass(frozen=True)
class Sequence:
    """What a worker needs to prepare a sequence.

    Attributes:
        split: "train" or "test".
        name: of the sequence.
        views: rows of the release, one after the other.
        stems: names of the stored files, without suffix.
        files: colour, person mask, object mask of each view.
        root: of the raw data, which files in records are relative to.
    """

    split: str
    name: str
    views: range
    stems: list[str]
    files: list[ViewFiles]
    root: Path


def list_sequences(release: Release) -> list[Sequence]:
    """The sequences of a release in the order of its views."""
    owner = release.frames.sequence[release.views.frame]
    starts = np.flatnonzero(np.diff(owner, prepend=-1))
    found = []
    for start, stop in zip(starts.tolist(), [*starts[1:].tolist(), len(owner)], strict=True):
        rows = range(start, stop)
        frames = release.frames.name[release.views.frame[rows]].tolist()
        kinects = release.views.kinect[rows].tolist()
        stems = [view_stem(frame, kinect) for frame, kinect in zip(frames, kinects, strict=True)]
        files = [release.view_files(row) for row in rows]
        name = release.sequences[int(owner[start])]
        found.append(Sequence(release.split, name, rows, stems, files, release.root))
    return found


def signature(sequence: Sequence, recipe: Recipe) -> str:
    """Digest of how a sequence is stored and of the names and sizes of its files."""
    digest = hashlib.sha256(json.dumps([FORMAT, asdict(recipe)]).encode())
    for stem, files in zip(sequence.stems, sequence.files, strict=True):
        for file in filter(None, files):
            digest.update(f"{stem} {_relative(file, sequence.root)} {_file_size(file)}\n".encode())
    return digest.hexdigest()


def read_record(out: Path, sequence: Sequence, wanted: str) -> dict[str, Any] | None:
    """The record of a sequence that is complete, unchanged and has the wanted signature, else None."""
    try:
        record = read_sealed(record_file(out, sequence.split, sequence.name))
    except (OSError, ValueError):
        return None
    return record if record.get("signature") == wanted else None


def prepare_sequence(out: Path, sequence: Sequence, recipe: Recipe) -> int:
    """Prepare a sequence; returns the bytes that its views take.

    Views are written beside their place and moved there when all of them are complete; the record comes
    last.
    """
    store = out / sequence_store(sequence.split, sequence.name, recipe.shards)
    part = store.with_name(f".{store.name}.{os.getpid()}.part")
    store.parent.mkdir(parents=True, exist_ok=True)
    rows = np.zeros(len(sequence.views), STORED)
    digest = hashlib.sha256()
    try:
        _remove(part)
        writer = _write_tar if recipe.shards else _write_folder
        writer(part, _encoded(sequence, recipe, rows, digest), rows)
        _remove(store)
        part.rename(store)
    except BaseException:
        _remove(part)
        raise
    columns = {name: rows[name].tolist() for name in STORED.names or ()}
    record = {
        "signature": signature(sequence, recipe),
        "sha256": digest.hexdigest(),
        **columns,
        "reason": [reason.decode() for reason in columns["reason"]],
    }
    write_sealed(record_file(out, sequence.split, sequence.name), record)
    return int(rows["color"][:, 1].sum() + rows["masks"][:, 1].sum())


def _encoded(
    sequence: Sequence, recipe: Recipe, rows: np.ndarray, digest: Any
) -> Iterator[tuple[int, str, bytes, bytes]]:
    """Views as they are encoded: row, stem, JPEG, masks; fills rows."""
    for index, (stem, files) in enumerate(zip(sequence.stems, sequence.files, strict=True)):
        rows[index], jpeg, masks = prepare_view(files, recipe)
        digest.update(jpeg)
        digest.update(masks)
        if jpeg:
            yield index, stem, jpeg, masks


def _write_folder(part: Path, views: Iterator[tuple[int, str, bytes, bytes]], rows: np.ndarray) -> None:
    part.mkdir()
    for _, stem, jpeg, masks in views:
        (part / (stem + _COLOR)).write_bytes(jpeg)
        (part / (stem + _MASKS)).write_bytes(masks)


def _write_tar(part: Path, views: Iterator[tuple[int, str, bytes, bytes]], rows: np.ndarray) -> None:
    with part.open("wb") as file, tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for index, stem, jpeg, masks in views:
            for column, suffix, content in (("color", _COLOR, jpeg), ("masks", _MASKS, masks)):
                member = tarfile.TarInfo(stem + suffix)
                member.size = len(content)
                tar.addfile(member, BytesIO(content))
                padded = -(-len(content) // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE
                rows[column][index, 0] = tar.offset - padded


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _relative(file: Path, root: Path) -> str:
    return file.relative_to(root).as_posix()


def _file_size(file: Path) -> int:
    """Size of a file, or of the video that a frame lies in; -1 when it is gone."""
    path = Path(str(file).split("#")[0])
    return path.stat().st_size if path.is_file() else -1
