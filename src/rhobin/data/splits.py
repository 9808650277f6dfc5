"""Which splits of a root there are to train, validate and test on."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from rhobin.behave.builder import EmptySplitError
from rhobin.behave.layout import KINECTS, TEST_KINECT
from rhobin.behave.read import read_release
from rhobin.behave.release import Release
from rhobin.behave.splits import carve_validation
from rhobin.data.prepare.index import read_header
from rhobin.data.prepare.prepared import is_prepared, read_prepared
from rhobin.objects.template import Template


@dataclass
class Splits:
    """The splits that could be read, and why others could not.

    Attributes:
        releases: by split: "train", "val" where the release has one, "test".
        missing: by split, the error of reading it.
    """

    releases: dict[str, Release] = field(default_factory=dict)
    missing: dict[str, Exception] = field(default_factory=dict)

    @property
    def templates(self) -> dict[str, Template]:
        """Object templates of the root."""
        return next(iter(self.releases.values())).templates

    @property
    def data_hash(self) -> str:
        """Digest of all splits."""
        digests = " ".join(release.data_hash for release in self.releases.values())
        return hashlib.sha256(digests.encode()).hexdigest()[:16]

    def need(self, split: str) -> Release:
        """A split that cannot be done without.

        Raises:
            ValueError: it could not be read; says why, and what works without it.
        """
        if split in self.releases:
            return self.releases[split]
        there = ", ".join(self.releases)
        raise ValueError(
            f"the {split} split is needed here, and only {there} could be read: {self.missing[split]}"
        )


def available_splits(root: Path, layout: str = "auto", own_validation: bool = False) -> Splits:
    """Read every split that a root has: training views of all Kinects, the others of the challenge's Kinect.

    Args:
        root: dataset root of any layout, or a prepared one.
        layout: as of `read_release`; a prepared root knows its own.
        own_validation: read the release's own validation split, too.

    Raises:
        FileNotFoundError: there is no data at all; says what was expected.
        ValueError: none of the splits could be read.
    """
    found = Splits()
    wanted = {"train": KINECTS, **({"val": (TEST_KINECT,)} if own_validation else {}), "test": (TEST_KINECT,)}
    for split, kinects in wanted.items():
        templates = found.templates if found.releases else None
        try:
            if is_prepared(root):
                found.releases[split] = _prepared(root, split, templates)
            else:
                found.releases[split] = read_release(root, split, kinects, templates, layout)
        except EmptySplitError as error:
            found.missing[split] = error
    if not found.releases:
        raise found.missing["train"]
    return found


def read_test_split(root: Path, layout: str = "auto") -> Release:
    """The test views of a root of any layout, or a prepared one, without its other splits.

    Raises:
        FileNotFoundError: a part of the root is missing.
        ValueError: it has no test views.
    """
    if is_prepared(root):
        return _prepared(root, "test", None)
    return read_release(root, "test", (TEST_KINECT,), None, layout)


def _prepared(root: Path, split: str, templates: dict[str, Template] | None) -> Release:
    if split not in read_header(root)["splits"]:
        raise EmptySplitError(f"{root} was prepared without it")
    return read_prepared(root, split, templates)


def held_out_views(release: Release, fraction: float, by: str, seed: int) -> np.ndarray:
    """Which views (N,) of a training split to hold out for validation; arguments as `carve_validation`."""
    frames = np.bincount(release.frames.sequence, minlength=len(release.sequences))
    names = carve_validation(release.sequences, frames.tolist(), fraction, by, seed)
    return np.isin(release.sequences, names)[release.frames.sequence][release.views.frame]


def thinned(views: np.ndarray, limit: int | None) -> np.ndarray:
    """At most `limit` of some views, evenly spread; None keeps all."""
    if limit is None or len(views) <= limit:
        return views
    return views[np.linspace(0, len(views) - 1, limit).round().astype(int)]
