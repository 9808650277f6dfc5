"""Testing with variants: a network sees each crop at several scales and in the mirror.

A method runs its network on the variants of a batch (`look`), tells every output in the space of the crop
as it was (`Variant.to_crop` for what is counted in pixels, `rhobin.body.transform` for bodies in the mirror),
and takes their mean there (`mean_of`, or one of its own).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, Generic, TypeVar, cast

import torch
import torch.nn.functional as F
from torch import Tensor

from rhobin.geometry.precision import full_precision
from rhobin.types import Batch, Crop, Target

T = TypeVar("T")

_COLOURS = 3
_SET = 127  # pixels of a mask above it are set


@dataclass(frozen=True)
class Variant:
    """One way to look at a crop.

    Attributes:
        scale: factor on the crop's side: 1.15 shows more around it, at the same number of pixels.
        mirrored: whether left and right are exchanged after that.
    """

    scale: float = 1.0
    mirrored: bool = False

    def __post_init__(self) -> None:
        if not self.scale > 0:
            raise ValueError(f"the scale of a variant is {self.scale}; expected a positive factor")

    def from_crop(self, width: int) -> Tensor:
        """Map (3, 3) from pixels of the crop as it was, `width` wide, to pixels of the variant; float64."""
        zoom, sign, middle = 1 / self.scale, -1 if self.mirrored else 1, (width - 1) / 2
        return torch.tensor(
            [[sign * zoom, 0, middle * (1 - sign * zoom)], [0, zoom, middle * (1 - zoom)], [0, 0, 1]],
            dtype=torch.float64,
        )

    def to_crop(self, uv: Tensor, width: int) -> Tensor:
        """Positions (..., 2) in the crop as it was of those in the variant.

        Both are heatmap coordinates, u = x / width - 0.5 with x a pixel.
        """
        half = 0.5 / width  # from the first pixel's edge, which coordinates count from, to its centre
        sign = uv.new_tensor([-1.0 if self.mirrored else 1.0, 1.0])
        return (uv + half) * sign * self.scale - half


def variants(scales: Sequence[float] = (1.0,), mirrored: bool = False) -> tuple[Variant, ...]:
    """Every scale, and each of them in the mirror where that is asked for."""
    return tuple(
        Variant(scale, side) for side in ((False, True) if mirrored else (False,)) for scale in scales
    )


@dataclass(frozen=True)
class Seen(Generic[T]):
    """What a network said of a variant.

    Attributes:
        variant: how it looked.
        batch: what it looked at.
        output: of the network.
    """

    variant: Variant
    batch: Batch
    output: T


def look(run_net: Callable[[Batch], T], batch: Batch, chosen: Sequence[Variant]) -> list[Seen[T]]:
    """Run a network on variants of a batch, in their order."""
    seen = ((variant, changed(batch, variant)) for variant in chosen)
    return [Seen(variant, crops, run_net(crops)) for variant, crops in seen]


@full_precision
def changed(batch: Batch, variant: Variant) -> Batch:
    """The batch as a variant shows it, without targets, which are those of another crop.

    In the mirror the crop shows the scene's mirror image, diag(-1, 1, 1) X, through the camera K_crop: all
    that is predicted is of that scene.

    Args:
        batch: of crops; what an enlarged one shows beyond them is black.
        variant: how to look.
    """
    window = batch.window * batch.window.new_tensor([1, 1, variant.scale])
    sign = batch.turn.new_tensor([-1.0 if variant.mirrored else 1.0, 1, 1])
    return replace(
        batch,
        image=_image(batch.image, variant),
        K_crop=_intrinsics(batch.K_crop, variant, batch.image.shape[-1]),
        window=window,
        turn=sign[:, None] * batch.turn * sign,
        target=Target(),
        further={
            name: Crop(_image(crop.image, variant), _intrinsics(crop.K, variant, crop.image.shape[-1]))
            for name, crop in batch.further.items()
        },
    )


def mean_of(outputs: Sequence[T]) -> T:
    """Mean of outputs of one type: tensors, and tuples, dicts and dataclasses of them, at any depth.

    Outputs that are the same have themselves as their mean, to the bit. Other members than tensors are the
    first output's.
    """
    return cast(T, _mean(list(outputs)))


def _mean(values: list[Any]) -> Any:
    first = values[0]
    if isinstance(first, Tensor):
        return first + sum(other - first for other in values) / len(values)
    if isinstance(first, dict):
        return {name: _mean([value[name] for value in values]) for name in first}
    if isinstance(first, tuple):
        parts = [_mean(list(column)) for column in zip(*values, strict=True)]
        return type(first)(*parts) if hasattr(first, "_fields") else tuple(parts)
    if is_dataclass(first) and not isinstance(first, type):
        named = {f.name: _mean([getattr(value, f.name) for value in values]) for f in fields(first)}
        return type(first)(**named)
    return first


def _image(image: Tensor, variant: Variant) -> Tensor:
    """Planes (B, P, H, W) uint8 as the variant shows them."""
    if variant.scale != 1:
        shrink = torch.diag(torch.full((3,), variant.scale, device=image.device))[:2]
        grid = F.affine_grid(shrink.expand(len(image), 2, 3), list(image.shape), align_corners=False)
        planes = F.grid_sample(image.float(), grid, align_corners=False)
        masks = 255 * (planes[:, _COLOURS:] > _SET)
        image = torch.cat([planes[:, :_COLOURS].round().clamp(0, 255), masks], dim=1).to(torch.uint8)
    return image.flip(-1) if variant.mirrored else image


def _intrinsics(K: Tensor, variant: Variant, width: int) -> Tensor:
    """Intrinsics (B, 3, 3) of the variant; in the mirror, of the mirrored scene."""
    sign = K.new_tensor([-1.0 if variant.mirrored else 1.0, 1, 1], dtype=torch.float64)
    return (variant.from_crop(width).to(K.device) @ K.double() * sign).to(K.dtype)
