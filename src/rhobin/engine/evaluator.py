"""The score on validation views that is tracked during training."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from rhobin.assets import Assets
from rhobin.body.model import BodyOutput
from rhobin.clock import Clock
from rhobin.engine.ema import WeightAverage
from rhobin.engine.monitor import Monitor
from rhobin.engine.tracks import TRACKS, TrackScores
from rhobin.engine.train_log import log_everywhere
from rhobin.metrics.joint import FrameMeshes, joint_errors_of_frames
from rhobin.types import Batch, required, to_device


class Evaluator(pl.Callback):
    """Scores fixed validation views on the challenge's tracks, those whose parts the method predicts.

    Args:
        clock: counts steps.
        views: validation batches, the same for the whole run; without any there is no score.
        assets: body models and object templates.
        every_n_steps: steps between two scores; the last step is always scored.
        samples: surface points on each mesh.
        seed: seed of the surface points.
        monitor: the score that chooses the best checkpoint.
        tracks: further tracks to score: human, object.
        average: averaged weights, which are scored instead of those of training.
    """

    def __init__(
        self,
        clock: Clock,
        views: Sequence[Batch],
        assets: Assets,
        every_n_steps: int,
        samples: int,
        seed: int,
        monitor: Monitor,
        tracks: Sequence[str] = TRACKS,
        average: WeightAverage | None = None,
    ) -> None:
        self.clock, self.views, self.assets, self.every_n_steps = clock, views, assets, every_n_steps
        self.samples, self.seed, self.monitor, self.average = samples, seed, monitor, average
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
        if not self.views or not self.clock.due(self.every_n_steps):
            return
        with evaluating(module):
            if self.average is None:
                scores = self.score(module)
            else:
                with self.average.applied(module):
                    scores = self.score(module)
        self.step, self.value = self.clock.step, trainer.strategy.broadcast(scores[self.monitor.name])
        log_everywhere(trainer, self.clock, scores)

    @torch.no_grad()
    def score(self, module: Any) -> dict[str, float]:
        """Mean scores and losses over the validation views; the network runs once a batch.

        Raises:
            ValueError: the monitored score is not among them.
        """
        frames: list[FrameMeshes] = []
        losses: list[dict[str, Tensor]] = []
        self.other.reset()
        for view in self.views:
            batch = to_device(view, module.device)
            output = module.run_net(batch)
            losses.append(module.losses(output, batch))
            frames += self.add(batch, module.decode(output, batch), self.assets.bodies)
        scores = {name: torch.stack([part[name] for part in losses]).mean().item() for name in losses[0]}
        scores |= self.other.compute()
        if frames:
            pairs = joint_errors_of_frames(
                frames, self.seed, self.samples, torch.get_num_threads(), using=None
            )
            smpl, obj = np.mean(pairs, axis=0)
            scores |= {"smpl_mm": float(smpl), "object_mm": float(obj), "joint_mm": float(smpl + obj) / 2}
        named = {f"val/{name}": value for name, value in scores.items()}
        if self.monitor.name not in named:
            raise ValueError(
                f"callbacks.evaluator.monitor.name is {self.monitor.name!r}; this method has {sorted(named)}"
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


@contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """Evaluation mode; afterwards every submodule is in the mode it was in."""
    modes = [(part, part.training) for part in module.modules()]
    module.eval()
    try:
        yield
    finally:
        for part, training in modes:
            part.training = training
