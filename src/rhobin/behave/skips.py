"""What could not be used, and why: every skipped file is named, counted and explained."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

REASONS = {
    "missing_sequence": "the split names a sequence that is not on disk",
    "bad_sequence": "sequence name or info.json cannot be read",
    "unknown_object": "the object is not one of the twenty BEHAVE objects",
    "bad_calibration": "calibration is missing or broken",
    "missing_person_fit": "a frame has no fitted body",
    "missing_object_fit": "a frame has no fitted object",
    "broken_pickle": "a pickle is truncated or not a pickle",
    "unsafe_pickle": "a pickle would run code; it was not loaded",
    "bad_parameters": "parameters have the wrong shape or are not finite",
    "missing_color": "a view has no colour image",
    "missing_person_mask": "a view has no person mask",
    "missing_object_mask": "a view has no object mask",
    "empty_file": "an image has zero bytes",
    "unreadable_image": "an image is truncated or cannot be decoded",
    "image_size": "colour and masks of a view differ in size",
    "empty_person_mask": "no person pixel is visible",
    "empty_object_mask": "no object pixel is visible",
}


@dataclass(frozen=True)
class Skip:
    """One thing left out.

    Attributes:
        file: path relative to the dataset root.
        reason: a key of `REASONS`.
        detail: what exactly was found.
        views: how many views were lost by it.
    """

    file: str
    reason: str
    detail: str
    views: int


def count_skips(skips: Iterable[Skip]) -> dict[str, dict[str, int]]:
    """Files and views lost by reason, in the order of `REASONS`."""
    files: Counter[str] = Counter()
    views: Counter[str] = Counter()
    for skip in skips:
        files[skip.reason] += 1
        views[skip.reason] += skip.views
    return {reason: {"files": files[reason], "views": views[reason]} for reason in REASONS if files[reason]}
