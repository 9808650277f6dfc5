"""A batch of zeros with the shapes and types of training's batches, where there are no data."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from rhobin.data.reads import CropReads
from rhobin.data.settings import SampleConfig, TargetConfig
from rhobin.types import (
    Batch,
    BevMaps,
    Crop,
    Fields,
    Heatmaps,
    HumanTarget,
    ObjectMaps,
    ObjectTarget,
    SampleKey,
    Target,
)


def blank_batch(samples: SampleConfig, count: int) -> Batch:
    """Zeros as `collate` would stack them, of the largest crops that any batch shows.

    Args:
        samples: what samples hold.
        count: samples of the batch; each shows a person and an object.
    """
    first, *_ = crops = samples.largest
    planes = 2 + len(samples.reads.planes)
    further = dict(zip(samples.reads.further, crops[1:], strict=True))
    return Batch(
        image=_image(count, planes, first),
        K_crop=torch.zeros(count, 3, 3),
        window=torch.zeros(count, 3),
        turn=torch.zeros(count, 3, 3),
        gender=torch.zeros(count, dtype=torch.long),
        object_id=torch.zeros(count, dtype=torch.long),
        target=Target(_human(count), _object(count), **_drawn(count, first, samples.targets)),
        keys=[SampleKey("blank", "t0000.000", 0, index) for index in range(count)],
        further={
            name: Crop(
                _image(count, planes, crop),
                torch.zeros(count, 3, 3),
                **_drawn(count, crop, samples.targets),
            )
            for name, crop in further.items()
        },
    )


def _image(count: int, planes: int, crop: CropReads) -> Tensor:
    return torch.zeros(count, planes, crop.input_size, crop.input_size, dtype=torch.uint8)


def _human(count: int) -> HumanTarget:
    return HumanTarget(
        theta=torch.zeros(count, 52, 3, 3),
        beta=torch.zeros(count, 10),
        trans=torch.zeros(count, 3),
        joints=torch.zeros(count, 29, 3),
        twist=torch.zeros(count, 23, 2),
        twist_weight=torch.zeros(count, 23),
        present=torch.zeros(count),
    )


def _object(count: int) -> ObjectTarget:
    return ObjectTarget(
        R=torch.zeros(count, 3, 3),
        t=torch.zeros(count, 3),
        kpts=torch.zeros(count, 8, 3),
        present=torch.zeros(count),
    )


def _drawn(count: int, crop: CropReads, config: TargetConfig) -> dict[str, Any]:
    made = {"heatmaps": _heatmaps, "maps": _maps, "bev": _bev, "fields": _fields}
    return {name: made[name](count, crop.input_size, config) for name in crop.targets}


def _heatmaps(count: int, size: int, config: TargetConfig) -> Heatmaps:
    return Heatmaps(
        joints_uvd=torch.zeros(count, 29, 3),
        joints_weight=torch.zeros(count, 29),
        kpts_uvd=torch.zeros(count, 8, 3),
        kpts_weight=torch.zeros(count, 8),
    )


def _maps(count: int, size: int, config: TargetConfig) -> ObjectMaps:
    width = size // config.maps.stride
    return ObjectMaps(
        nocs=torch.zeros(count, 3, width, width),
        region=torch.zeros(count, width, width, dtype=torch.long),
        amodal=torch.zeros(count, width, width),
        visible=torch.zeros(count, width, width),
        box=torch.zeros(count, 2, 3),
        K=torch.zeros(count, 3, 3),
    )


def _bev(count: int, size: int, config: TargetConfig) -> BevMaps:
    line = torch.zeros(count, size // config.bev.stride)
    return BevMaps(
        depth=torch.zeros(count, config.bev.bins),
        row=line,
        column=line.clone(),
        front_row=line.clone(),
        front_column=line.clone(),
        cell=torch.zeros(count, 3, dtype=torch.long),
        offset=torch.zeros(count, 3),
        weight=torch.zeros(count),
    )


def _fields(count: int, size: int, config: TargetConfig) -> Fields:
    points = config.fields.points
    return Fields(
        points=torch.zeros(count, points, 3),
        distance=torch.zeros(count, points, 2),
        part=torch.zeros(count, points, dtype=torch.long),
    )
