"""Targets that only some methods train on; the others do not pay for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rhobin.data.targets.bev import BevConfig, draw_bev
from rhobin.data.targets.heatmaps import HeatmapConfig, draw_heatmaps, heatmap_coordinates
from rhobin.data.targets.maps import MapConfig, ObjectMapper
from rhobin.objects.template import Template

EXTRAS = ("heatmaps", "maps", "bev")


def check_extras(names: Sequence[str], strides: Mapping[str, int], input_size: int) -> None:
    """Check which optional targets are asked for.

    Args:
        names: of `EXTRAS`.
        strides: input pixels that a map pixel of each is wide, of those that are drawn on a grid.
        input_size: width of the crop, pixels.

    Raises:
        ValueError: an unknown name, or a grid that does not divide the crop.
    """
    for name in names:
        if name not in EXTRAS:
            raise ValueError(f"data.targets names {name!r}; expected any of {', '.join(EXTRAS)}")
        if name in strides and (strides[name] < 1 or input_size % strides[name]):
            raise ValueError(
                f"data.{name}.stride is {strides[name]}, which does not divide data.input_size {input_size}"
            )


class Extras:
    """Draws the optional targets that were asked for, in the crop's own camera."""

    def __init__(
        self,
        names: Sequence[str],
        heatmaps: HeatmapConfig,
        maps: MapConfig,
        bev: BevConfig,
        input_size: int,
        templates: Mapping[str, Template],
    ):
        self.names, self.heatmaps, self.bev, self.input_size = tuple(names), heatmaps, bev, input_size
        self.mapper = ObjectMapper(templates, maps, input_size) if "maps" in names else None

    def __call__(
        self, name: str, values: Mapping[str, np.ndarray], K_crop: np.ndarray, mask: np.ndarray
    ) -> dict[str, Any]:
        """Members of `Target` that were asked for.

        Args:
            name: of the object.
            values: the sample's parts after augmentation: `joints` of the person; `R`, `t` and `kpts` of the
                object.
            K_crop: (3, 3) intrinsics of the crop.
            mask: (H, W) uint8 object mask of the crop.
        """
        drawn: dict[str, Any] = {}
        if "heatmaps" in self.names:
            drawn["heatmaps"] = draw_heatmaps(values, K_crop, self.heatmaps, self.input_size)
        if self.mapper:
            drawn["maps"] = self.mapper(name, values["R"], values["t"], K_crop, mask)
        if "bev" in self.names:
            joints = values["joints"]
            extent = _extent(joints[joints[:, 2] > 0], K_crop, self.input_size)
            drawn["bev"] = draw_bev(joints[0], extent, K_crop, self.bev, self.input_size)
        return drawn


def _extent(joints: np.ndarray, K_crop: np.ndarray, input_size: int) -> np.ndarray:
    """Width and height (2,) of the joints before the camera, in crop widths, at most 1."""
    if not len(joints):
        return np.zeros(2)
    uv = heatmap_coordinates(joints, 0.0, K_crop, 1.0, input_size)[0][:, :2]
    return np.minimum(np.ptp(uv, axis=0), 1.0)
