"""Targets that only some methods train on; the others do not pay for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rhobin.data.targets.bev import BevConfig, draw_bev
from rhobin.data.targets.maps import MapConfig, ObjectMapper
from rhobin.objects.template import Template

EXTRAS = ("maps", "bev")


def check_extras(names: Sequence[str], strides: Mapping[str, int], input_size: int) -> None:
    """Check which optional targets are asked for.

    Args:
        names: of `EXTRAS`.
        strides: input pixels that a map pixel of each is wide.
        input_size: width of the crop, pixels.

    Raises:
        ValueError: an unknown name, or a grid that does not divide the crop.
    """
    for name in names:
        if name not in EXTRAS:
            raise ValueError(f"data.targets names {name!r}; expected any of {', '.join(EXTRAS)}")
        if strides[name] < 1 or input_size % strides[name]:
            raise ValueError(
                f"data.{name}.stride is {strides[name]}, which does not divide data.input_size {input_size}"
            )


class Extras:
    """Draws the optional targets that were asked for, in the crop's own camera."""

    def __init__(
        self,
        names: Sequence[str],
        maps: MapConfig,
        bev: BevConfig,
        input_size: int,
        templates: Mapping[str, Template],
    ):
        self.names, self.bev, self.input_size = tuple(names), bev, input_size
        self.mapper = ObjectMapper(templates, maps, input_size) if "maps" in names else None

    def __call__(
        self, name: str, values: Mapping[str, np.ndarray], K_crop: np.ndarray, mask: np.ndarray
    ) -> dict[str, Any]:
        """Members of `Target` that were asked for.

        Args:
            name: of the object.
            values: the sample's other targets, after augmentation: `joints`, `joints_uvd`, `obj_R`, `obj_t`.
            K_crop: (3, 3) intrinsics of the crop.
            mask: (H, W) uint8 object mask of the crop.
        """
        drawn: dict[str, Any] = {}
        if self.mapper:
            drawn["maps"] = self.mapper(name, values["obj_R"], values["obj_t"], K_crop, mask)
        if "bev" in self.names:
            joints = values["joints"]
            seen = values["joints_uvd"][joints[:, 2] > 0, :2]
            # a joint beside the lens projects far away; nobody is larger than the crop
            extent = np.minimum(np.ptp(seen, axis=0), 1.0) if len(seen) else np.zeros(2)
            drawn["bev"] = draw_bev(joints[0], extent, K_crop, self.bev, self.input_size)
        return drawn
