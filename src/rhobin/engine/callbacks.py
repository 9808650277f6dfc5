"""What happens beside the steps: the training log and the score on validation views."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from torch import Tensor

from rhobin.assets import Assets
from rhobin.body.model import BodyOutput
from rhobin.engine.tracks import TRACKS, TrackScores
from rhobin.metrics.joint import FrameMeshes, joint_errors_of_frames
from rhobin.types import Batch, required, to_device


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
    """Scores fixed validation views with the challenge's metrics: the joint track, and the others beside it.

    A method that predicts only people or only objects is scored for those, and needs another `tracked`.

    Args:
        views: validation batches, the same for the whole run; without any there is no score.
        assets: body models and object templates.
        every_n_steps: steps between two scores; the last step is always scored.
        samples: surface points on each mesh.
        seed: seed of the surface points.
        tracks: further tracks to score: human, object.
        tracked: the score that chooses the best checkpoint; lower is better.
    """

    def __init__(
        self,
        views: Sequence[Batch],
        assets: Assets,
        every_n_steps: int,
        samples: int,
        seed: int,
        tracks: Sequence[str] = TRACKS,
        tracked: str = "val/joint_mm",
    ) -> None:
        self.views, self.assets, self.every_n_steps = views, assets, every_n_steps
        self.samples, self.seed, self.tracked = samples, seed, tracked
        self.other = TrackScores(assets.templates, tracks)
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
        """Mean errors and losses over the validation views.

        Raises:
            ValueError: the tracked score is not among them.
        """
        frames: list[FrameMeshes] = []
        losses: list[dict[str, Tensor]] = []
        self.other.reset()
        for view in self.views:
            batch = to_device(view, module.device)
            losses.append(module.losses(batch))
            frames += self.add(batch, module.predict(batch), self.assets.bodies)
        scores = {name: torch.stack([part[name] for part in losses]).mean().item() for name in losses[0]}
        scores |= self.other.compute()
        if frames:
            pairs = joint_errors_of_frames(frames, self.seed, self.samples, torch.get_num_threads())
            smpl, obj = np.mean(pairs, axis=0)
            scores |= {"smpl_mm": float(smpl), "object_mm": float(obj), "joint_mm": float(smpl + obj) / 2}
        named = {f"val/{name}": value for name, value in scores.items()}
        if self.tracked not in named:
            raise ValueError(
                f"callbacks.evaluator.tracked is {self.tracked!r}; this method has {sorted(named)}"
            )
        return named

    def add(self, batch: Batch, pred: Any, bodies: Any) -> list[FrameMeshes]:
        """Add a batch to the other tracks; its meshes for the joint one, where it has both parts."""
        posed = None
        if pred.human is not None:
            people = (pred.human, required(batch.target.human, "the true person"))
            posed = [bodies(p.theta, p.beta, p.trans, batch.gender) for p in people]
            self.other.add_people(*posed)
        if pred.object is not None:
            self.other.add_objects(
                pred.object, required(batch.target.object, "the true object"), batch.object_id
            )
        return [] if posed is None or pred.object is None else self.meshes(batch, pred, posed, bodies.faces)

    def meshes(
        self, batch: Batch, pred: Any, posed: Sequence[BodyOutput], faces: Tensor
    ) -> list[FrameMeshes]:
        """Predicted and true surfaces of a batch, metres, camera frame."""
        pred_verts, true_verts = (torch.as_tensor(o.verts).double().cpu().numpy() for o in posed)
        pred_obj, true_obj = (
            self.placed(pred.object, pred.object.scale, batch),
            self.placed(batch.target.object, None, batch),
        )
        return [
            FrameMeshes(
                name=f"{key.sequence}/{key.frame}/k{key.camera}",
                pred_body=pred_verts[i],
                pred_obj=pred_obj[i],
                target_body=true_verts[i],
                target_obj=true_obj[i],
                body_faces=np.asarray(faces.cpu()),
                obj_faces=np.asarray(self.assets.templates[int(batch.object_id[i])].faces),
            )
            for i, key in enumerate(batch.keys)
        ]

    def placed(self, part: Any, size: Tensor | None, batch: Batch) -> list[np.ndarray]:
        """Each view's object vertices, metres, camera frame; the scale comes after the translation."""
        rotation, shift = part.R.double().cpu().numpy(), part.t.double().cpu().numpy()
        verts = [self.assets.templates[o].verts for o in batch.object_id.tolist()]
        scale = np.ones(len(verts)) if size is None else size.double().cpu().numpy()
        return [scale[i] * (x @ rotation[i].T + shift[i]) for i, x in enumerate(verts)]
