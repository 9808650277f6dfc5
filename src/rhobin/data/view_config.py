"""How a view becomes a sample."""

from __future__ import annotations

from dataclasses import dataclass, field

from rhobin.data.images.crops import CROPS
from rhobin.data.images.planes import BACKGROUNDS
from rhobin.data.images.undistort import DISTORTIONS
from rhobin.data.targets.bev import BevConfig
from rhobin.data.targets.extras import check_extras
from rhobin.data.targets.maps import MapConfig


@dataclass(frozen=True)
class ViewConfig:
    """How a view becomes a sample.

    Attributes:
        input_size: width and height of the network's input, pixels.
        depth_range: metres of depth that heatmap coordinates span.
        crop: which square to cut, one of `CROPS`: see `crop_square`.
        expand: factor on the crop's box; None for the method's own.
        background: "keep", or "zero" outside both masks.
        on_bad_sample: "raise", or "skip" to the next usable view.
        canonical_symmetry: give poses under which an object looks the same one label.
        targets: targets to draw beside the parts: "heatmaps", "maps", "bev".
        maps: settings of the object's maps.
        bev: settings of the person's maps.
        distortion: "ignore" the cameras' lenses, or "apply" what is known of them: images are undistorted.
    """

    input_size: int = 256
    depth_range: float = 4.4
    crop: str = "union"
    expand: float | None = None
    background: str = "keep"
    on_bad_sample: str = "raise"
    canonical_symmetry: bool = False
    targets: tuple[str, ...] = ("heatmaps",)
    maps: MapConfig = field(default_factory=MapConfig)
    bev: BevConfig = field(default_factory=BevConfig)
    distortion: str = "ignore"

    def __post_init__(self):
        allowed = {"crop": CROPS, "background": BACKGROUNDS, "on_bad_sample": ("raise", "skip"),
                   "distortion": DISTORTIONS}  # fmt: skip
        for name, values in allowed.items():
            if getattr(self, name) not in values:
                raise ValueError(
                    f"data.{name} is {getattr(self, name)!r}; expected one of {', '.join(values)}"
                )
        if self.input_size < 1 or self.depth_range <= 0 or (self.expand is not None and self.expand <= 0):
            raise ValueError("data.input_size, data.depth_range and data.expand must be positive")
        check_extras(self.targets, {"maps": self.maps.stride, "bev": self.bev.stride}, self.input_size)
