"""A trained network on photographs: the person in each, in the frame of the camera that took it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from rhobin.data.collate import collate
from rhobin.data.photos.camera import PhotoCamera
from rhobin.data.photos.photo import Photo
from rhobin.data.photos.sample import photo_sample
from rhobin.data.photos.subject import Pointer, Subject, find_subject
from rhobin.engine.photo_network import PhotoNetwork
from rhobin.engine.predict import predict_batch
from rhobin.geometry.rotation import rotmat_to_rotvec
from rhobin.scoring.collect import Further
from rhobin.scoring.joint_lines import JOINT_ERRORS, SIGMA, with_joint_errors
from rhobin.types import GENDERS, HumanPrediction, Prediction, required

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class PhotoPrediction:
    """The person in a photograph.

    Attributes:
        photo: what was looked at.
        subject: who was pointed at.
        camera: of the photograph.
        gender: of the body model.
        arrays: plain arrays, metres, frame of the photograph's camera; docs/predict.md lists the names.
        verts: (V, 3) vertices, the same frame.
        faces: (F, 3) triangles.
    """

    photo: Photo
    subject: Subject
    camera: PhotoCamera
    gender: str
    arrays: Arrays
    verts: np.ndarray
    faces: np.ndarray


@torch.inference_mode()
def predict_photo(
    network: PhotoNetwork, photo: Photo, pointer: Pointer, camera: PhotoCamera, gender: str | None = None
) -> PhotoPrediction:
    """Predict the person in a photograph.

    Args:
        network: an open run.
        photo: decoded.
        pointer: who is meant.
        camera: of the photograph.
        gender: of the body model, see `PhotoNetwork.gender`.

    Raises:
        ValueError: the pointer or the gender cannot be used; names the file.
    """
    gender = network.gender(gender)
    subject = find_subject(photo, pointer, network.samples)
    sample = photo_sample(subject, camera.K, network.samples, GENDERS.index(gender), network.object_id)
    batch = collate([sample])
    prediction = predict_batch(network.module, batch, network.bodies, network.device)
    human = required(prediction.human, "the person")
    verts, joints = _posed(network, human, batch.gender)
    arrays = _arrays(human, joints, camera.K) | _uncertainty(network, prediction)
    faces = network.bodies.faces.cpu().numpy()
    return PhotoPrediction(photo, subject, camera, gender, arrays, verts[0].numpy(), faces)


def _posed(network: PhotoNetwork, human: HumanPrediction, gender: Tensor) -> tuple[Tensor, Tensor]:
    """Vertices (B, V, 3) and joints (B, 52, 3) of bodies, on the CPU."""
    parameters = (human.theta, human.beta, human.trans, gender)
    body = network.bodies(*(tensor.to(network.device) for tensor in parameters))
    return body.verts.cpu(), body.joints.cpu()


def _arrays(human: HumanPrediction, body_joints: Tensor, K: np.ndarray) -> Arrays:
    found = {
        "theta": human.theta,
        "poses": rotmat_to_rotvec(human.theta.double()).flatten(1),
        "beta": human.beta,
        "trans": human.trans,
        "body_joints": body_joints,
        **({} if human.joints is None else {"joints": human.joints}),
    }
    return {"K": K, **{name: tensor[0].numpy() for name, tensor in found.items()}}


def _uncertainty(network: PhotoNetwork, prediction: Prediction) -> Arrays:
    """How far each joint may be off, also after calibration where the run has one for this checkpoint."""
    name = SIGMA.removeprefix("extras.")
    if name not in prediction.extras:
        return {}
    view, sigma = np.array([""]), prediction.extras[name].numpy()
    further = Further(view, view, {SIGMA: sigma})
    told = with_joint_errors(further, network.home, network.origin["checkpoint_hash"], "photographs")
    return {
        key.removeprefix("extras."): told.arrays[key][0]
        for key in (SIGMA, JOINT_ERRORS)
        if key in told.arrays
    }
