"""A few steps of a training in Lightning's own loop, on fake tensors: what they would take."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from omegaconf import DictConfig
from torch._subclasses.fake_tensor import FakeTensorMode

from rhobin.assets import Assets
from rhobin.body.load import load_bodies
from rhobin.clock import Clock
from rhobin.data.blank import blank_batch
from rhobin.engine.build import build_trained, build_trainer, instantiate
from rhobin.engine.count import BatchCount
from rhobin.engine.planning.fake import NEEDS_VALUES, MostRows, Unfilled, make_fake
from rhobin.engine.planning.scales import Scales
from rhobin.engine.planning.tracker import Memory, module_tensors, nbytes, optimizer_states
from rhobin.methods.base import Method
from rhobin.objects.load import load_templates
from rhobin.types import Batch

KEPT = ("_target_", "precision", "gradient_clip_val", "gradient_clip_algorithm")
HERE = {"accelerator": "cpu", "devices": 1, "enable_checkpointing": False}
LATE = 999  # of a thousand steps: late losses and a late discriminator take part
LOUD = ("pytorch_lightning.utilities.rank_zero", "lightning_fabric.utilities.seed", "timm")


@dataclass(frozen=True)
class Rehearsal:
    """What the steps of a training take.

    Attributes:
        parameters: of the module.
        trained: those that an optimiser moves.
        flops: floating-point operations for each view: forward, backward and optimiser.
        averaged: bytes of the averaged weights; 0 without.
        state: bytes of a checkpoint's tensors: weights and optimiser.
        memory: peak of a step by the number of views in a batch, without the averaged weights; empty where it
            cannot be known.
        unknown: why, then.
    """

    parameters: int
    trained: int
    flops: float
    averaged: int
    state: int
    memory: dict[int, Memory]
    unknown: str = ""


def rehearse(config: DictConfig, counts: Sequence[int]) -> Rehearsal:
    """Rehearse one step for each number of views in a batch, on one device.

    The optimisers have made a step before, so that their states and the last gradients are there, as in all
    steps but the first. The step is late in the run, when every loss takes part.

    Args:
        config: of a stage.
        counts: numbers of views.

    Raises:
        ValueError: the step needs values, which fake tensors do not have; names the operation.
    """
    mode, accumulate = FakeTensorMode(allow_non_fake_inputs=True), accumulated(config)
    samples = instantiate(config.data).settings.samples
    scales = Scales(accumulate, on_gpu=config.trainer.accelerator != "cpu")
    with quiet():
        with Unfilled():
            module = build_trained(config, Assets.of(load_bodies(), load_templates()))
        module.freeze_modules(tuple(config.freeze))
        with mode:
            make_fake(module, mode)
            batches = [blank_batch(samples, count) for count in counts for _ in range(accumulate)]
            try:
                with MostRows():
                    train(config, module, batches, scales)
            except NEEDS_VALUES as error:
                raise ValueError(
                    f"a step of {module.title} cannot be rehearsed, for it needs values: {error}. Expected "
                    "operations whose shapes do not depend on values; measure real steps instead: "
                    "python train.py ... trainer.max_steps=3"
                ) from error
            finally:
                scales.close()
    return found(config, module, counts, scales)


def train(config: DictConfig, module: Method, batches: Sequence[Batch], callback: pl.Callback) -> None:
    """Train on the batches, late in a run, with the config's precision and clipping."""
    steps = len(batches) // accumulated(config)
    module.clock = clock = Clock(max_steps=(LATE + 1) * steps, accumulate=accumulated(config))
    clock.batches = LATE * len(batches)
    still(module)
    kept = {key: config.trainer[key] for key in KEPT if key in config.trainer}
    config = DictConfig({"trainer": kept | HERE | {"accumulate_grad_batches": clock.accumulate}})
    trainer = build_trainer(config, Path(), [], [BatchCount(clock), callback], module)
    trainer.fit(module, train_dataloaders=Repeated(batches))


def found(config: DictConfig, module: Method, counts: Sequence[int], scales: Scales) -> Rehearsal:
    """What the scales have weighed."""
    weights, parameters = nbytes(list(module.state_dict().values())), list(module.parameters())
    return Rehearsal(
        parameters=sum(p.numel() for p in parameters),
        trained=sum(p.numel() for p in parameters if p.requires_grad),
        flops=scales.flops / (counts[0] * accumulated(config)),
        averaged=nbytes(module_tensors(module.net)) if config.callbacks.get("ema") else 0,
        state=weights + nbytes(optimizer_states(scales.optimizers)),
        memory=dict(zip(counts, scales.peaks, strict=True)) if scales.peaks else {},
        unknown=scales.unknown,
    )


def accumulated(config: DictConfig) -> int:
    """Batches of a rehearsed step: two stand for more, for which gradients are added up as well."""
    return min(2, config.trainer.accumulate_grad_batches)


def still(module: Any) -> None:
    """Keep a module of fake tensors from what needs values, and from being moved, which it cannot be."""
    module.check_finite = lambda losses, batch: None
    module.on_train_start = lambda: None  # what it restores is a checkpoint's
    module.to = module.cpu = lambda *where, **how: module


class Repeated:
    """Batches in the form that Lightning takes for one loader."""

    def __init__(self, batches: Sequence[Batch]) -> None:
        self.batches = batches

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Iterator[Batch]:
        return iter(self.batches)


@contextmanager
def quiet() -> Iterator[None]:
    """Nothing of what libraries say about a training that does not take place."""
    loggers = [logging.getLogger(name) for name in LOUD]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
