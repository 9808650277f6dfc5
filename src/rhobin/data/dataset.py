"""Views of a release as samples."""

from __future__ import annotations

import logging

import cv2
import numpy as np
import torch
from torch.utils.data import Dataset

from rhobin.behave.read import Release
from rhobin.behave.skips import REASONS, Skip
from rhobin.data.augment.colour import FRAME_WIDTH
from rhobin.data.augment.donors import Donors
from rhobin.data.augment.draw import Augmentation, AugmentConfig, draw_augmentation, move_crop, roll_about
from rhobin.data.augment.repaint import Painted, Repainter
from rhobin.data.decoded import DecodedViews
from rhobin.data.images.context import BadSampleError, Context, warp_context
from rhobin.data.images.planes import stack_planes
from rhobin.data.settings import SampleConfig
from rhobin.data.shared import ContextCache, shared_array
from rhobin.data.targets.labels import Labeller
from rhobin.data.targets.views import ViewTargets
from rhobin.geometry.camera import crop_matrix
from rhobin.types import Sample, SampleKey

log = logging.getLogger(__name__)

_REASON_CODES = dict(enumerate(REASONS, start=1))


class BehaveDataset(Dataset):
    """Samples of some views of a release.

    An item is asked for by its number, or by (epoch, number) so that augmentation differs between
    epochs. The same item is the same to the bit in every process.

    Attributes:
        release: where the views come from.
        targets: their ground truth.
        views: (M,) rows of the release that this dataset shows.
        partly: also show views in which person or object is wholly hidden, where the crop can do without:
            every test view is to be predicted, but nothing can be learnt of what is not seen.
    """

    def __init__(
        self,
        release: Release,
        targets: ViewTargets,
        views: np.ndarray,
        config: SampleConfig,
        augment: AugmentConfig | None = None,
        seed: int = 0,
        cache: ContextCache | None = None,
        partly: bool = False,
    ):
        cv2.setNumThreads(0)
        self.release, self.targets, self.views = release, targets, views
        self.config, self.augment, self.seed, self.partly = config, augment, seed, partly
        reach = augment.reach if augment else 1.0
        self.decoded = DecodedViews(release, targets, views, config, reach, cache, partly)
        self.repainter = (
            Repainter(augment, seed, self._donors(), targets.assets.templates) if augment else None
        )
        self.labeller = Labeller(targets, config)
        self.bad = shared_array(len(views), np.uint8)
        self.bad_file = shared_array(len(views), np.uint8)

    def __len__(self) -> int:
        return len(self.views)

    def __getitem__(self, item: int | tuple[int, int]) -> Sample:
        """Sample `index`, or (epoch, index).

        With `on_bad_sample="skip"` an unusable view is replaced by the next usable one; the sample's key
        tells which view it shows.

        Raises:
            BadSampleError: for unusable images with `on_bad_sample="raise"`, naming the file.
        """
        epoch, index = item if isinstance(item, tuple) else (0, item)
        if not 0 <= index < len(self):
            raise IndexError(f"sample {index} of {len(self)}")
        for shown in (*range(index, len(self)), *range(index)):
            if self.bad[shown]:
                continue
            try:
                return self._sample(epoch, shown)
            except BadSampleError as error:
                if self.config.view.on_bad_sample == "raise":
                    advice = "mend the file, or set data.view.on_bad_sample=skip to use other views instead"
                    raise BadSampleError(error.file, error.reason, f"{error.detail}; {advice}") from error
                self._note(shown, error)
        raise ValueError(
            f"{self.release.root}: none of the {len(self)} views can be used; first: {self.skips()[0]}"
        )

    def skips(self) -> list[Skip]:
        """Views found unusable so far, by any worker."""
        found = []
        for index in np.flatnonzero(self.bad):
            file = self.release.view_files(int(self.views[index]))[self.bad_file[index]]
            reason = _REASON_CODES[int(self.bad[index])]
            found.append(Skip(str(file.relative_to(self.release.root)), reason, REASONS[reason], 1))
        return found

    def context(self, index: int) -> Context:
        """The decoded surroundings of a view, from the cache when there is one.

        Raises:
            BadSampleError: when an image cannot be used.
        """
        return self.decoded.context(index)

    def plain(self) -> BehaveDataset:
        """The same views without augmentation."""
        return BehaveDataset(self.release, self.targets, self.views, self.config, partly=self.partly)

    def describe(self, epoch: int, index: int) -> list[str]:
        """What augmentation does to a sample, in words."""
        return self._view(epoch, index)[0].notes

    def _view(self, epoch: int, index: int) -> tuple[Painted, np.ndarray, np.ndarray]:
        """A sample's pixels, the camera's roll Q (3, 3) and the intrinsics (3, 3) of the crop."""
        change = Augmentation()
        if self.augment:
            change = draw_augmentation(self.augment, self.seed, epoch, index)

        aimed: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []

        def aim(context: Context) -> np.ndarray:
            aimed.append(self._geometry(index, change, context))
            return aimed[0][2]

        context, size = self.decoded.context(index, aim), self.config.view.input_size
        Q, K_crop, from_image = aimed[0] if aimed else self._geometry(index, change, context)
        painted = Painted(*warp_context(context, from_image, size), change.notes())
        if self.repainter:
            zoom = size / (context.side * change.scale) * context.size[0] / FRAME_WIDTH
            painted = self.repainter(epoch, index, change.colour_seed, painted, zoom)
        return painted, Q, K_crop

    def _geometry(
        self, index: int, change: Augmentation, context: Context
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The camera's roll Q, the crop's intrinsics, and the map from the image to the crop, (3, 3) each."""
        K, centre = self.decoded.intrinsics(index, context.size), context.centre
        if self.augment:
            centre = move_crop(change, context, self.config.reads.crop, self.augment.min_visible)
        Q = roll_about(centre, K, change.roll)
        K_crop = crop_matrix(centre, context.side * change.scale, self.config.view.input_size) @ K
        return Q, K_crop, K_crop @ Q @ np.linalg.inv(K)

    def _donors(self) -> Donors:
        """This dataset's own views, to cut occluders and backgrounds from."""
        release, views = self.release, self.release.views
        sequence = release.frames.sequence[views.frame[self.views]]
        return Donors(np.asarray(release.sequences)[sequence], views.camera[self.views], self.context)

    def _sample(self, epoch: int, index: int) -> Sample:
        painted, Q, K_crop = self._view(epoch, index)
        view = int(self.views[index])
        frame = int(self.targets.frame[view])
        planes = stack_planes(
            painted.color,
            painted.person,
            painted.thing,
            self.config.reads.planes,
            self.config.view.background,
            painted.levels,
        )
        target, _ = self.labeller(view, Q, [K_crop], [painted.thing])
        return Sample(
            image=torch.from_numpy(planes),
            K_crop=torch.from_numpy(K_crop.astype(np.float32)),
            gender=int(self.targets.gender[frame]),
            object_id=int(self.targets.object_id[frame]),
            target=target,
            key=self.key(index),
        )

    def key(self, index: int) -> SampleKey:
        """Which view a sample shows."""
        view = int(self.views[index])
        frame = int(self.release.views.frame[view])
        sequence = self.release.sequences[self.release.frames.sequence[frame]]
        kinect = int(self.release.views.kinect[view])
        return SampleKey(sequence, str(self.release.frames.name[frame]), kinect, index)

    def _note(self, index: int, error: BadSampleError) -> None:
        files = self.release.view_files(int(self.views[index]))
        self.bad_file[index] = files.index(error.file)
        self.bad[index] = list(REASONS).index(error.reason) + 1
        log.warning("skipped %s: %s", error.file, error.detail)
