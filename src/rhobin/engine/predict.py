"""A trained checkpoint on the test views: predictions in the challenge's layout."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch.utils.data import DataLoader

from rhobin.body.bodyset import BodySet
from rhobin.engine.exported import WEIGHTS, load_exported
from rhobin.engine.resume import accepted_changes
from rhobin.engine.runinfo import BODY_HASH, identity
from rhobin.engine.saved import CheckpointError, read_checkpoint
from rhobin.engine.turn_back import turn_back
from rhobin.engine.unfinished import Unfinished
from rhobin.methods.base import Method
from rhobin.scoring.collect import Further, PredictedViews, gather
from rhobin.types import Batch, Prediction, SampleKey, map_tensors, to_device

ELSEWHERE = (
    "config.yaml in the run folder is not the one that this checkpoint was trained with. Name the run folder "
    "that the checkpoint comes from, or put that folder's config.yaml here"
)


@dataclass(frozen=True)
class Predicted:
    """Predictions and how long the network took.

    Attributes:
        results: by sequence name, in the challenge's layout.
        further: whatever goes beyond that layout, by view.
        frames: number of predicted frames.
        seconds: time in the network and the mesh conversion, without loading images.
        evaluations: of the network, of each frame, as Table 5 counts them; None where all batches were kept
            from before.
    """

    results: dict[str, dict[str, Any]]
    further: Further
    frames: int
    seconds: float
    evaluations: float | None


def load_weights(module: Method, checkpoint: Path, config: DictConfig) -> int:
    """Put a checkpoint's weights, or an export's, into a module.

    Args:
        module: built from the run's config.
        checkpoint: file written by training, or the weights that `find_weights` finds in an export.
        config: the run's config.

    Returns:
        The step the checkpoint was written at.

    Raises:
        FileNotFoundError: there is no such file.
        CheckpointError: it is damaged.
        ResumeError: it belongs to another experiment.
        ValueError: an export's weights do not fit the module.
    """
    if checkpoint.name == WEIGHTS:
        return load_exported(module, checkpoint)
    if not checkpoint.is_file():
        raise FileNotFoundError(f"{checkpoint} is missing: train first, or name another with checkpoint=last")
    try:
        state = read_checkpoint(checkpoint)
    except CheckpointError as error:
        raise CheckpointError(f"{error}; name another one, e.g. checkpoint=last") from error
    allowed = bool(config.get("allow_changes"))
    trained = {key: value for key, value in state["rhobin"]["identity"].items() if key != BODY_HASH}
    accepted_changes(checkpoint, trained, identity(config), allowed, ELSEWHERE)
    module.load_state_dict(state["state_dict"])
    return state["global_step"]


@torch.inference_mode()
def predict_views(
    module: Method, loader: Any, bodies: BodySet, device: torch.device, kept: Unfinished | None = None
) -> Predicted:
    """Predict every batch of a loader, in the frames of the cameras that took the views.

    A view that stands in for a broken one is dropped, so each frame occurs once.

    Args:
        module: with trained weights.
        loader: yields batches of test views.
        bodies: body models, which are moved to the device.
        device: where to compute.
        kept: keeps the finished batches of a loader in order, and has those of a killed evaluation.

    Returns:
        Predictions by sequence.
    """
    module.eval().to(device)
    bodies.to(device)
    clock, counted = [0.0], Counted()
    hook = module.evaluated.register_forward_hook(counted.evaluation)
    columns = (TextColumn("predict"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, transient=True) as progress:
        if kept is None:
            tracked = progress.track(loader, total=len(loader))
            batches = _predict(module, counted.through(tracked), bodies, device, clock)
        else:
            batches = _go_on(module, loader, bodies, device, clock, kept, progress, counted)
        results, further = gather(_each_frame_once(batches))
    hook.remove()
    frames = sum(len(record["frames"]) for record in results.values())
    return Predicted(results, further, frames, clock[0], counted.each)


class Counted:
    """How often a network is evaluated for each batch, which is as often for each of its frames."""

    def __init__(self) -> None:
        self.evaluations = self.batches = 0

    def evaluation(self, *_: Any) -> None:
        """Count one; a hook."""
        self.evaluations += 1

    def through(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        """The same batches, counted."""
        for batch in batches:
            self.batches += 1
            yield batch

    @property
    def each(self) -> float | None:
        """Evaluations a batch; None without any batch."""
        return self.evaluations / self.batches if self.batches else None


def predict_batch(module: Method, batch: Batch, bodies: BodySet, device: torch.device) -> Prediction:
    """Predict one batch.

    Args:
        module: with trained weights, on the device.
        batch: on the CPU.
        bodies: body models, on the device.
        device: where to compute.

    Returns:
        On the CPU, metres, in the frames of the cameras that took the views.
    """
    there = batch.to(device)
    return to_device(turn_back(module.predict(there), there.turn, there.gender, bodies), "cpu")


def _predict(
    module: Method, batches: Iterable[Batch], bodies: BodySet, device: torch.device, clock: list[float]
) -> Iterator[PredictedViews]:
    """Every batch predicted, stand-ins included; the clock is told the seconds."""
    for batch in batches:
        began = time.perf_counter()
        prediction = predict_batch(module, batch, bodies, device)
        clock[0] += time.perf_counter() - began
        yield PredictedViews(prediction, batch.gender, batch.keys, batch.K_crop, batch.turn)


def _go_on(
    module: Method,
    loader: DataLoader,
    bodies: BodySet,
    device: torch.device,
    clock: list[float],
    kept: Unfinished,
    progress: Progress,
    counted: Counted,
) -> Iterator[PredictedViews]:
    """The same, with the batches that are kept already taken as they are, and the others kept.

    A batch in which a view stands in for a broken one is not kept: predicting it again finds the broken file
    again, which the evaluation tells.
    """
    numbers: list[list[int]] = list(loader.batch_sampler or ())
    found = {batch[0]: kept.read(batch[0]) for batch in numbers}
    missing = [batch for batch in numbers if found[batch[0]] is None]
    if len(missing) < len(numbers):
        progress.console.print(
            f"{len(numbers) - len(missing)} of {len(numbers)} batches were predicted before and are kept in "
            f"{kept.place}; remove that folder to predict them again",
            soft_wrap=True,
        )
    task = progress.add_task("predict", total=len(numbers), completed=len(numbers) - len(missing))
    rest = iter(_predict(module, counted.through(_only(loader, missing)), bodies, device, clock))
    for batch in numbers:
        done = found.pop(batch[0])
        if done is not None:
            clock[0] += done[1]
            yield done[0]
            continue
        before = clock[0]
        views = next(rest)
        if [key.index for key in views.keys] == batch:
            kept.write(batch[0], views, clock[0] - before)
        progress.advance(task)
        yield views


def _only(loader: DataLoader, batches: list[list[int]]) -> DataLoader:
    """A loader of some batches of a loader's dataset."""
    return DataLoader(
        loader.dataset,
        batch_sampler=batches,
        num_workers=loader.num_workers,
        collate_fn=loader.collate_fn,
        generator=loader.generator,
        multiprocessing_context=loader.multiprocessing_context,
    )


def _each_frame_once(batches: Iterable[PredictedViews]) -> Iterator[PredictedViews]:
    """The batches without views whose frame occurred before."""
    seen: set[tuple[str, str]] = set()
    for views in batches:
        fresh = _first_occurrences(views.keys, seen)
        cut = {
            name: map_tensors(getattr(views, name), itemgetter(fresh))
            for name in ("prediction", "gender", "K_crop", "turn")
        }
        yield PredictedViews(keys=[views.keys[i] for i in fresh], **cut)


def _first_occurrences(keys: list[SampleKey], seen: set[tuple[str, str]]) -> list[int]:
    fresh = []
    for i, key in enumerate(keys):
        if (key.sequence, key.frame) not in seen:
            seen.add((key.sequence, key.frame))
            fresh.append(i)
    return fresh
