"""Predicted and true surfaces of a batch, as the joint metric compares them."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from rhobin.assets import Assets
from rhobin.body.model import BodyOutput
from rhobin.metrics.joint import FrameMeshes
from rhobin.types import Batch, Prediction, required


def frame_meshes(
    batch: Batch, prediction: Prediction, posed: tuple[BodyOutput, BodyOutput], assets: Assets
) -> list[FrameMeshes]:
    """Surfaces of the views that show person and object, metres, camera frame.

    Args:
        batch: with the ground truth.
        prediction: of both parts.
        posed: predicted and true bodies of all views, with vertices.
        assets: body models and object templates.
    """
    human, target = required(batch.target.human, "the person"), required(batch.target.object, "the object")
    pred = required(prediction.object, "the object")
    pred_verts, true_verts = (torch.as_tensor(body.verts).double().cpu().numpy() for body in posed)
    faces = np.asarray(assets.bodies.faces.cpu())
    meshes = []
    for i in torch.nonzero((human.present > 0) & (target.present > 0)).flatten().tolist():
        key, template = batch.keys[i], assets.templates[int(batch.object_id[i])]
        size = 1.0 if pred.scale is None else float(pred.scale[i].double())
        meshes.append(
            FrameMeshes(
                name=f"{key.sequence}/{key.frame}/k{key.camera}",
                pred_body=pred_verts[i],
                pred_obj=placed(template.verts, pred.R[i], pred.t[i], size),
                target_body=true_verts[i],
                target_obj=placed(template.verts, target.R[i], target.t[i], 1.0),
                body_faces=faces,
                obj_faces=np.asarray(template.faces),
            )
        )
    return meshes


def placed(verts: np.ndarray, R: Tensor, t: Tensor, scale: float) -> np.ndarray:
    """Object vertices, metres, camera frame; the scale comes after the translation."""
    rotation, shift = R.double().cpu().numpy(), t.double().cpu().numpy()
    return scale * (verts @ rotation.T + shift)
