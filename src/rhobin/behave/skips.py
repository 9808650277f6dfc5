"""What could not be used, and why: every skipped file is named, counted and explained."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

REASONS = {
    "missing_sequence": "the split names a sequence that is not on disk",
    "bad_sequence": "sequence name or info.json cannot be read",
    "unknown_object": "the root has no template of the object",
    "bad_calibration": "calibration is missing or broken",
    "missing_person_fit": "a frame has no fitted body",
    "missing_object_fit": "a frame has no fitted object",
    "broken_pickle": "a pickle is truncated or not a pickle",
    "unsafe_pickle": "a pickle would run code; it was not loaded",
    "bad_parameters": "parameters have the wrong shape or are not finite",
    "absurd_placement": "what was fitted is behind the camera, far away, inhuman or turned beyond a turn",
    "missing_color": "a view has no colour image",
    "missing_person_mask": "a view has no person mask",
    "missing_object_mask": "a view has no object mask",
    "empty_file": "an image has zero bytes",
    "unreadable_image": "an image is truncated or cannot be decoded",
    "image_size": "colour and masks of a view differ in size",
    "image_shape": "an image has another aspect ratio than its camera: cropped, padded or turned",
    "faint_mask": "a mask is drawn in other values than 0 and 255, or 0 and 1",
    "empty_person_mask": "no person pixel is visible",
    "empty_object_mask": "no object pixel is visible",
    "wrong_masks": "masks are exchanged, or nowhere near what was fitted",
    "not_registered": "the release is known to have no registration of this object",
    "broken_archive": "an .npz file is truncated or lacks an array",
    "unmatched_times": "a body fit without an object fit of the same time, or the other way round",
    "missing_video": "a colour video is missing or cannot be opened",
    "no_video_frame": "a video has no frame at the time of a fit",
    "not_in_split": "a sequence that the split does not list",
    "missing_image": "an annotation without an image of its name",
    "missing_annotation": "an image without an annotation of its name",
    "other_dataset": "an image of InterCap or IMHD, whose objects are not BEHAVE's",
    "unknown_template": "annotated object vertices are none of the known templates",
    "not_in_frame_list": "a view that CHORE's frame list leaves out",
    "no_human": "views without a person that the method reads (model.reads)",
    "no_object": "views without an object that the method reads (model.reads)",
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

    def __str__(self) -> str:
        """The file, with what was found where that tells more than the reason."""
        return self.file if self.detail == REASONS[self.reason] else f"{self.file} ({self.detail})"


def count_skips(skips: Iterable[Skip]) -> dict[str, dict[str, int]]:
    """Files and views lost by reason, in the order of `REASONS`."""
    files: Counter[str] = Counter()
    views: Counter[str] = Counter()
    for skip in skips:
        files[skip.reason] += 1
        views[skip.reason] += skip.views
    return {reason: {"files": files[reason], "views": views[reason]} for reason in REASONS if files[reason]}
