"""A trained network on photographs: the person in each, in the frame of the camera that took it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from torch import Tensor

from rhobin.assets import Assets
from rhobin.body.bodyset import BodySet
from rhobin.body.load import load_bodies
from rhobin.data.collate import collate
from rhobin.data.photos.camera import PhotoCamera
from rhobin.data.photos.photo import Photo
from rhobin.data.photos.sample import photo_sample
from rhobin.data.photos.subject import Pointer, Subject, find_subject
from rhobin.data.settings import SampleConfig
from rhobin.engine.build import build_module, instantiate, read_config
from rhobin.engine.predict import load_weights, predict_batch
from rhobin.engine.runinfo import read_run
from rhobin.geometry.rotation import rotmat_to_rotvec
from rhobin.methods.base import Method
from rhobin.objects.load import load_templates
from rhobin.scoring.challenge import body_name
from rhobin.scoring.collect import Further
from rhobin.scoring.joint_lines import JOINT_ERRORS, SIGMA, with_joint_errors
from rhobin.types import GENDERS, HumanPrediction, Prediction, required

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class PhotoNetwork:
    """A run, ready for photographs.

    Attributes:
        run_dir: its folder.
        module: with trained weights, in evaluation mode, on the device.
        samples: what the network reads.
        bodies: body models, on the device.
        object_id: of any template, for networks that are told the object, which photographs do not tell.
        device: where to compute.
        origin: what to say of the network in files.
    """

    run_dir: Path
    module: Method
    samples: SampleConfig
    bodies: BodySet
    object_id: int
    device: torch.device
    origin: dict[str, Any]

    def gender(self, asked: str | None) -> str:
        """The gender asked for; by default neutral, or the first that the body models have.

        Raises:
            ValueError: there is no such body model.
        """
        known = list(self.bodies.models)
        if asked is None:
            return "neutral" if "neutral" in known else known[0]
        if asked not in known:
            raise ValueError(
                f"no body model is {asked}; {self.origin['body']} has {', '.join(known)}. Choose one of them"
            )
        return asked


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


def open_network(run_dir: Path, checkpoint: str = "best", body: Path | None = None) -> PhotoNetwork:
    """Open a run for photographs; its data set is not needed.

    Args:
        run_dir: run folder written by train.py.
        checkpoint: "best" or "last".
        body: folder of the SMPL-H files; None for where training had them.

    Raises:
        FileNotFoundError: run, checkpoint or body models are missing.
        ValueError: the run predicts no people, or another version of rhobin wrote it.
    """
    trained = read_config(run_dir)
    try:
        return _open(run_dir, trained, run_dir / "checkpoints" / f"{checkpoint}.ckpt", body)
    except (OmegaConfBaseException, HydraException) as error:
        reason = str(error.__cause__ or error).splitlines()[0]
        raise ValueError(
            f"{run_dir}/config.yaml cannot be built ({reason}): another version of rhobin wrote it. Predict "
            "with the version and commit that run.json in that folder names, or train again"
        ) from error


def _open(run_dir: Path, trained: DictConfig, file: Path, body: Path | None) -> PhotoNetwork:
    datamodule = instantiate(trained.data)  # reads nothing: the run's data set need not be here
    samples, folder = datamodule.settings.samples.one_size, body or datamodule.settings.body
    if "human" not in samples.reads.parts:
        raise ValueError(
            f"{run_dir} predicts objects only (model.reads.parts is {list(samples.reads.parts)}); rhobin "
            "predict does people so far: expected a run of BEV-HybrIK or KHOR. Its test views can be "
            f"predicted: python eval.py run={run_dir}"
        )
    if not file.is_file():
        raise FileNotFoundError(
            f"{file} is missing; expected a checkpoint. Train first (python train.py run_dir={run_dir}), or "
            "choose another with --checkpoint best|last"
        )
    assets = Assets.of(load_bodies(folder), load_templates() if "object" in samples.reads.parts else {})
    module = build_module(_without_download(trained), assets)
    load_weights(module, file, trained)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    origin = {
        "run": read_run(run_dir).get("id", run_dir.name),
        "method": module.name,
        "checkpoint": file.name,
        "checkpoint_hash": hashlib.sha256(file.read_bytes()).hexdigest(),
        "body": body_name(assets.bodies, folder),
    }
    first = min(assets.templates, default=0)
    return PhotoNetwork(
        run_dir, module.eval().to(device), samples, assets.bodies.to(device), first, device, origin
    )


def _without_download(trained: DictConfig) -> DictConfig:
    """The config without pre-trained weights, which those of the checkpoint replace."""
    config = DictConfig(OmegaConf.to_container(trained))
    if OmegaConf.select(config, "model.net.backbone.weights") is not None:
        config.model.net.backbone.weights = None
    return config


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
    body = network.bodies[gender].cpu()(human.theta, human.beta, human.trans)
    arrays = _arrays(human, body.joints, camera.K) | _uncertainty(network, prediction)
    verts, faces = body.verts[0].numpy(), network.bodies.faces.cpu().numpy()
    return PhotoPrediction(photo, subject, camera, gender, arrays, verts, faces)


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
    told = with_joint_errors(further, network.run_dir, network.origin["checkpoint_hash"], "photographs")
    return {
        key.removeprefix("extras."): told.arrays[key][0]
        for key in (SIGMA, JOINT_ERRORS)
        if key in told.arrays
    }
