"""Views that turned out to be unusable, known to every process that makes samples."""

from __future__ import annotations

import logging

import numpy as np

from rhobin.behave.release import Release
from rhobin.behave.skips import REASONS, Skip
from rhobin.data.images.decode import BadSampleError
from rhobin.data.prepare.prepared import PreparedRelease
from rhobin.data.shared import shared_array

log = logging.getLogger(__name__)

_CODES = {reason: code for code, reason in enumerate(REASONS, start=1)}
_REASONS = {code: reason for reason, code in _CODES.items()}


class Faults:
    """Which views of a dataset cannot be used, and why.

    Attributes:
        code: (M,) 0 for a view that nothing is known against.
        file: (M,) which of its files is at fault.
    """

    def __init__(self, release: Release, views: np.ndarray, known: bool):
        """Start with nothing known.

        Args:
            release: with the views.
            views: (M,) its rows.
            known: whether to take over at once what preparing found of a prepared root.
        """
        self.release, self.views = release, views
        self.code = shared_array(len(views), np.uint8)
        self.file = shared_array(len(views), np.uint8)
        if known and isinstance(release, PreparedRelease):
            stored = release.stored[views]
            self.code[:] = [_CODES[why] if why else 0 for why in stored["reason"].astype(str).tolist()]
            self.file[:] = np.where(self.code, stored["bad_file"], 0)

    def note(self, index: int, error: BadSampleError) -> None:
        """Remember and log what is wrong with a view."""
        files = self.release.view_files(int(self.views[index]))
        self.file[index] = files.index(error.file)
        self.code[index] = _CODES[error.reason]
        log.warning("skipped %s: %s", error.file, error.detail)

    def skips(self) -> list[Skip]:
        """Views found unusable so far, by any process."""
        found = []
        for index in np.flatnonzero(self.code):
            files = self.release.view_files(int(self.views[index]))
            file = files[self.file[index]] or files[0]
            reason = _REASONS[int(self.code[index])]
            found.append(Skip(str(file.relative_to(self.release.root)), reason, REASONS[reason], 1))
        return found
