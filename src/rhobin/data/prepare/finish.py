"""The end of preparing: from the records of all sequences to the index, the manifest and the header."""

from __future__ import annotations

import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from rhobin.behave.manifest import build_manifest
from rhobin.behave.ref import find_ref
from rhobin.behave.release import Release
from rhobin.behave.skips import REASONS, Skip
from rhobin.data.prepare.index import FRAME_ARRAYS, VIEW_ARRAYS, file_digests, header_facts
from rhobin.data.prepare.judge import faulty_views
from rhobin.data.prepare.recipe import (
    BESIDE,
    FORMAT,
    MANIFEST,
    PREPARED,
    STORED,
    TEMPLATES,
    UNFINISHED,
    Recipe,
    record_file,
)
from rhobin.data.prepare.sequence import list_sequences
from rhobin.data.prepare.templates import write_templates
from rhobin.files import read_sealed, write_bytes, write_sealed


def write_index(releases: list[Release], out: Path, recipe: Recipe) -> None:
    """Write index, templates, manifest and, last, `prepared.json`, whose presence says: complete."""
    part = out / ".index.part"
    shutil.rmtree(part, ignore_errors=True)
    records = {release.split: _records(release, out) for release in releases}
    stored = {release.split: _stored(release, records[release.split]) for release in releases}
    for release in releases:
        _write_arrays(part / release.split, release, stored[release.split])
    shutil.rmtree(out / "index", ignore_errors=True)
    part.rename(out / "index")
    write_templates(out / TEMPLATES, releases[0].templates)
    root = releases[0].root
    for name in BESIDE:
        source = find_ref(root) if name == "ref.pkl" else root / name
        if source is not None and source.is_file():
            write_bytes(out / name, source.read_bytes())
    skips = [skip for release in releases for skip in _skips(release, stored[release.split])]
    manifest = build_manifest(releases, skips)
    files = {"views": _view_digests(releases, records), "index": file_digests(out)}
    write_sealed(out / MANIFEST, manifest | {"files": files})
    header = {"format": FORMAT, "recipe": asdict(recipe)}
    write_sealed(out / PREPARED, header | {"splits": {r.split: header_facts(r) for r in releases}})
    (out / UNFINISHED).unlink(missing_ok=True)


def _records(release: Release, out: Path) -> list[dict[str, Any]]:
    files = [record_file(out, release.split, sequence.name) for sequence in list_sequences(release)]
    return [read_sealed(file) for file in files]


def _stored(release: Release, records: list[dict[str, Any]]) -> np.ndarray:
    """The rows of all views; those whose image or masks cannot be theirs become views that cannot be used."""
    stored = np.zeros(len(release.views.frame), STORED)
    for name in STORED.names or ():
        stored[name] = [value for record in records for value in record[name]]
    rows = np.flatnonzero(stored["reason"] == b"")
    for fault in faulty_views(release, rows, stored["boxes"][rows], stored["size"][rows]):
        stored["reason"][fault.row], stored["bad_file"][fault.row] = fault.reason, fault.file
    return stored


def _write_arrays(folder: Path, release: Release, stored: np.ndarray) -> None:
    folder.mkdir(parents=True)
    for name in FRAME_ARRAYS:
        np.save(folder / f"frames_{name}.npy", getattr(release.frames, name), allow_pickle=False)
    for name in VIEW_ARRAYS:
        np.save(folder / f"views_{name}.npy", getattr(release.views, name), allow_pickle=False)
    np.save(folder / "stored.npy", stored, allow_pickle=False)
    np.save(folder / "unusable.npy", release.views.files[stored["reason"] != b""], allow_pickle=False)


def _skips(release: Release, stored: np.ndarray) -> list[Skip]:
    return [
        Skip(str(release.views.files[row][stored["bad_file"][row]]), why, REASONS[why], 1)
        for row, why in enumerate(stored["reason"].astype(str).tolist())
        if why
    ]


def _view_digests(releases: list[Release], records: dict[str, list[dict[str, Any]]]) -> dict[str, str]:
    """SHA-256 over all stored files of each sequence."""
    return {
        f"{release.split}/{sequence.name}": record["sha256"]
        for release in releases
        for sequence, record in zip(list_sequences(release), records[release.split], strict=True)
    }
