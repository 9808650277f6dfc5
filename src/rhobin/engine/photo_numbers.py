"""The numbers that are told of photographs: parameters, what they pose, and how sure the network is."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from rhobin.body.convert import smplh_to_smpl
from rhobin.engine.photo_network import PhotoNetwork
from rhobin.geometry.rotation import rotmat_to_rotvec
from rhobin.scoring.calibration import CONFIDENCE, PROBABILITY, with_probability
from rhobin.scoring.collect import Further
from rhobin.scoring.joint_lines import SIGMA, with_joint_errors
from rhobin.types import HumanPrediction, ObjectPrediction, Prediction

Arrays = dict[str, np.ndarray]

NEAR_MM = 100.0
"""Distance whose share is the confidence in a part of which only uncertainties are known."""
KPTS_SIGMA = "extras.kpts_sigma_mm"
_DATA = "photographs"
_SPREADS = {"person": ("joints_error_mm", "joints_sigma_mm"), "object": ("kpts_sigma_mm",)}
"""Expected errors that a part's confidence follows from, the best known first."""


def told_arrays(network: PhotoNetwork, prediction: Prediction, gender: Tensor) -> Arrays:
    """Everything that is told of B photographs, (B, ...) each; docs/predict.md lists the names.

    Args:
        network: that predicted.
        prediction: on the CPU, metres, frames of the photographs' cameras.
        gender: (B,) index into `GENDERS`.
    """
    human, obj = prediction.human, prediction.object
    arrays: Arrays = {}
    if human is not None:
        arrays |= person_arrays(human.theta, human.beta, human.trans)
        arrays["body_joints"] = posed(network, human, gender)[1].numpy()
        if human.joints is not None:
            arrays["joints"] = human.joints.numpy()
    if obj is not None:
        arrays |= _object_arrays(obj)
    doubts = _uncertainty(network, prediction)
    sure = _confidence(doubts)
    return arrays | {name: rows for name, rows in doubts.items() if name.endswith("_mm")} | sure


def person_arrays(theta: Tensor, beta: Tensor, trans: Tensor) -> Arrays:
    """Parameters of B bodies: of SMPL-H, and the pose as SMPL's 72 numbers, as the challenge reads them."""
    exact = theta.double()
    return {
        "theta": theta.numpy(),
        "poses": rotmat_to_rotvec(exact).flatten(1).numpy(),
        "poses_smpl": rotmat_to_rotvec(smplh_to_smpl(exact)).flatten(1).numpy(),
        "beta": beta.numpy(),
        "trans": trans.numpy(),
    }


def posed(network: PhotoNetwork, human: HumanPrediction, gender: Tensor) -> tuple[Tensor, Tensor]:
    """Vertices (B, V, 3) and joints (B, 52, 3) of bodies, on the CPU."""
    parameters = (human.theta, human.beta, human.trans, gender)
    body = network.bodies(*(tensor.to(network.device) for tensor in parameters))
    return body.verts.cpu(), body.joints.cpu()


def _object_arrays(obj: ObjectPrediction) -> Arrays:
    scale = torch.ones(len(obj.t)) if obj.scale is None else obj.scale
    kpts = {} if obj.kpts is None else {"kpts": obj.kpts.numpy()}
    return {"R": obj.R.numpy(), "t": obj.t.numpy(), "scale": scale.numpy(), **kpts}


def _uncertainty(network: PhotoNetwork, prediction: Prediction) -> Arrays:
    """What the method says of its own errors, calibrated where the run can for this checkpoint."""
    told = {f"extras.{name}": tensor.float().numpy() for name, tensor in prediction.extras.items()}
    kept = {name: told[name] for name in (SIGMA, KPTS_SIGMA, CONFIDENCE) if name in told}
    views = np.array([""] * max(map(len, kept.values()), default=0))
    further = Further(views, views, kept)
    for calibrate in (with_joint_errors, with_probability):
        further = calibrate(further, network.home, network.origin["checkpoint_hash"], _DATA)
    return {name.removeprefix("extras."): array for name, array in further.arrays.items()}


def _confidence(doubts: Arrays) -> Arrays:
    """One number (B,) in [0, 1] for each part that the method says anything of."""
    found = {}
    for part, names in _SPREADS.items():
        spread = next((doubts[name] for name in names if name in doubts), None)
        if spread is not None:
            found[f"confidence_{part}"] = near_share(spread)
    own = doubts.get(PROBABILITY, doubts.get("confidence"))
    return found if own is None else {**found, "confidence_object": own}


def near_share(expected_mm: np.ndarray) -> np.ndarray:
    """Share (B,) of points within `NEAR_MM` of the truth, were errors exponential with means (B, N)."""
    return (1 - np.exp(-NEAR_MM / np.maximum(expected_mm, 1e-6))).mean(axis=1)
