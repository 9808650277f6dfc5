"""Views of a release, decoded as far as their crops can show."""

from __future__ import annotations

import numpy as np

from rhobin.behave.release import Release
from rhobin.data.images.context import Aim, BadSampleError, Context, RawPicture, load_context
from rhobin.data.images.crops import EMPTY_MASK, missing_mask
from rhobin.data.images.plausible import mask_fault
from rhobin.data.images.undistort import REACH, undistort_context
from rhobin.data.prepare.margin import require_margin
from rhobin.data.prepare.prepared import view_picture
from rhobin.data.prepare.stored import StoredPicture
from rhobin.data.settings import SampleConfig
from rhobin.data.shared import ContextCache, shared_array
from rhobin.data.targets.views import ViewTargets
from rhobin.geometry.camera import resize_intrinsics


class DecodedViews:
    """Decodes the views of a dataset, and remembers what any process learnt of them.

    Attributes:
        seen: (M,) whether a view's masks were judged.
        outlines: (M, 10) boxes of both masks and the image's size, of views that were seen.
    """

    def __init__(
        self,
        release: Release,
        targets: ViewTargets,
        views: np.ndarray,
        config: SampleConfig,
        reach: float,
        cache: ContextCache | None,
        partly: bool,
    ):
        """Configure.

        Args:
            release: where the views come from.
            targets: their ground truth, which masks must fit.
            views: (M,) rows of the release.
            config: how a view becomes a sample.
            reach: how far crops look beyond the square, as a factor on its side.
            cache: keeps decoded views; None decodes them every time.
            partly: see `BehaveDataset`.

        Raises:
            ValueError: a prepared root does not store all that crops look at.
        """
        lenses = config.view.distortion == "apply" and any(c.distortion is not None for c in release.cameras)
        self.release, self.targets, self.views = release, targets, views
        self.view, self.crop = config.view, config.crops[0]
        self.reach, self.cache, self.partly = reach * (REACH if lenses else 1.0), cache, partly
        require_margin(release, views, self.crop, self.reach)
        self.seen = shared_array(len(views), np.uint8)
        self.outlines = shared_array((len(views), 10), np.float64)

    def context(self, index: int, aim: Aim | None = None) -> Context:
        """The decoded surroundings of a view, from the cache when there is one.

        Args:
            index: of the view.
            aim: which crop will be shown; colour may be missing beyond it, if it is kept nowhere.

        Raises:
            BadSampleError: when an image cannot be used.
        """
        cached = self.cache.get(index) if self.cache else None
        if cached is not None:
            return cached
        picture = self._picture(index)
        lens = self.release.cameras[self.release.views.camera[self.views[index]]].distortion
        bent = self.view.distortion == "apply" and lens is not None
        context = load_context(
            picture, self.crop.input_size, self.crop.crop, self.crop.expand, self.reach,
            None if self.cache or bent else aim,
        )  # fmt: skip
        if bent:
            context = undistort_context(context, self.intrinsics(index, context.size), lens)
        if self.cache:
            self.cache.put(index, context)
        return context

    def intrinsics(self, index: int, size: tuple[int, int]) -> np.ndarray:
        """Intrinsics (3, 3) of a view whose image has this size, even if it was resized after calibration."""
        camera = self.release.cameras[self.release.views.camera[self.views[index]]]
        if size == (camera.width, camera.height):
            return camera.K
        return resize_intrinsics(camera.K, size[0] / camera.width, size[1] / camera.height)

    def _picture(self, index: int) -> RawPicture | StoredPicture:
        """A view; its masks are judged, and their boxes noted, the first time that any process sees it."""
        view, known = int(self.views[index]), None
        if self.seen[index]:
            numbers = self.outlines[index]
            known = numbers[:8].reshape(2, 4), (int(numbers[8]), int(numbers[9]))
        picture = view_picture(self.release, view, known)
        missing = missing_mask(picture.boxes, self.crop.crop, self.partly)
        if missing is not None:
            file = self.release.view_files(view)[1 + missing]
            raise BadSampleError(file, EMPTY_MASK[missing], "no pixel is set")
        if known is None:
            fault = self._fault(index, view, picture)
            if fault:
                raise BadSampleError(self.release.view_files(view)[2], "wrong_masks", fault)
            self.outlines[index] = *picture.boxes.ravel(), *picture.size
            self.seen[index] = 1
        return picture

    def _fault(self, index: int, view: int, picture: RawPicture | StoredPicture) -> str | None:
        """What is wrong with a view's masks; None where the truth that they must fit is not known."""
        targets, frame = self.targets, self.targets.frame[view]
        if not (targets.has_human[frame] and targets.has_object[frame]):
            return None
        K = self.intrinsics(index, picture.size)
        return mask_fault(picture.boxes, targets.joints[view], targets.kpts[view], K)
