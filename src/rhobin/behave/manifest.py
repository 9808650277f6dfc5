"""What a dataset root holds and what of it cannot be used: as data for a file, as a table for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Group
from rich.table import Table

from rhobin.behave.exceptions import known_exceptions
from rhobin.behave.layout import SYNTHETIC
from rhobin.behave.release import Release
from rhobin.behave.skips import REASONS, Skip, count_skips
from rhobin.behave.splits import official_differences
from rhobin.objects.names import names_by_id


def build_manifest(releases: Sequence[Release], sample_skips: Iterable[Skip] = ()) -> dict[str, Any]:
    """Count what was read and what was left out.

    Args:
        releases: the splits that were read.
        sample_skips: what samplers later found broken, such as truncated images.

    Returns:
        Per split: sequences, frames, views, frames by object and by date, views by Kinect, data hash;
        for all together: skipped files and views by reason, every skip with its file, the known exceptions
        that applied with their source, and in what `split.json` is not the official one (None without it, and
        for synthetic data).
    """
    skips = [skip for release in releases for skip in release.skips] + list(sample_skips)
    return {
        "root": str(releases[0].root) if releases else "",
        "splits": {release.split: _count(release) for release in releases},
        "skipped": count_skips(skips),
        "skips": [vars(skip) for skip in skips],
        "exceptions": _exceptions(releases),
        "official_split": _official(releases[0].root) if releases else None,
    }


def _exceptions(releases: Sequence[Release]) -> list[dict[str, Any]]:
    """Known exceptions that applied: what each is, its source, and the sequences concerned."""
    applied: dict[str, list[str]] = {}
    for release in releases:
        for name, sequences in release.exceptions.items():
            applied.setdefault(name, []).extend(sequences)
    known = known_exceptions()
    return [
        {"name": name, "what": known[name]["what"], "source": known[name]["source"], "sequences": sequences}
        for name, sequences in applied.items()
    ]


def _official(root: Path) -> list[str] | None:
    real = (root / "split.json").is_file() and not (root / SYNTHETIC).is_file()
    return official_differences(root) if real else None


def manifest_tables(manifest: Mapping[str, Any], files_per_reason: int = 3) -> Group:
    """A manifest as rich tables: what is there, what was skipped and why, with example files."""
    there = Table(title=f"BEHAVE data at {manifest['root']}", title_justify="left")
    for column in ("split", "sequences", "frames", "views", "objects", "dates", "data hash"):
        there.add_column(column, justify="left" if column in ("split", "data hash") else "right")
    for split, count in manifest["splits"].items():
        sizes = [
            count["sequences"],
            count["frames"],
            count["views"],
            len(count["objects"]),
            len(count["dates"]),
        ]
        there.add_row(split, *[f"{size:,}" for size in sizes], count["data_hash"])
    parts: list[Any] = [there]
    if manifest.get("exceptions"):
        known = Table(title="Known exceptions that applied", title_justify="left")
        for column in ("what", "sequences", "source"):
            known.add_column(column, justify="right" if column == "sequences" else "left")
        for entry in manifest["exceptions"]:
            known.add_row(entry["what"], str(len(entry["sequences"])), entry["source"])
        parts.append(known)
    if manifest.get("official_split"):
        parts.append("Not BEHAVE's official split: " + "; ".join(manifest["official_split"]) + ".")
    if not manifest["skipped"]:
        return Group(*parts, "Nothing was skipped.")
    lost = Table(title="Skipped", title_justify="left")
    for column in ("why", "files", "views", "for example"):
        lost.add_column(column, justify="right" if column in ("files", "views") else "left")
    for reason, count in manifest["skipped"].items():
        files = [skip["file"] for skip in manifest["skips"] if skip["reason"] == reason]
        lost.add_row(
            REASONS[reason], str(count["files"]), str(count["views"]), "\n".join(files[:files_per_reason])
        )
    return Group(*parts, lost)


def _count(release: Release) -> dict[str, Any]:
    frames = release.frames
    dates = Counter(release.sequences[i].split("_")[0] for i in frames.sequence)
    names = names_by_id(release.templates)
    objects = np.bincount(frames.object_id[frames.object_id >= 0], minlength=len(names))
    kinects = np.bincount(release.views.kinect, minlength=4)
    return {
        "sequences": len(np.unique(frames.sequence)),
        "frames": len(frames.name),
        "views": len(release.views.frame),
        "objects": {name: int(n) for name, n in zip(names, objects, strict=True) if n},
        "dates": dict(sorted(dates.items())),
        "kinects": {f"k{kinect}": int(n) for kinect, n in enumerate(kinects)},
        "data_hash": release.data_hash,
    }
