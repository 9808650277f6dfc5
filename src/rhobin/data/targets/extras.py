"""Targets that only some methods train on; the others do not pay for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from rhobin.data.reads import CropReads
from rhobin.data.settings import TargetConfig
from rhobin.data.targets.bev import draw_bev
from rhobin.data.targets.heatmaps import draw_heatmaps, heatmap_coordinates
from rhobin.data.targets.maps import ObjectMapper
from rhobin.objects.template import Template


class Extras:
    """Draws the targets that were asked for in one of a sample's crops, in the crop's own camera."""

    def __init__(self, crop: CropReads, config: TargetConfig, templates: Mapping[int, Template]):
        """Configure.

        Args:
            crop: which targets.
            config: how to draw them.
            templates: object templates by id.

        Raises:
            ValueError: a template has fewer vertices than regions are asked for.
        """
        self.names, self.config = crop.targets, config
        self.mapper = ObjectMapper(templates, config.maps) if "maps" in self.names else None

    def __call__(
        self, object_id: int, values: Mapping[str, np.ndarray], K_crop: np.ndarray, mask: np.ndarray
    ) -> dict[str, Any]:
        """Members of `Target` that were asked for, of the parts that the sample shows.

        Args:
            object_id: which object.
            values: after augmentation, camera frame, metres: `joints` (29, 3) where the sample shows a
                person; `R` (3, 3), `t` (3,) and `kpts` (8, 3) where it shows an object.
            K_crop: (3, 3) intrinsics of the crop.
            mask: (H, W) uint8 object mask of the crop, as wide as it.
        """
        drawn: dict[str, Any] = {}
        size = mask.shape[1]
        if "heatmaps" in self.names and values:
            drawn["heatmaps"] = draw_heatmaps(values, K_crop, self.config.heatmaps, size)
        if self.mapper and "R" in values:
            drawn["maps"] = self.mapper(object_id, values["R"], values["t"], K_crop, mask)
        if "bev" in self.names and "joints" in values:
            joints = values["joints"]
            extent = _extent(joints[joints[:, 2] > 0], K_crop, size)
            drawn["bev"] = draw_bev(joints[0], extent, K_crop, self.config.bev, size)
        return drawn


def _extent(joints: np.ndarray, K_crop: np.ndarray, input_size: int) -> np.ndarray:
    """Width and height (2,) of the joints before the camera, in crop widths, at most 1."""
    if not len(joints):
        return np.zeros(2)
    uv = heatmap_coordinates(joints, 0.0, K_crop, 1.0, input_size)[0][:, :2]
    return np.minimum(np.ptp(uv, axis=0), 1.0)
