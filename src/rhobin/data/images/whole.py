"""Whole test images of any root, to draw on."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from rhobin.behave.readers.challenge2024 import image_id
from rhobin.behave.release import Release
from rhobin.data.prepare.prepared import open_source
from rhobin.data.prepare.stored import StoredSource
from rhobin.data.splits import read_test_split
from rhobin.geometry.camera import resize_intrinsics


def read_test_view(root: Path, sequence: str, frame: str) -> tuple[np.ndarray, np.ndarray]:
    """A test image of a root of any layout, prepared or not.

    Args:
        root: dataset root.
        sequence: sequence name.
        frame: frame name, or an image's id whatever the sequence.

    Returns:
        (H, W, 3) RGB uint8, black where a prepared root stores nothing, and (3, 3) intrinsics.

    Raises:
        FileNotFoundError: the root has no such test view.
        BadSampleError: its files cannot be used.
    """
    release, rows = _test_views(root.resolve())
    row = rows.get((sequence, frame), rows.get(("", frame)))
    if row is None:
        raise FileNotFoundError(
            f"{root} has no test view of {sequence}/{frame}; was it made from other data?"
        )
    source = open_source(release, row)
    image = source.read_color(1)
    if isinstance(source, StoredSource):
        image = cv2.warpAffine(image, np.linalg.inv(source.from_image)[:2], source.size)
    camera = release.cameras[release.views.camera[row]]
    K = resize_intrinsics(camera.K, source.size[0] / camera.width, source.size[1] / camera.height)
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB), K


@lru_cache(maxsize=1)
def _test_views(root: Path) -> tuple[Release, dict[tuple[str, str], int]]:
    """The test split, and its views by sequence and frame, and by the ids that images of 2024 have."""
    release = read_test_split(root)
    rows: dict[tuple[str, str], int] = {}
    for row, frame in enumerate(release.views.frame.tolist()):
        sequence, name = release.sequences[release.frames.sequence[frame]], str(release.frames.name[frame])
        kinect = int(release.views.kinect[row])
        rows |= {(sequence, name): row, ("", image_id(sequence, name, kinect)): row}
        if release.layout == "2024":  # ids of other datasets are the frames' names
            rows[("", name)] = row
    return release, rows
