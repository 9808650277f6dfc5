"""A trained network on photographs: person and object of each, in the frame of the camera that took it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from rhobin.data.collate import collate
from rhobin.data.photos.camera import PhotoCamera
from rhobin.data.photos.photo import Photo
from rhobin.data.photos.pointer import Pointer
from rhobin.data.photos.sample import photo_sample
from rhobin.data.photos.subject import Subject, find_subject
from rhobin.engine.photo_agreement import mask_overlaps
from rhobin.engine.photo_network import PhotoNetwork
from rhobin.engine.photo_numbers import Arrays, posed, told_arrays
from rhobin.engine.predict import predict_batch
from rhobin.objects.template import Template
from rhobin.reports.overlay import Surface
from rhobin.reports.palette import PRED_BODY, PRED_OBJECT, RGB
from rhobin.reports.photo_overlay import draw_photo
from rhobin.types import GENDERS, HumanPrediction, Sample

COLORS: dict[str, RGB] = {"person": PRED_BODY, "object": PRED_OBJECT}


@dataclass(frozen=True)
class Shot:
    """A photograph that is ready for the network.

    Attributes:
        photo: what is looked at.
        subject: who and what is pointed at.
        camera: of the photograph.
        gender: of the body model; None for a network that predicts objects alone.
        template: of the object; None for a network that predicts people alone.
        sample: what the network reads.
    """

    photo: Photo
    subject: Subject
    camera: PhotoCamera
    gender: str | None
    template: Template | None
    sample: Sample


@dataclass(frozen=True)
class PhotoMesh:
    """A part's mesh: vertices (V, 3) in the frame of the photograph's camera, metres; triangles (F, 3)."""

    verts: np.ndarray
    faces: np.ndarray


@dataclass(frozen=True)
class PhotoPrediction:
    """Person and object of a photograph.

    Attributes:
        shot: what was looked at.
        network: that predicted.
        arrays: plain arrays, metres, frame of the photograph's camera; docs/predict.md lists the names.
    """

    shot: Shot
    network: PhotoNetwork
    arrays: Arrays

    @cached_property
    def picture(self) -> np.ndarray:
        """The photograph (h, w, 3) RGB uint8 with the meshes over it."""
        subject, K = self.shot.subject, self.shot.camera.K
        return draw_photo(subject.source, list(surfaces(self.meshes).values()), K)

    @cached_property
    def mask_iou(self) -> dict[str, float]:
        """How far the outline of each part is the mask that the network was given, see `mask_overlaps`."""
        meshes = {name: (mesh.verts, mesh.faces) for name, mesh in self.meshes.items()}
        return mask_overlaps(self.shot.subject, meshes, self.shot.camera.K)

    @cached_property
    def meshes(self) -> dict[str, PhotoMesh]:
        """Meshes by part: "person", "object"."""
        rows = {name: array[None] for name, array in self.arrays.items()}
        return part_meshes(self.network, rows, self.shot.gender, self.shot.template)[0]


def prepare_photo(
    network: PhotoNetwork,
    photo: Photo,
    pointer: Pointer,
    camera: PhotoCamera,
    gender: str | None = None,
    object_name: str | None = None,
) -> Shot:
    """Make a photograph ready for the network.

    Args:
        network: an open run.
        photo: decoded.
        pointer: who and what is meant.
        camera: of the photograph.
        gender: of the body model, see `PhotoNetwork.gender`.
        object_name: of the template, see `PhotoNetwork.object_id`.

    Raises:
        ValueError: the pointer, the gender or the object cannot be used; names the file.
    """
    people = "human" in network.samples.reads.parts
    shown = network.gender(gender) if people else None
    object_id = network.object_id(object_name)
    subject = find_subject(photo, pointer, network.samples)
    number = GENDERS.index(shown or "neutral")
    sample = photo_sample(subject, camera.K, network.samples, number, object_id)
    return Shot(photo, subject, camera, shown, network.objects.get(object_id), sample)


def surfaces(meshes: Mapping[str, PhotoMesh]) -> dict[str, Surface]:
    """Meshes by part, in the colours of their parts."""
    return {name: Surface(mesh.verts, mesh.faces, COLORS[name]) for name, mesh in meshes.items()}


@torch.inference_mode()
def predict_shots(network: PhotoNetwork, shots: Sequence[Shot]) -> list[PhotoPrediction]:
    """Predict photographs in one batch.

    Args:
        network: an open run.
        shots: at least one.
    """
    batch = collate([shot.sample for shot in shots])
    prediction = predict_batch(network.module, batch, network.bodies, network.device)
    arrays = told_arrays(network, prediction, batch.gender)
    return [
        PhotoPrediction(
            shot, network, {"K": shot.camera.K, **{name: rows[i] for name, rows in arrays.items()}}
        )
        for i, shot in enumerate(shots)
    ]


@torch.inference_mode()
def part_meshes(
    network: PhotoNetwork, arrays: Arrays, gender: str | None, template: Template | None
) -> list[dict[str, PhotoMesh]]:
    """Meshes of B photographs by part.

    Args:
        network: whose bodies are posed.
        arrays: (B, ...) as `told_arrays` gives them.
        gender: of the body model.
        template: of the object.
    """
    meshes: list[dict[str, PhotoMesh]] = [{} for _ in arrays["K"]]
    if "theta" in arrays:
        theta, beta, trans = (torch.from_numpy(arrays[name]) for name in ("theta", "beta", "trans"))
        genders = torch.full((len(theta),), GENDERS.index(gender or "neutral"))
        faces = network.bodies.faces.cpu().numpy()
        for found, verts in zip(
            meshes, posed(network, HumanPrediction(theta, beta, trans), genders)[0], strict=True
        ):
            found["person"] = PhotoMesh(verts.numpy(), faces)
    if "R" in arrays and template is not None:
        for found, R, t, scale in zip(meshes, arrays["R"], arrays["t"], arrays["scale"], strict=True):
            found["object"] = PhotoMesh(scale * template.verts @ R.T + t, template.faces)
    return meshes
