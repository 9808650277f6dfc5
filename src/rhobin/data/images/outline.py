"""From a view's masks to what its crops can show, decoded, and to the pixels of a crop."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from rhobin.data.images.framing import Framing
from rhobin.data.images.patch import Patch, reduce_mask, resize_map, warp_color, warp_mask
from rhobin.data.images.plan import PatchPlan, plan_patch
from rhobin.data.images.source import ViewSource


@dataclass(frozen=True)
class DecodedView:
    """The part of a view that one of its crops can show, decoded.

    Attributes:
        color: its colour.
        masks: where the person, then the object, is visible.
        centre: (2,) middle of the square crop in the full image, pixels.
        side: side of the square crop, pixels of the full image or of the camera turned to it, see `Framing`.
        size: width and height of the full image.
    """

    color: Patch
    masks: tuple[Patch, Patch]
    centre: np.ndarray
    side: float
    size: tuple[int, int]

    def reduced(self, factor: float) -> DecodedView:
        """The same with colour of fewer pixels, for a crop that shows so much fewer; 1 changes nothing."""
        if factor >= 1:
            return self
        width, height = self.color.size
        size = max(1, round(factor * width)), max(1, round(factor * height))
        shrink = resize_map(0, 0, size[0] / width, size[1] / height)
        pixels = cv2.resize(self.color.pixels, size, interpolation=cv2.INTER_AREA)
        return replace(self, color=Patch(pixels, shrink @ self.color.from_image))

    def masks_on_color(self) -> np.ndarray:
        """Both masks (2, h, w) uint8 of 0 or 255 on the pixels of `color`."""
        return np.stack([warp_mask(mask, self.color.from_image, self.color.size) for mask in self.masks])


@dataclass(frozen=True)
class Outline:
    """A view before its colour is decoded: enough to say where a crop looks.

    Attributes:
        masks: where the person, then the object, is visible.
        centre: (2,) middle of the square crop in the full image, pixels.
        side: side of the square crop, pixels of the full image or of the camera turned to it, see `Framing`.
        size: width and height of the full image.
        plan: which pixels of the colour to keep.
        source: where the colour comes from.
    """

    masks: tuple[Patch, Patch]
    centre: np.ndarray
    side: float
    size: tuple[int, int]
    plan: PatchPlan
    source: ViewSource

    def decode(self, shown: np.ndarray | None = None) -> DecodedView:
        """The view with its colour.

        Args:
            shown: (N, 2) corners of the only crop that will be shown, pixels of the full image: colour beyond
                them may be missing.

        Raises:
            BadSampleError: naming the file and what is wrong with it.
        """
        color = self.source.color_patch(self.plan, shown)
        return DecodedView(color, self.masks, self.centre, self.side, self.size)


def outline_view(source: ViewSource, framing: Framing, output: int) -> Outline:
    """Masks no finer than needed, and which colour to decode.

    Args:
        source: the view.
        framing: where the crop looks.
        output: width of the network's input, pixels.
    """
    plan = plan_patch(source.size, framing.middle, framing.reach, framing.width, output)
    person, obj = (
        reduce_mask(mask, box, plan.factor) for mask, box in zip(source.masks, source.boxes, strict=True)
    )
    return Outline((person, obj), framing.centre, framing.side, source.size, plan, source)


def crop_corners(from_image: np.ndarray, output: int) -> np.ndarray | None:
    """Corners (4, 2) of a crop in the full image; None where they are no quadrilateral in front of it.

    Args:
        from_image: (3, 3) map from pixels of the full image to pixels of the crop.
        output: width and height of the crop, pixels.
    """
    low, high = -0.5, output - 0.5
    corners = np.array([[low, low, 1], [high, low, 1], [high, high, 1], [low, high, 1]])
    corners = corners @ np.linalg.inv(from_image).T
    depth = corners[:, 2:]
    return corners[:, :2] / depth if (depth > 0).all() or (depth < 0).all() else None


def warp_view(
    view: DecodedView, from_image: np.ndarray, output: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Resample a view under a homography.

    Args:
        view: the decoded view.
        from_image: (3, 3) map from pixels of the full image to pixels of the output.
        output: width and height of the output, pixels.

    Returns:
        Colour (output, output, 3) BGR uint8, person mask and object mask uint8 of 0 or 255; black outside.
    """
    size = (output, output)
    person, obj = (warp_mask(mask, from_image, size) for mask in view.masks)
    return warp_color(view.color, from_image, size), person, obj
