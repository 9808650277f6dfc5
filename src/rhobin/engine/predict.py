"""A trained checkpoint on the test views: predictions in the challenge's layout."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from rhobin.body.bodyset import BodySet
from rhobin.engine.exported import WEIGHTS, load_exported
from rhobin.engine.resume import accepted_changes
from rhobin.engine.runinfo import BODY_HASH, identity
from rhobin.engine.saved import CheckpointError, read_checkpoint
from rhobin.engine.turn_back import turn_back
from rhobin.methods.base import Method
from rhobin.scoring.collect import Further, PredictedViews, gather
from rhobin.types import Batch, Prediction, map_tensors, to_device

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
    """

    results: dict[str, dict[str, Any]]
    further: Further
    frames: int
    seconds: float


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
def predict_views(module: Method, loader: Any, bodies: BodySet, device: torch.device) -> Predicted:
    """Predict every batch of a loader, in the frames of the cameras that took the views.

    A view that stands in for a broken one is dropped, so each frame occurs once.

    Args:
        module: with trained weights.
        loader: yields batches of test views.
        bodies: body models, which are moved to the device.
        device: where to compute.

    Returns:
        Predictions by sequence.
    """
    module.eval().to(device)
    bodies.to(device)
    clock = [0.0]
    columns = (TextColumn("predict"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, transient=True) as progress:
        batches = progress.track(loader, total=len(loader))
        results, further = gather(_predict(module, batches, bodies, device, clock))
    return Predicted(results, further, sum(len(r["frames"]) for r in results.values()), clock[0])


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
    module: Method, batches: Any, bodies: BodySet, device: torch.device, clock: list[float]
) -> Iterator[PredictedViews]:
    seen: set[tuple[str, str]] = set()
    for batch in batches:
        began = time.perf_counter()
        prediction = predict_batch(module, batch, bodies, device)
        clock[0] += time.perf_counter() - began
        fresh = _first_occurrences(batch, seen)
        yield PredictedViews(
            map_tensors(prediction, itemgetter(fresh)),
            batch.gender[fresh],
            [batch.keys[i] for i in fresh],
            batch.K_crop[fresh],
            batch.turn[fresh],
        )


def _first_occurrences(batch: Batch, seen: set[tuple[str, str]]) -> list[int]:
    fresh = []
    for i, key in enumerate(batch.keys):
        if (key.sequence, key.frame) not in seen:
            seen.add((key.sequence, key.frame))
            fresh.append(i)
    return fresh
