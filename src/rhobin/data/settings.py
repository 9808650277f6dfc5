"""How a view becomes a sample, which views validate, and what is kept in memory: the sections of `data`."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from rhobin.behave.framelist import FRAME_LISTS
from rhobin.data.augment.draw import AugmentConfig
from rhobin.data.images.framing import RAYS
from rhobin.data.images.planes import BACKGROUNDS
from rhobin.data.images.undistort import DISTORTIONS
from rhobin.data.reads import CropReads, Reads
from rhobin.data.targets.bev import BevConfig
from rhobin.data.targets.fields import FieldConfig
from rhobin.data.targets.heatmaps import HeatmapConfig
from rhobin.data.targets.maps import MapConfig

CACHES = ("none", "ram")


@dataclass(frozen=True)
class ViewConfig:
    """How a view becomes an image: the keys of `data.view`.

    Attributes:
        input_size: width and height of the network's input, pixels.
        sizes: widths of which each training batch has one, drawn for the batch; empty for `input_size`.
        background: "keep", or "zero" outside both masks.
        distortion: "ignore" the cameras' lenses, or "apply" what is known of them: images are undistorted.
        ray: "ignore", or "turn": crops are seen by a camera that is turned to the middle of the first one.
        on_bad_sample: "raise", or "skip" to the next usable view.
    """

    input_size: int = 256
    sizes: tuple[int, ...] = ()
    background: str = "keep"
    distortion: str = "ignore"
    ray: str = "ignore"
    on_bad_sample: str = "raise"

    def __post_init__(self):
        object.__setattr__(self, "sizes", tuple(self.sizes))
        if any(not isinstance(size, int) or size < 1 for size in self.sizes):
            raise ValueError(f"data.view.sizes is {list(self.sizes)}; expected whole numbers of pixels")
        _check("data.view.background", self.background, BACKGROUNDS)
        _check("data.view.distortion", self.distortion, DISTORTIONS)
        _check("data.view.ray", self.ray, RAYS)
        _check("data.view.on_bad_sample", self.on_bad_sample, ("raise", "skip"))


@dataclass(frozen=True)
class TargetConfig:
    """How targets are made, whichever of them a method reads: the keys of `data.targets`.

    Attributes:
        canonical_symmetry: give poses under which an object looks the same one label.
        heatmaps: settings of heatmap coordinates.
        maps: settings of the object's maps.
        bev: settings of the person's maps.
        fields: where points are drawn whose distances are told.
    """

    canonical_symmetry: bool = False
    heatmaps: HeatmapConfig = field(default_factory=HeatmapConfig)
    maps: MapConfig = field(default_factory=MapConfig)
    bev: BevConfig = field(default_factory=BevConfig)
    fields: FieldConfig = field(default_factory=FieldConfig)


@dataclass(frozen=True)
class ValidationConfig:
    """Which training views validate: the keys of `data.validation`.

    Attributes:
        fraction: share of training frames held out, by whole sequences.
        by: "group" (subject and room), "sequence", or "release" for the root's own validation sequences.
        seed: of the choice; runs that differ in `data.seed` alone hold out the same.
        views: at most so many validation views, evenly spread; None for all.
    """

    fraction: float = 0.1
    by: str = "group"
    seed: int = 0
    views: int | None = None


@dataclass(frozen=True)
class CacheConfig:
    """What is kept in memory: the keys of `data.cache`.

    Attributes:
        kind: "ram" keeps decoded training views, "none" decodes them every time.
        mb: limit of that memory, 2^20 bytes.
    """

    kind: str = "none"
    mb: int = 2048

    def __post_init__(self):
        _check("data.cache.kind", self.kind, CACHES)


@dataclass(frozen=True)
class SampleConfig:
    """All that decides what a sample holds.

    Attributes:
        view: how a view becomes an image.
        reads: what the method asks for.
        targets: how targets are made.
    """

    view: ViewConfig = field(default_factory=ViewConfig)
    reads: Reads = field(default_factory=Reads)
    targets: TargetConfig = field(default_factory=TargetConfig)

    def __post_init__(self):
        resized = [replace(self.crops[0], input_size=size) for size in self.view.sizes]
        for crop in (*self.crops, *resized):
            for name in ("maps", "bev"):
                stride = getattr(self.targets, name).stride
                if name in crop.targets and (stride < 1 or crop.input_size % stride):
                    raise ValueError(
                        f"data.targets.{name}.stride is {stride}, which does not divide the crop's "
                        f"{crop.input_size} px (data.view.input_size or sizes, or model.reads.further)"
                    )

    @cached_property
    def crops(self) -> tuple[CropReads, ...]:
        """The crops of a sample: that of its image, then the further ones in order."""
        reads = self.reads
        main = CropReads(reads.crop, reads.expand, self.view.input_size, reads.targets)
        return (main, *reads.further.values())

    @property
    def largest(self) -> tuple[CropReads, ...]:
        """The same crops, as fine as any batch shows them."""
        first, *further = self.crops
        size = max((first.input_size, *self.view.sizes))
        return (replace(first, input_size=size), *further)

    @property
    def one_size(self) -> SampleConfig:
        """The same for views that are not trained on, which all have `data.view.input_size`."""
        return replace(self, view=replace(self.view, sizes=())) if self.view.sizes else self


@dataclass(frozen=True)
class DataSettings:
    """All of `data` but the loaders: what is read, and what becomes of it.

    Attributes:
        root: dataset root, or a prepared one.
        layout: whose rules the root follows; "auto" looks.
        body: folder of licensed SMPL-H files, "standin", or None; see `rhobin.behave.own_body.choose_body`.
        frame_list: "all" views, or those of "chore"'s frame list.
        seed: of order and augmentation.
        samples: what samples hold.
        augment: of training views; None for none.
        validation: which training views validate.
        cache: what is kept in memory.
        overfit: train and validate on so many training views alone; None for all.
    """

    root: Path
    layout: str
    body: str | Path | None
    frame_list: str
    seed: int
    samples: SampleConfig
    augment: AugmentConfig | None
    validation: ValidationConfig
    cache: CacheConfig
    overfit: int | None = None

    def __post_init__(self):
        _check("data.frame_list", self.frame_list, FRAME_LISTS)
        if self.overfit is not None and self.overfit < 1:
            raise ValueError(f"data.overfit is {self.overfit}; expected how many views, or null for all")


def _check(where: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise ValueError(f"{where} is {value!r}; expected one of {', '.join(known)}")
