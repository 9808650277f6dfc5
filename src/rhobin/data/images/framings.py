"""Where all crops of a sample look, by the masks of its view."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rhobin.data.images.framing import Framing, Turned, frame_crop, mask_outline
from rhobin.data.images.source import ViewSource
from rhobin.data.reads import CropReads
from rhobin.geometry.distortion import undistort_pixels


def frame_crops(
    source: ViewSource,
    crops: Sequence[CropReads],
    K: np.ndarray,
    turned: bool,
    reach: float = 1.0,
    lens: np.ndarray | None = None,
) -> list[Framing]:
    """The framings of all crops of a sample.

    Args:
        source: whose masks the crops are cut about.
        crops: which squares, that of the sample's image first.
        K: (3, 3) intrinsics of the full image.
        turned: whether the crops are seen by the camera turned to the first one's middle.
        reach: how far crops look beyond their squares, as a factor on their sides.
        lens: (8,) coefficients of the lens that is taken out of the view; None for none.
    """
    if not turned:
        return [frame_crop(source.boxes, crop, source.size, reach) for crop in crops]
    parts = [mask_outline(mask, box) for mask, box in zip(source.masks, source.boxes, strict=True)]
    if lens is not None:
        parts = [undistort_pixels(part, K, lens) for part in parts]
    person, obj = (part[np.isfinite(part).all(axis=1)] for part in parts)
    view = Turned((person, obj), crops[0], K, source.size)
    return [view.frame_crop(crop, reach) for crop in crops]
