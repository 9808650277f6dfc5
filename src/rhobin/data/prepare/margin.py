"""Whether a prepared root stores all that a loader shows."""

from __future__ import annotations

import logging

import numpy as np

from rhobin.behave.release import Release
from rhobin.data.images.crops import missing_mask
from rhobin.data.images.framing import Framing, Turned, box_outlines, frame_crop
from rhobin.data.prepare.prepared import PreparedRelease
from rhobin.data.prepare.recipe import AROUND
from rhobin.data.prepare.view import surrounded
from rhobin.data.reads import CropReads

log = logging.getLogger(__name__)

_BORDER = 3.0  # pixels; a patch is decoded a little wider than its crops look


def require_margin(
    release: Release, views: np.ndarray, reads: CropReads, reach: float, first: CropReads | None = None
) -> None:
    """Check that what is stored of some views holds all that their crops can show.

    Args:
        release: nothing is checked unless it is a prepared one.
        views: (M,) its rows.
        reads: the crop; where it is finer than what is stored, there is only a warning.
        reach: how far augmented crops look beyond the square, as a factor on its side.
        first: the crop that the camera turns to; None where it does not turn. Boxes then stand for the masks,
            which they surround.

    Raises:
        ValueError: crops would show black where the raw image goes on; says which margin would do.
    """
    if not isinstance(release, PreparedRelease):
        return
    crop, output = reads.crop, reads.input_size
    wanted, coarse, usable, finer = 0.0, 0, 0, 1.0
    for view, row in zip(views.tolist(), release.stored[views], strict=True):
        boxes = row["boxes"].astype(np.float64)
        kinds = {crop, first.crop if first else crop}
        if row["reason"] or any(missing_mask(boxes, kind, partly=True) is not None for kind in kinds):
            continue
        framing = _framing(release, view, boxes, reads, reach, first)
        wanted, side = max(wanted, _missing_margin(row, release.recipe.around, framing)), framing.width
        scale = row["stored"][0] / (row["patch"][2] - row["patch"][0])
        if scale < 1 and side * scale < output:
            coarse, finer = coarse + 1, max(finer, min(output / side, 1) / scale)
        usable += 1
    recipe = release.recipe
    if wanted:
        margin = float(np.ceil(wanted * 10) / 10)
        size = np.ceil(recipe.size * margin / recipe.margin)
        raise ValueError(
            f"{release.root} was prepared with --margin {recipe.margin:g}; model.reads.crop, its expand and "
            f"data.augment look as far as {wanted:.2f} times the box of the {recipe.around}. "
            f"Prepare again with --margin {margin:g} --size {size:.0f} for the same detail, or turn, scale "
            "and shift less."
        )
    if coarse:
        other = f"--around {crop}, or with " if crop in AROUND and crop != recipe.around else ""
        log.warning(
            "%s: of %d of %d %s views, fewer pixels are stored than data.view.input_size=%d shows; prepare "
            "with %s--size %d for all the detail of the raw images",
            release.root, coarse, usable, release.split, output, other,
            np.ceil(recipe.size * finer),
        )  # fmt: skip


def _framing(
    release: PreparedRelease,
    view: int,
    boxes: np.ndarray,
    reads: CropReads,
    reach: float,
    first: CropReads | None,
) -> Framing:
    width, height = release.stored[view]["size"].tolist()
    if first is None:
        return frame_crop(boxes, reads, (width, height), reach)
    K = release.intrinsics(view, (width, height))
    return Turned(box_outlines(boxes), first, K, (width, height)).frame_crop(reads, reach)


def _missing_margin(row: np.ndarray, around: str, framing: Framing) -> float:
    """The margin that would hold what a crop can show, or 0 when the stored patch does."""
    patch, size = row["patch"].astype(np.float64), row["size"]
    middle, half = framing.middle + 0.5, framing.reach / 2
    needed = np.concatenate([np.maximum(middle - half, 0), np.minimum(middle + half, size)])
    outside = np.concatenate([patch[:2] - needed[:2], needed[2:] - patch[2:]])
    if outside.max() <= _BORDER:
        return 0.0
    box = surrounded(row["boxes"].astype(np.float64), around)
    middle = box[:2] + box[2:] / 2
    reach = np.abs(np.concatenate([middle - needed[:2], needed[2:] - middle]))[outside > _BORDER].max()
    return float(2 * reach / box[2:].max())
