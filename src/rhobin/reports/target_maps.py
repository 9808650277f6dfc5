"""The optional maps of a sample as pictures."""

from __future__ import annotations

import cv2
import numpy as np

from rhobin.reports.palette import RGB, TARGET_BODY, TARGET_OBJECT
from rhobin.types import Sample

DARK = 24
HIDDEN: RGB = (112, 98, 44)


def map_pictures(sample: Sample) -> list[tuple[str, np.ndarray]]:
    """Name and picture (h, w, 3) RGB uint8 of each optional map of a sample."""
    pictures = []
    maps, bev = sample.target.maps, sample.target.bev
    if maps is not None:
        amodal, visible = maps.amodal.numpy() > 0, maps.visible.numpy() > 0
        nocs = np.round(maps.nocs.numpy().transpose(1, 2, 0) * 255).astype(np.uint8)
        pictures += [("NOCS", nocs_picture(nocs, amodal)), ("regions", hues(maps.region.numpy()))]
        pictures.append(("visible", mask_picture(amodal, visible)))
    if bev is not None:
        for name, heat in (("centre", bev.front), ("from above", bev.bird)):
            pictures.append((name, _heat(heat.numpy())))
    return pictures


def nocs_picture(nocs: np.ndarray, amodal: np.ndarray) -> np.ndarray:
    """Coordinates (h, w, 3) uint8 as colours inside a mask (h, w), dark outside."""
    return np.where(amodal[..., None], nocs, np.uint8(DARK))


def mask_picture(amodal: np.ndarray, visible: np.ndarray) -> np.ndarray:
    """Two masks (h, w) on a picture (h, w, 3) uint8: bright where visible, dim where only amodal."""
    seen = np.where(visible[..., None], TARGET_OBJECT, np.where(amodal[..., None], HIDDEN, DARK))
    return seen.astype(np.uint8)


def hues(labels: np.ndarray) -> np.ndarray:
    """A colour for each label, (h, w, 3) uint8; label 0 is dark."""
    hue = (labels * 0.6180339887498949 % 1.0 * 180).astype(np.uint8)
    hsv = np.stack([hue, np.full_like(hue, 150), np.full_like(hue, 235)], axis=-1)
    return cv2.cvtColor(
        np.where(labels[..., None] > 0, hsv, [0, 0, DARK]).astype(np.uint8), cv2.COLOR_HSV2RGB
    )


def _heat(values: np.ndarray) -> np.ndarray:
    """A heatmap of 0 to 1 in the person's colour on a dark ground, (h, w, 3) uint8."""
    share = np.clip(values, 0, 1)[..., None]
    return np.round(DARK + share * (np.array(TARGET_BODY) - DARK)).astype(np.uint8)
