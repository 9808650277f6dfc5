"""What happens beside the steps: the training log and the score on validation views."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from torch import Tensor

from rhobin.metrics.joint import FrameMeshes, joint_errors_of_frames
from rhobin.objects.template import Template
from rhobin.types import Batch, Prediction, to_device


def log_everywhere(trainer: pl.Trainer, metrics: Mapping[str, float]) -> None:
    """Write one row to every logger under the current step."""
    row = {"epoch": trainer.current_epoch, **metrics}
    for logger in trainer.loggers:
        logger.log_metrics(row, step=trainer.global_step)


class TrainLog(pl.Callback):
    """Logs each loss's mean over the steps since the last row, and the learning rate.

    Args:
        every_n_steps: steps between rows.
    """

    def __init__(self, every_n_steps: int) -> None:
        self.every_n_steps = every_n_steps
        self.sums: dict[str, Tensor] = {}
        self.steps = 0

    def state_dict(self) -> dict[str, Any]:
        """The unfinished window."""
        return {"sums": {name: value.cpu() for name, value in self.sums.items()}, "steps": self.steps}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on in a saved window."""
        self.sums, self.steps = dict(state_dict["sums"]), state_dict["steps"]

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        module: pl.LightningModule,
        outputs: Any,
        batch: Batch,
        batch_idx: int,
    ) -> None:
        """Add a step to the window; close it when it is full."""
        for name, value in outputs.items():
            before = self.sums.get(name)
            self.sums[name] = value.double() if before is None else before.to(value.device) + value
        self.steps += 1
        if (
            trainer.global_step % self.every_n_steps == 0
            or trainer.global_step == trainer.estimated_stepping_batches
        ):
            means = {f"train/{name}": (value / self.steps).item() for name, value in self.sums.items()}
            log_everywhere(trainer, {**means, "lr": trainer.optimizers[0].param_groups[0]["lr"]})
            self.sums, self.steps = {}, 0


class JointEvaluator(pl.Callback):
    """Scores fixed validation views with the challenge's joint metric.

    Args:
        views: validation batches, the same for the whole run; without any there is no score.
        templates: object templates by index.
        every_n_steps: steps between two scores; the last step is always scored.
        samples: surface points on each mesh.
        seed: seed of the surface points.
    """

    tracked = "val/joint_mm"

    def __init__(
        self,
        views: Sequence[Batch],
        templates: Sequence[Template],
        every_n_steps: int,
        samples: int,
        seed: int,
    ) -> None:
        self.views, self.templates, self.every_n_steps = views, templates, every_n_steps
        self.samples, self.seed = samples, seed
        self.step, self.value = -1, float("nan")

    def state_dict(self) -> dict[str, Any]:
        """The last score."""
        return {"step": self.step, "value": self.value}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a saved score."""
        self.step, self.value = state_dict["step"], state_dict["value"]

    def on_train_batch_end(self, trainer: pl.Trainer, module: Any, *args: Any) -> None:
        """Score when it is time."""
        step = trainer.global_step
        due = step % self.every_n_steps == 0 or step == trainer.estimated_stepping_batches
        if not due or not self.views:
            return
        module.eval()
        scores = self.score(module)
        module.train()
        self.step, self.value = step, trainer.strategy.broadcast(scores[self.tracked])
        log_everywhere(trainer, scores)

    @torch.no_grad()
    def score(self, module: Any) -> dict[str, float]:
        """Mean errors and losses over the validation views."""
        frames: list[FrameMeshes] = []
        losses: list[dict[str, Tensor]] = []
        for view in self.views:
            batch = to_device(view, module.device)
            losses.append(module.losses(batch))
            frames += self.meshes(batch, module.predict(batch), module.bodies)
        smpl, obj = np.mean(
            joint_errors_of_frames(frames, self.seed, self.samples, torch.get_num_threads()), axis=0
        )
        means = {
            f"val/{name}": torch.stack([part[name] for part in losses]).mean().item() for name in losses[0]
        }
        return {
            "val/smpl_mm": float(smpl),
            "val/object_mm": float(obj),
            self.tracked: float(smpl + obj) / 2,
            **means,
        }

    def meshes(self, batch: Batch, pred: Prediction, bodies: Any) -> list[FrameMeshes]:
        """Predicted and true surfaces of a batch."""
        pred_verts, pred_obj = self.surfaces(pred, batch, bodies)
        true_verts, true_obj = self.surfaces(batch.target, batch, bodies)
        return [
            FrameMeshes(
                name=f"{key.sequence}/{key.frame}/k{key.camera}",
                pred_body=pred_verts[i],
                pred_obj=pred_obj[i],
                target_body=true_verts[i],
                target_obj=true_obj[i],
                body_faces=np.asarray(bodies.faces.cpu()),
                obj_faces=np.asarray(self.templates[int(batch.object_id[i])].faces),
            )
            for i, key in enumerate(batch.keys)
        ]

    def surfaces(self, part: Any, batch: Batch, bodies: Any) -> tuple[np.ndarray, list[np.ndarray]]:
        """Body vertices (B, V, 3) and each view's object vertices, metres, camera frame."""
        body = bodies(part.theta, part.beta, part.trans, batch.gender).verts.double().cpu().numpy()
        rotation, shift = part.obj_R.double().cpu().numpy(), part.obj_t.double().cpu().numpy()
        ids = batch.object_id.tolist()
        return body, [self.templates[o].verts @ rotation[i].T + shift[i] for i, o in enumerate(ids)]
