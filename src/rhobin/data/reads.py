"""What a method asks of the data: parts, planes of the image, crops and drawn targets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rhobin.data.images.crops import CROPS
from rhobin.data.images.planes import PLANES
from rhobin.data.sections import read_section

EXTRAS = ("heatmaps", "maps", "bev", "fields")
PARTS = ("human", "object")
WHERE = "model.reads"


@dataclass(frozen=True)
class CropReads:
    """One crop that a method sees of a view.

    Attributes:
        crop: which square to cut, one of `CROPS`: see `crop_square`.
        expand: factor on the crop's box; None for the usual one of that crop.
        input_size: width and height of the crop, pixels.
        targets: targets to draw in it, of `EXTRAS`.
    """

    crop: str = "union"
    expand: float | None = None
    input_size: int = 256
    targets: tuple[str, ...] = ()

    def __post_init__(self):
        object.__setattr__(self, "targets", tuple(self.targets))
        check_names(f"{WHERE}.crop", (self.crop,), CROPS)
        check_names(f"{WHERE}.targets", self.targets, EXTRAS)
        if self.input_size < 1:
            raise ValueError(f"a crop of {self.input_size} px is asked for; data.view.input_size and the "
                             f"input_size of {WHERE}.further must be positive")  # fmt: skip
        if self.expand is not None and self.expand <= 0:
            raise ValueError(f"{WHERE}.expand is {self.expand}; expected a positive factor, or null")


@dataclass(frozen=True)
class Reads:
    """What a method reads: the keys of `model.reads`.

    Attributes:
        parts: what a training sample must have, of `PARTS`; views without it are left out.
        planes: planes of the image, of `PLANES`; the colour comes first.
        crop: of the sample's image; see `CropReads`.
        expand: the same.
        targets: the same.
        further: more crops of the same view, by name.
    """

    parts: tuple[str, ...] = PARTS
    planes: tuple[str, ...] = PLANES
    crop: str = "union"
    expand: float | None = None
    targets: tuple[str, ...] = ()
    further: Mapping[str, CropReads] = field(default_factory=dict)

    def __post_init__(self):
        further: dict[str, CropReads] = {}
        for name in ("parts", "planes", "targets"):
            value = getattr(self, name)
            if isinstance(value, str):
                raise ValueError(f"{WHERE}.{name} is {value!r}; expected a list: [{value}]")
            object.__setattr__(self, name, tuple(value))
        check_names(f"{WHERE}.parts", self.parts, PARTS)
        check_names(f"{WHERE}.planes", self.planes, PLANES)
        if self.planes[:1] != PLANES[:1] or len(set(self.planes)) < len(self.planes):
            raise ValueError(
                f"{WHERE}.planes is {list(self.planes)}; expected {PLANES[0]} first, then masks, each once"
            )
        for name, crop in self.further.items():
            section = f"{WHERE}.further.{name}"
            further[name] = crop if isinstance(crop, CropReads) else read_section(CropReads, section, crop)
            if "fields" in further[name].targets:
                raise ValueError(f"{section}.targets names 'fields', points in space that belong to no crop; "
                                 f"name them in {WHERE}.targets")  # fmt: skip
        object.__setattr__(self, "further", further)


def check_names(where: str, names: tuple[str, ...], known: tuple[str, ...]) -> None:
    """Check that names are known.

    Raises:
        ValueError: one is not; says where it was set, and what is known.
    """
    for name in names:
        if name not in known:
            raise ValueError(f"{where} names {name!r}; expected any of {', '.join(known)}")
