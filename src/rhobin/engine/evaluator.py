"""The score on validation views that is tracked during training."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from rhobin import ranks
from rhobin.assets import Assets
from rhobin.clock import Clock
from rhobin.engine.ema import WeightAverage
from rhobin.engine.monitor import Monitor
from rhobin.engine.train_log import log_everywhere
from rhobin.engine.validation import Intrinsics, ValidationScores, challenge_intrinsics
from rhobin.metrics.tracks import TRACKS
from rhobin.types import Batch, to_device


class Evaluator(pl.Callback):
    """Scores fixed validation views on the challenge's tracks, those whose parts the method predicts.

    Several processes share the batches of views: each view is scored once, by the first process's network.

    Args:
        clock: counts steps.
        views: validation batches, the same for the whole run; without any there is no score.
        assets: body models and object templates.
        every_n_steps: steps between two scores; the last step is always scored.
        samples: surface points on each mesh.
        seed: seed of the surface points.
        monitor: the score that chooses the best checkpoint.
        intrinsics: of the camera that took a view, for MSPD.
        tracks: names of the tracks to score.
        average: averaged weights, which are scored instead of those of training.
        show: is called in the first process after each score, with the trainer and the scored network.
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
        intrinsics: Intrinsics = challenge_intrinsics,
        tracks: Sequence[str] = tuple(TRACKS),
        average: WeightAverage | None = None,
        show: Callable[[pl.Trainer, Any], None] | None = None,
    ) -> None:
        self.clock, self.views, self.every_n_steps = clock, views, every_n_steps
        self.monitor, self.average, self.show = monitor, average, show
        self.scores = ValidationScores(assets, intrinsics, samples, seed, tracks)
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
        with evaluating(module), self.average.applied(module) if self.average else nullcontext():
            scores = self.score(module)
            if self.show and ranks.rank() == 0:
                self.show(trainer, module)
        self.step, self.value = self.clock.step, scores[self.monitor.name]
        log_everywhere(trainer, self.clock, scores)

    @torch.no_grad()
    def score(self, module: Any) -> dict[str, float]:
        """Mean scores and losses over the validation views; the network runs once a batch.

        Raises:
            ValueError: the monitored score is not among them.
        """
        losses: dict[str, Tensor] = {}
        count = sum(len(view) for view in self.views)
        self.scores.reset()
        ranks.take_first(module.net.buffers())
        for view in self.views[ranks.rank() :: ranks.count()]:
            batch = to_device(view, module.device)
            output = module.run_net(batch)
            for name, loss in module.losses(output, batch).items():
                losses[name] = losses.get(name, 0) + loss * (len(batch) / count)
            self.scores.add(batch, module.decode(output, batch))
        told = ranks.gathered({name: loss.item() for name, loss in losses.items()})
        scores = {name: sum(part[name] for part in told if part) for name in told[0]}
        self.scores.share()
        scores |= self.scores.compute()
        named = {f"val/{name}": value for name, value in scores.items()}
        if self.monitor.name not in named:
            raise ValueError(
                f"callbacks.evaluator.monitor.name is {self.monitor.name!r}; this method has {sorted(named)}"
            )
        return named


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
