"""Views of a release as samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain

import cv2
import numpy as np
import torch
from torch.utils.data import Dataset

from rhobin.behave.read import Release
from rhobin.behave.skips import Skip
from rhobin.data.aim import Aim, aim_crops, crop_window
from rhobin.data.augment.colour import FRAME_WIDTH
from rhobin.data.augment.donors import Donors
from rhobin.data.augment.draw import Augmentation, AugmentConfig, draw_augmentation, move_crop, stream
from rhobin.data.augment.mirror import mirror_intrinsics, mirror_pixels, mirror_planes
from rhobin.data.augment.repaint import Painted, Repainter
from rhobin.data.decoded import DecodedViews
from rhobin.data.faults import Faults
from rhobin.data.images.decode import BadSampleError
from rhobin.data.images.framing import turned_homography
from rhobin.data.images.outline import DecodedView, Outline, crop_corners, warp_view
from rhobin.data.images.planes import stack_planes
from rhobin.data.settings import SampleConfig
from rhobin.data.shared import ViewCache
from rhobin.data.targets.labels import Labeller
from rhobin.data.targets.views import ViewTargets
from rhobin.objects.mirror_plane import MirrorPlane
from rhobin.types import Crop, Sample, SampleKey


class BehaveDataset(Dataset):
    """Samples of some views of a release.

    An item is asked for by its number, or by (epoch, number) so that augmentation differs between
    epochs, and with a size, so that batches can differ in it. The same item is the same to the bit in every
    process.

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
        cache: ViewCache | None = None,
        partly: bool = False,
    ):
        cv2.setNumThreads(0)
        self.release, self.targets, self.views = release, targets, views
        self.config, self.augment, self.seed, self.partly = config, augment, seed, partly
        if augment and augment.own_rooms and release.layout == "renders":
            raise ValueError(
                f"{release.root} holds rendered objects, which stand in no room; set "
                "data.augment.background_from to a BEHAVE root (rhobin synth makes one), a folder of images, "
                "plain or noise"
            )
        reach = augment.reach if augment else 1.0
        self.decoded = DecodedViews(release, targets, views, config, reach, cache, partly)
        self.repainter = (
            Repainter(augment, seed, self._donors(), targets.assets.templates) if augment else None
        )
        self.planes = self._mirror_planes()
        self.labeller = Labeller(targets, config, self.planes)
        self.faults = Faults(release, views, known=config.view.on_bad_sample == "skip")

    def __len__(self) -> int:
        return len(self.views)

    def __getitem__(self, item: int | tuple[int, ...]) -> Sample:
        """Sample `index`, or (epoch, index), or (epoch, index, width of its image).

        With `on_bad_sample="skip"` an unusable view is replaced by the next usable one; the sample's key
        tells which view it shows.

        Raises:
            BadSampleError: for unusable images with `on_bad_sample="raise"`, naming the file.
        """
        epoch, index, *size = item if isinstance(item, tuple) else (0, item)
        if not 0 <= index < len(self):
            raise IndexError(f"sample {index} of {len(self)}")
        for shown in chain(range(index, len(self)), range(index)):
            if self.faults.code[shown]:
                continue
            try:
                return self._sample(epoch, shown, *size)
            except BadSampleError as error:
                if self.config.view.on_bad_sample == "raise":
                    advice = "repair the file, or set data.view.on_bad_sample=skip to use other views instead"
                    raise BadSampleError(error.file, error.reason, f"{error.detail}; {advice}") from error
                self.faults.note(shown, error)
        raise ValueError(
            f"{self.release.root}: none of the {len(self)} views can be used; first: {self.skips()[0]}"
        )

    def skips(self) -> list[Skip]:
        """Views found unusable so far, by any worker."""
        return self.faults.skips()

    def view(self, index: int) -> DecodedView:
        """All that the crop of a view's image can show, from the cache when there is one.

        Raises:
            BadSampleError: when an image cannot be used.
        """
        return self.decoded.decode(index, 0, self.decoded.outlines(index)[0])

    def plain(self) -> BehaveDataset:
        """The same views without augmentation."""
        return BehaveDataset(self.release, self.targets, self.views, self.config, partly=self.partly)

    def of_kinect(self, kinect: int) -> BehaveDataset:
        """The views that one Kinect took, without augmentation."""
        views = self.views[self.release.views.kinect[self.views] == kinect]
        return BehaveDataset(self.release, self.targets, views, self.config, partly=self.partly)

    def describe(self, epoch: int, index: int) -> list[str]:
        """What augmentation does to a sample, in words."""
        return self._paint(index, self._change(epoch, index), epoch)[2][0].notes

    def key(self, index: int) -> SampleKey:
        """Which view a sample shows."""
        view = int(self.views[index])
        frame = int(self.release.views.frame[view])
        sequence = self.release.sequences[self.release.frames.sequence[frame]]
        kinect = int(self.release.views.kinect[view])
        return SampleKey(sequence, str(self.release.frames.name[frame]), kinect, index)

    def _sample(self, epoch: int, index: int, size: int | None = None) -> Sample:
        change = self._change(epoch, index)
        Q, aims, painted = self._paint(index, change, epoch, size)
        cameras = [aim.K for aim in aims]
        if change.mirrored:
            cameras = [mirror_intrinsics(K, p.color.shape[1]) for K, p in zip(cameras, painted, strict=True)]
            painted = [mirror_pixels(crop) for crop in painted]
        view = int(self.views[index])
        frame = int(self.targets.frame[view])
        masks = [crop.obj for crop in painted]
        points = stream("points", self.seed, epoch, index) if self.labeller.fields else None
        target, drawn = self.labeller(view, Q, cameras, masks, change.mirrored, points)
        images = [self._planes(crop) for crop in painted]
        Ks = [torch.from_numpy(K.astype(np.float32)) for K in cameras]
        return Sample(
            image=images[0],
            K_crop=Ks[0],
            window=self._window(index, aims[0], images[0].shape[-1]),
            turn=torch.from_numpy(Q.astype(np.float32)),
            gender=int(self.targets.gender[frame]),
            object_id=int(self.targets.object_id[frame]),
            target=target,
            key=self.key(index),
            further={
                name: Crop(image, K, **extras)
                for name, image, K, extras in zip(
                    self.config.reads.further, images[1:], Ks[1:], drawn, strict=True
                )
            },
        )

    def _change(self, epoch: int, index: int) -> Augmentation:
        if not self.augment:
            return Augmentation()
        change = draw_augmentation(self.augment, self.seed, epoch, index)
        return change if self._has_mirror_image(index) else replace(change, mirrored=False)

    def _has_mirror_image(self, index: int) -> bool:
        """Whether all that the method reads of a view has a place in its mirror image."""
        if "object" not in self.config.reads.parts:
            return True
        frame = int(self.targets.frame[self.views[index]])
        return not self.targets.has_object[frame] or int(self.targets.object_id[frame]) in self.planes

    def _mirror_planes(self) -> dict[int, MirrorPlane]:
        """The reflections that keep the objects shown, by id, where samples of objects are mirrored."""
        if not (self.augment and self.augment.mirror_p and "object" in self.config.reads.parts):
            return {}
        shown = np.unique(self.targets.object_id[self.targets.frame[self.views]])
        return mirror_planes(self.targets.assets.templates, shown[shown >= 0].tolist())

    def _paint(
        self, index: int, change: Augmentation, epoch: int, size: int | None = None
    ) -> tuple[np.ndarray, list[Aim], list[Painted]]:
        """The camera's rotation Q (3, 3), where each crop of a sample looks, and its pixels, not mirrored."""
        outlines = self.decoded.outlines(index)
        usual, *others = [crop.input_size for crop in self.config.crops]
        sizes = [usual if size is None else size, *others]
        Q, aims = self._aim(index, change, outlines, sizes)
        painted = []
        for number, (outline, aim, output) in enumerate(zip(outlines, aims, sizes, strict=True)):
            if isinstance(outline, Outline):
                view = self.decoded.decode(index, number, outline, crop_corners(aim.from_image, output))
            else:
                view = outline
            view = view.reduced(output / self.decoded.crops[number].input_size)
            pixels = Painted(*warp_view(view, aim.from_image, output), change.notes())
            if self.repainter:
                width = self._frame_width(index, view.size[0])
                zoom = output / (view.side * change.scale) * width / FRAME_WIDTH
                pixels = self.repainter(epoch, index, change.colour_seed, pixels, zoom)
            painted.append(pixels)
        return Q, aims, painted

    def _aim(
        self,
        index: int,
        change: Augmentation,
        outlines: Sequence[Outline | DecodedView],
        sizes: Sequence[int],
    ) -> tuple[np.ndarray, list[Aim]]:
        first = outlines[0]
        K, centre = self.decoded.intrinsics(index, first.size), first.centre
        turned = self.decoded.turned
        if self.augment:
            to_view = turned_homography(centre, K) if turned else None
            centre = move_crop(change, first, self.config.reads.crop, self.augment.min_visible, to_view)
        return aim_crops(K, outlines, centre, change, sizes, turned)

    def _window(self, index: int, aim: Aim, output: int) -> torch.Tensor:
        """Width and height of the first crop's box, and side of the crop, in widths of the whole frame."""
        size = int(self.decoded.boxes[index, 8]), int(self.decoded.boxes[index, 9])
        K, frame_width = self.decoded.intrinsics(index, size), self._frame_width(index, size[0])
        return crop_window(self.decoded.cut_about[index], aim, output, K, frame_width)

    def _planes(self, painted: Painted) -> torch.Tensor:
        """The image (P, H, W) of a crop."""
        reads, background = self.config.reads, self.config.view.background
        planes = stack_planes(
            painted.color, painted.person, painted.obj, reads.planes, background, painted.levels
        )
        return torch.from_numpy(planes)

    def _frame_width(self, index: int, width: int) -> float:
        """Pixels across the whole frame of a view whose image is `width` wide; renders show a part of one."""
        view = self.views[index]
        camera = self.release.cameras[self.release.views.camera[view]]
        return self.release.frame_width(view) * width / camera.width

    def _donors(self) -> Donors:
        """This dataset's own views, to cut occluders and backgrounds from."""
        release, views = self.release, self.release.views
        sequence = release.frames.sequence[views.frame[self.views]]
        return Donors(np.asarray(release.sequences)[sequence], views.camera[self.views], self.view)
