"""Views of a release, decoded as far as their crops can show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from rhobin.behave.release import Release
from rhobin.data.images.crops import EMPTY_MASK, missing_mask
from rhobin.data.images.decode import BadSampleError
from rhobin.data.images.framing import Framing
from rhobin.data.images.framings import frame_crops
from rhobin.data.images.outline import DecodedView, Outline, outline_view
from rhobin.data.images.plausible import mask_fault, shape_fault
from rhobin.data.images.source import RawSource, ViewSource
from rhobin.data.images.undistort import REACH, undistort_outline, undistort_patch
from rhobin.data.prepare.margin import require_margin
from rhobin.data.prepare.prepared import open_source
from rhobin.data.prepare.stored import StoredSource
from rhobin.data.reads import CropReads
from rhobin.data.settings import SampleConfig
from rhobin.data.shared import ViewCache, shared_array
from rhobin.data.targets.views import ViewTargets


class DecodedViews:
    """Decodes the views of a dataset in two steps, and remembers what any process learnt of them.

    Attributes:
        crops: the crops of a sample, as fine as any batch shows them.
        turned: whether crops are seen by the camera turned to the first one's middle.
        seen: (M,) whether a view's masks were judged.
        boxes: (M, 10) boxes of both masks and the image's size, of views that were seen.
        cut_about: (M, 2) width and height of the box that the first crop was cut about, see `Framing`.
    """

    def __init__(
        self,
        release: Release,
        targets: ViewTargets,
        views: np.ndarray,
        config: SampleConfig,
        reach: float,
        cache: ViewCache | None,
        partly: bool,
    ):
        """Configure.

        Args:
            release: where the views come from.
            targets: their ground truth, which masks must fit.
            views: (M,) rows of the release.
            config: what samples hold.
            reach: how far crops look beyond the square, as a factor on its side.
            cache: keeps decoded views; None decodes them every time.
            partly: see `BehaveDataset`.

        Raises:
            ValueError: a prepared root does not store all that crops look at.
        """
        self.undistort, self.turned = config.view.distortion == "apply", config.view.ray == "turn"
        bent = self.undistort and any(camera.distortion is not None for camera in release.cameras)
        self.release, self.targets, self.views, self.crops = release, targets, views, config.largest
        self.reach, self.cache, self.partly = reach * (REACH if bent else 1.0), cache, partly
        for crop in self.crops:
            require_margin(release, views, crop, self.reach, self.crops[0] if self.turned else None)
        self.seen = shared_array(len(views), np.uint8)
        self.boxes = shared_array((len(views), 10), np.float64)
        self.cut_about = shared_array((len(views), 2), np.float64)

    def outlines(self, index: int) -> Sequence[Outline | DecodedView]:
        """What each crop of a view can show, before its colour is decoded unless the cache has it.

        Raises:
            BadSampleError: when a mask cannot be used.
        """
        kept = [self.cache.get(slot) if self.cache else None for slot in self._slots(index)]
        found = [view for view in kept if view is not None]
        if len(found) == len(kept):
            return found
        source = self._source(index)
        K = self.intrinsics(index, source.size)
        framings = frame_crops(source, self.crops, K, self.turned, self.reach, self._lens(index))
        self.cut_about[index] = framings[0].box
        return [
            view or self._outline(index, source, framing, crop)
            for view, framing, crop in zip(kept, framings, self.crops, strict=True)
        ]

    def decode(
        self, index: int, number: int, outline: Outline | DecodedView, shown: np.ndarray | None = None
    ) -> DecodedView:
        """What one crop of a view can show, with its colour.

        Args:
            index: of the view.
            number: of the crop.
            outline: from `outlines`.
            shown: (N, 2) corners of the crop that will be shown, pixels of the full image; colour may be
                missing beyond them, if it is kept nowhere. None for all that any crop can show.

        Raises:
            BadSampleError: when the image cannot be used.
        """
        if isinstance(outline, DecodedView):
            return outline
        lens = self._lens(index)
        view = outline.decode(None if self.cache or lens is not None else shown)
        if lens is not None:
            color = undistort_patch(view.color, self.intrinsics(index, view.size), lens)
            view = replace(view, color=color)
        if self.cache:
            self.cache.put(self._slots(index)[number], view)
        return view

    def intrinsics(self, index: int, size: tuple[int, int]) -> np.ndarray:
        """Intrinsics (3, 3) of a view whose image has this size, even if it was resized after calibration."""
        return self.release.intrinsics(int(self.views[index]), size)

    def _outline(self, index: int, source: ViewSource, framing: Framing, crop: CropReads) -> Outline:
        outline, lens = outline_view(source, framing, crop.input_size), self._lens(index)
        if lens is None:
            return outline
        plain = undistort_outline(outline, self.intrinsics(index, source.size), lens)
        return replace(plain, centre=framing.centre) if self.turned else plain

    def _slots(self, index: int) -> range:
        """Where the cache keeps the crops of a view."""
        return range(index * len(self.crops), (index + 1) * len(self.crops))

    def _lens(self, index: int) -> np.ndarray | None:
        """Coefficients of the lens that has to be taken out of a view."""
        camera = self.release.cameras[self.release.views.camera[self.views[index]]]
        return camera.distortion if self.undistort else None

    def _source(self, index: int) -> RawSource | StoredSource:
        """A view; its masks are judged, and their boxes noted, the first time that any process sees it."""
        view, known = int(self.views[index]), None
        if self.seen[index]:
            numbers = self.boxes[index]
            known = numbers[:8].reshape(2, 4), (int(numbers[8]), int(numbers[9]))
        source = open_source(self.release, view, known)
        self._require_masks(view, source.boxes)
        if known is None:
            self._require_plausible(index, source)
            self.boxes[index] = *source.boxes.ravel(), *source.size
            self.seen[index] = 1
        return source

    def _require_plausible(self, index: int, source: ViewSource) -> None:
        view = int(self.views[index])
        fault = shape_fault(source.size, self.release.cameras[self.release.views.camera[view]])
        if fault:
            raise BadSampleError(self.release.view_files(view)[0], "image_shape", fault)
        frame = self.targets.frame[view]
        if self.targets.has_human[frame] and self.targets.has_object[frame]:
            K = self.intrinsics(index, source.size)
            fault = mask_fault(source.boxes, self.targets.joints[view], self.targets.kpts[view], K)
            if fault:
                raise BadSampleError(self._file(view, 1), "wrong_masks", fault)

    def _require_masks(self, view: int, boxes: np.ndarray) -> None:
        for crop in self.crops:
            missing = missing_mask(boxes, crop.crop, self.partly, self.release.views.shown[view])
            if missing is not None:
                raise BadSampleError(self._file(view, missing), EMPTY_MASK[missing], "no pixel is set")

    def _file(self, view: int, part: int) -> Path:
        """The mask of a part, or the image of a view that does not show it."""
        files = self.release.view_files(view)
        return files[1 + part] or files[0]
