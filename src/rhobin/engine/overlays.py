"""Pictures of what is predicted for a few validation views, for the loggers that take pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from pytorch_lightning.loggers import TensorBoardLogger, WandbLogger

from rhobin.assets import Assets
from rhobin.clock import Clock
from rhobin.engine.meshes import placed
from rhobin.reports.contact_sheet import write_sheet
from rhobin.reports.overlay import Surface
from rhobin.reports.palette import PRED_BODY, PRED_OBJECT, RGB, TARGET_BODY, TARGET_OBJECT
from rhobin.reports.photo_overlay import draw_meshes
from rhobin.types import Batch, ObjectPrediction, Prediction, Target, to_device

OVERLAYS, TAG = "overlays.png", "val/overlays"
SHOWN = 4  # assumed (docs/decisions/0170): views
SIZE = 224  # assumed (docs/decisions/0170): width of a picture, pixels


class Overlays:
    """Draws the same views after each evaluation, and gives the picture to TensorBoard and W&B.

    Args:
        clock: counts steps.
        views: validation batches.
        assets: body models and object templates.
        path: where the latest picture is kept.
    """

    def __init__(self, clock: Clock, views: Sequence[Batch], assets: Assets, path: Path) -> None:
        self.clock, self.views, self.assets, self.path = clock, views, assets, path

    @torch.no_grad()
    def show(self, trainer: pl.Trainer, module: Any) -> None:
        """Draw and log; nothing where no logger takes pictures.

        Args:
            trainer: with the loggers.
            module: with the weights that were scored, in evaluation mode.
        """
        loggers = [one for one in trainer.loggers if isinstance(one, TensorBoardLogger | WandbLogger)]
        if not loggers:
            return
        rows = [row for view in self.views for row in self.draw(module, view)]
        sheet = np.concatenate(rows)
        write_sheet(self.path, sheet)
        for logger in loggers:
            if isinstance(logger, WandbLogger):
                logger.log_image(TAG, [sheet], step=self.clock.step)
            else:
                logger.experiment.add_image(TAG, sheet, self.clock.step, dataformats="HWC")

    def draw(self, module: Any, view: Batch) -> list[np.ndarray]:
        """For each view of a batch (SIZE, 3 SIZE, 3) RGB uint8: its image, the truth, what is predicted."""
        batch = to_device(view, module.device)
        truth = self.surfaces(batch, batch.target, (TARGET_BODY, TARGET_OBJECT))
        predicted = self.surfaces(batch, module.predict(batch), (PRED_BODY, PRED_OBJECT))
        rows = []
        for i, (image, K) in enumerate(zip(view.image, view.K_crop.double().numpy(), strict=True)):
            pixels = np.ascontiguousarray(image[:3].permute(1, 2, 0).numpy()[..., ::-1])
            meshes: tuple[list[Surface], ...] = ([], truth[i], predicted[i])
            rows.append(np.hstack([draw_meshes(pixels, part, K, (SIZE, SIZE)) for part in meshes]))
        return rows

    def surfaces(
        self, batch: Batch, poses: Target | Prediction, colors: tuple[RGB, RGB]
    ) -> list[list[Surface]]:
        """Person and object of each view of a batch, as far as they are told and the view shows them."""
        found: list[list[Surface]] = [[] for _ in batch.keys]
        human, obj = poses.human, poses.object
        if human is not None and batch.target.human is not None:
            bodies = self.assets.bodies.to(batch.image.device)
            verts = bodies(human.theta, human.beta, human.trans, batch.gender).verts.double().cpu().numpy()
            faces = bodies.faces.cpu().numpy()
            for i in torch.nonzero(batch.target.human.present > 0).flatten().tolist():
                found[i].append(Surface(verts[i], faces, colors[0]))
        if obj is not None and batch.target.object is not None:
            scale = obj.scale if isinstance(obj, ObjectPrediction) else None
            for i in torch.nonzero(batch.target.object.present > 0).flatten().tolist():
                template = self.assets.templates[int(batch.object_id[i])]
                size = 1.0 if scale is None else float(scale[i])
                verts = placed(template.verts, obj.R[i], obj.t[i], size)
                found[i].append(Surface(verts, np.asarray(template.faces), colors[1]))
        return found
