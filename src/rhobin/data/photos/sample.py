"""A photograph as the sample that a network reads, as a test view of the same pixels would be."""

from __future__ import annotations

import numpy as np
import torch

from rhobin.data.aim import aim_crops, crop_window
from rhobin.data.augment.draw import Augmentation
from rhobin.data.images.framings import frame_crops
from rhobin.data.images.outline import crop_corners, outline_view, warp_view
from rhobin.data.images.planes import stack_planes
from rhobin.data.photos.subject import Subject
from rhobin.data.settings import SampleConfig
from rhobin.types import Crop, Sample, SampleKey, Target


def photo_sample(
    subject: Subject, K: np.ndarray, config: SampleConfig, gender: int, object_id: int
) -> Sample:
    """The sample of a photograph, without targets.

    Args:
        subject: the person and the object in it.
        K: (3, 3) intrinsics of the photograph, pixels.
        config: what samples hold; lenses are not known, so the photograph is taken as a pinhole's.
        gender: index into `GENDERS`.
        object_id: of the object.
    """
    source, turned = subject.source, config.view.ray == "turn"
    framings = frame_crops(subject.about, config.crops, K, turned)
    pairs = zip(framings, config.crops, strict=True)
    outlines = [outline_view(source, framing, crop.input_size) for framing, crop in pairs]
    sizes = [crop.input_size for crop in config.crops]
    Q, aims = aim_crops(K, outlines, outlines[0].centre, Augmentation(), sizes, turned)
    images = []
    for outline, aim, size in zip(outlines, aims, sizes, strict=True):
        view = outline.decode(crop_corners(aim.from_image, size))
        pixels = warp_view(view, aim.from_image, size)
        images.append(torch.from_numpy(stack_planes(*pixels, config.reads.planes, config.view.background)))
    cameras = [torch.from_numpy(aim.K.astype(np.float32)) for aim in aims]
    further = zip(config.reads.further, images[1:], cameras[1:], strict=True)
    return Sample(
        image=images[0],
        K_crop=cameras[0],
        window=crop_window(framings[0].box, aims[0], sizes[0], K, source.size[0]),
        turn=torch.from_numpy(Q.astype(np.float32)),
        gender=gender,
        object_id=object_id,
        target=Target(),
        key=SampleKey(source.photo.file.stem, "", 0, 0),
        further={name: Crop(image, camera) for name, image, camera in further},
    )
