"""Photographs and videos to look at in 3D: a rigged glTF file, and a page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rhobin.data.photos.pointer import PARTS
from rhobin.engine.photo_facts import FRAME, page_facts
from rhobin.engine.photo_network import PhotoNetwork
from rhobin.engine.photo_numbers import Arrays
from rhobin.engine.photos import PhotoPrediction, Shot, surfaces
from rhobin.reports.gltf.person import GltfPerson
from rhobin.reports.gltf.rigid import GltfObject
from rhobin.reports.gltf.scene import GltfScene, to_glb
from rhobin.reports.photo_page import photo_page, photo_scene

ONE_SHAPE = "; one shape for all frames, the mean of the predicted ones"


def photo_glb(found: PhotoPrediction) -> bytes:
    """A photograph's person and object as a glTF binary."""
    rows = {name: array[None] for name, array in found.arrays.items()}
    return glb(found.network, found.shot, rows)


def glb(
    network: PhotoNetwork,
    shot: Shot,
    arrays: Arrays,
    frames: np.ndarray | None = None,
    times: np.ndarray | None = None,
) -> bytes:
    """Person and object of one photograph, or of the frames of a video, as a glTF binary.

    Args:
        network: that predicted.
        shot: the photograph, or a frame of the video.
        arrays: (N, ...) by name.
        frames: (N,) places of the predicted frames among the video's.
        times: (T,) seconds of all frames of the video.
    """
    person = item = None
    if "theta" in arrays:
        body = network.bodies[shot.gender or "neutral"]
        beta, trans = one_shape(body, arrays)
        person = GltfPerson(body, beta, arrays["theta"], trans, frames)
    if "R" in arrays and shot.template is not None:
        template, size = shot.template, float(arrays["scale"].mean())
        pose = (template.verts, template.faces, arrays["R"], arrays["t"])
        item = GltfObject(*pose, size, frames, template.name)
    return to_glb(GltfScene(FRAME if times is None else FRAME + ONE_SHAPE, person, item, times))


def one_shape(body: Any, arrays: Arrays) -> tuple[np.ndarray, np.ndarray]:
    """The mean shape (10,), and translations (N, 3) that keep each pelvis where it was."""

    def pelvis(beta: np.ndarray) -> Tensor:
        return body.rest_joints(torch.from_numpy(beta).to(body.template))[..., 0, :].cpu()

    beta = arrays["beta"].mean(axis=0) if len(arrays["beta"]) > 1 else arrays["beta"][0]
    return beta, arrays["trans"] + (pelvis(arrays["beta"]) - pelvis(beta)).numpy()


def photo_html(found: PhotoPrediction) -> bytes:
    """A page with the photograph under its meshes, the meshes in 3D, and the facts."""
    shot = found.shot
    parts = " and the ".join(found.meshes)
    caption = f"The {parts}; the first view is the camera's. {sure_text(found.arrays)}".strip()
    scene = photo_scene(shot.photo.file.name, caption, surfaces(found.meshes))
    return photo_page(
        shot.photo.file.name,
        f"{found.network.module.title}, run {found.network.origin['run']}",
        f"The {parts} that the network sees, over the image and in 3D. Outlines are its masks.",
        [found.picture],
        [scene],
        page_facts(shot, found.network) | iou_text(found),
    )


def iou_text(found: PhotoPrediction) -> dict[str, str]:
    """How well each outline is its mask, for the page."""
    return {f"{part}, IoU with its mask": f"{iou:.2f}" for part, iou in found.mask_iou.items()}


def sure_text(arrays: Mapping[str, np.ndarray]) -> str:
    """How sure the method is of each part, in words; nothing where it does not say."""
    told = {part: arrays[f"confidence_{part}"] for part in PARTS if f"confidence_{part}" in arrays}
    return " ".join(f"Confidence in the {part}: {float(value):.2f}." for part, value in told.items())
