"""Batches of predictions gathered by view: the challenge's format, and whatever goes beyond it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rhobin.behave.layout import TEST_KINECT
from rhobin.geometry.rotation import rotmat_to_rotvec
from rhobin.types import GENDERS, Prediction, SampleKey, map_tensors

TRUTH = "truth."
"""Before the challenge's names of the true values, where they are stored with the predictions."""

Rows = dict[str, dict[str, dict[str, Any]]]


@dataclass(frozen=True)
class PredictedViews:
    """A batch of predictions, and the views they are of.

    Attributes:
        prediction: metres, frame of the camera that took the view.
        gender: (B,) indices into `GENDERS`.
        keys: the views; of kinect 1 only, as in the challenge.
        K_crop: (B, 3, 3) intrinsics of the crops; None where nothing was cropped.
        turn: (B, 3, 3) rotation from that camera to the crops', see `Sample`; None where nothing was cropped.
    """

    prediction: Prediction
    gender: Tensor
    keys: list[SampleKey]
    K_crop: Tensor | None = None
    turn: Tensor | None = None


@dataclass(frozen=True)
class Further:
    """What a method says of each view beyond the challenge's format, views sorted by sequence and frame.

    Attributes:
        sequence: (N,) sequence names.
        frame: (N,) frame names.
        arrays: (N, ...) each, by name; docs/protocol.md lists the names.
    """

    sequence: np.ndarray
    frame: np.ndarray
    arrays: dict[str, np.ndarray]


def collect_results(views: Iterable[PredictedViews]) -> dict[str, dict[str, Any]]:
    """Gather batches of predictions in the challenge's layout.

    Args:
        views: batches of predictions.

    Returns:
        By sequence name: ``frames`` (list), ``gender``, and of the predicted parts ``poses`` (T, 156)
        axis-angle, ``betas``, ``trans``; ``obj_rots`` (T, 3, 3), ``obj_trans``, and ``obj_scales`` (T,)
        where a method predicts scale.

    Raises:
        ValueError: a view is not of kinect 1, a frame occurs twice, or neither part was predicted.
    """
    return gather(views)[0]


def gather(views: Iterable[PredictedViews]) -> tuple[dict[str, dict[str, Any]], Further]:
    """Results as `collect_results` gives them, and everything beyond them; errors as there."""
    rows: Rows = defaultdict(dict)
    beyond: Rows = defaultdict(dict)
    for batch in views:
        arrays, further = _challenge_arrays(batch.prediction), _further_arrays(batch)
        for i, key in enumerate(batch.keys):
            _check_view(key, rows)
            row = {name: array[i] for name, array in arrays.items()}
            rows[key.sequence][key.frame] = row | {"gender": GENDERS[int(batch.gender[i])]}
            beyond[key.sequence][key.frame] = {name: array[i] for name, array in further.items()}
    return {sequence: _stack(frames) for sequence, frames in sorted(rows.items())}, _stack_further(beyond)


def _check_view(key: SampleKey, rows: Rows) -> None:
    where = f"{key.sequence}/{key.frame}"
    if key.camera != TEST_KINECT:
        raise ValueError(f"{where}: the challenge's views are of kinect {TEST_KINECT}, not {key.camera}.")
    if key.frame in rows[key.sequence]:
        raise ValueError(f"{where} was predicted twice.")


def _challenge_arrays(prediction: Prediction) -> dict[str, np.ndarray]:
    parts: dict[str, Tensor] = {}
    if prediction.human is None and prediction.object is None:
        raise ValueError("A prediction has neither a person nor an object: there is nothing to store.")
    if prediction.human is not None:
        human = map_tensors(prediction.human, _plain)
        poses = rotmat_to_rotvec(human.theta).flatten(1)
        parts |= {"poses": poses, "betas": human.beta, "trans": human.trans}
    if prediction.object is not None:
        obj = map_tensors(prediction.object, _plain)
        parts |= {"obj_rots": obj.R, "obj_trans": obj.t}
        if obj.scale is not None and bool((obj.scale != 1).any()):
            parts["obj_scales"] = obj.scale
    return {name: part.numpy() for name, part in parts.items()}


def _further_arrays(batch: PredictedViews) -> dict[str, np.ndarray]:
    prediction = batch.prediction
    found: dict[str, Tensor | None] = {
        "K_crop": batch.K_crop,
        "turn": batch.turn,
        "joints": prediction.human.joints if prediction.human is not None else None,
        "kpts": prediction.object.kpts if prediction.object is not None else None,
        **{f"extras.{name}": tensor for name, tensor in prediction.extras.items()},
    }
    return {name: _stored(tensor) for name, tensor in found.items() if tensor is not None}


def _plain(tensor: Tensor) -> Tensor:
    return tensor.detach().cpu().double()


def _stored(tensor: Tensor) -> np.ndarray:
    """An array of the tensor's own precision, where NumPy has it."""
    tensor = tensor.detach().cpu()
    return (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy()


def _stack(frames: dict[str, dict[str, Any]]) -> dict[str, Any]:
    names = sorted(frames)
    record: dict[str, Any] = {"frames": names, "gender": frames[names[0]]["gender"]}
    for key in ("poses", "betas", "trans", "obj_rots", "obj_trans"):
        if key in frames[names[0]]:
            record[key] = np.stack([frames[name][key] for name in names])
    if any("obj_scales" in row for row in frames.values()):
        record["obj_scales"] = np.array([frames[name].get("obj_scales", 1.0) for name in names])
    return record


def _stack_further(rows: Rows) -> Further:
    views = [(sequence, frame) for sequence in sorted(rows) for frame in sorted(rows[sequence])]
    names = rows[views[0][0]][views[0][1]] if views else {}
    arrays = {name: np.stack([rows[s][f][name] for s, f in views]) for name in names}
    sequences, frames = ([view[i] for view in views] for i in (0, 1))
    return Further(np.array(sequences, dtype=str), np.array(frames, dtype=str), arrays)
