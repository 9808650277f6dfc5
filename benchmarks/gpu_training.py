"""What a device's trainings take and what their losses are, for `gpu_check.py`."""

from __future__ import annotations

import csv
import time
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from gpu_agreement import Row
from omegaconf import DictConfig

from rhobin.clock import Clock
from rhobin.data.collate import collate
from rhobin.engine.build import build_datamodule, build_trained, build_trainer
from rhobin.engine.compose import compose_config
from rhobin.engine.count import BatchCount
from rhobin.engine.fit import fit
from rhobin.engine.planning.cards import CARDS, GIB, speed
from rhobin.engine.planning.footprint import footprint
from rhobin.engine.planning.rehearsal import KEPT, LATE, Repeated, quiet
from rhobin.engine.speed import prepare_network
from rhobin.engine.stages import stages_of
from rhobin.methods.base import Method

WARM = 3
"""Steps before the clock runs: kernels are chosen in the first ones."""
PLANNED = 0.20
"""How far a plan's memory may be from the measured one (the issue's limit for small presets)."""
FOLLOWS = 0.10
"""How far two loss curves may lie apart on average, as a share of how far the loss falls (assumed)."""


def stage_config(experiment: str, root: Path, device: torch.device, *overrides: str) -> DictConfig:
    """The last stage of an experiment, on a generated root and a device."""
    place = (f"data.root={root}", "data.validation.by=sequence", "data.validation.fraction=0")
    here = (f"trainer.accelerator={device.type}", "trainer.devices=1", "callbacks.views=0", "data.workers=0")
    calm = "trainer.deterministic=warn"  # some CUDA kernels have no deterministic form, which `true` refuses
    return stages_of(compose_config([f"experiment={experiment}", *place, *here, calm, *overrides]))[-1].config


class Stopwatch(pl.Callback):
    """Seconds from the end of the first steps to the end of the last."""

    def __init__(self, device: torch.device) -> None:
        self.device, self.seconds, self.begin = device, 0.0, 0.0

    def on_train_batch_end(
        self, trainer: pl.Trainer, module: Any, outputs: Any, batch: Any, index: int
    ) -> None:
        """Read the clock, once the device is done."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        self.begin = time.perf_counter() if index + 1 == WARM else self.begin
        self.seconds = time.perf_counter() - self.begin


def steps(experiment: str, root: Path, device: torch.device, count: int) -> tuple[list[Row], dict[str, Any]]:
    """Train late steps of a preset, with all its losses, on one batch; memory and speed beside the plan's."""
    config = stage_config(experiment, root, device)
    datamodule = build_datamodule(config)
    data, views = datamodule.train_dataset, config.data.batch_size
    batch = collate([data[index % len(data)] for index in range(views)])
    torch.manual_seed(0)
    module = build_trained(config, datamodule.assets)
    prepare_network(module, config, device)
    watch = Stopwatch(device)
    if device.type == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)
    with quiet():
        train(config, module, [batch] * (WARM + count), watch)
    rate, planned = count / watch.seconds, footprint(config, config.trainer.precision)
    told: dict[str, Any] = {"experiment": experiment, "views": views, "steps_per_second": rate}
    told |= {"planned_bytes": planned.memory(views), "flops": planned.rehearsal.flops * views * rate}
    rows = [memory_row(told, device), Row(f"{experiment}, steps", *speeds(told, config), "measured")]
    return rows, told


def train(config: DictConfig, module: Method, batches: Sequence[Any], watch: pl.Callback) -> None:
    """Steps in Lightning's loop, late in a run, where every loss takes part."""
    module.clock = clock = Clock(max_steps=(LATE + 1) * len(batches))
    clock.batches = LATE * len(batches)
    kept = {key: config.trainer[key] for key in (*KEPT, "accelerator", "devices") if key in config.trainer}
    plain = DictConfig({"trainer": kept | {"enable_checkpointing": False, "accumulate_grad_batches": 1}})
    trainer = build_trainer(plain, Path(), [], [BatchCount(clock), watch], module)
    trainer.fit(module, train_dataloaders=Repeated(batches))


def memory_row(told: dict[str, Any], device: torch.device) -> Row:
    """The peak of the device's allocator beside the plan's."""
    what, planned = f"{told['experiment']}, peak memory of {told['views']} views", told["planned_bytes"] / GIB
    if device.type != "cuda":
        return Row(what, "the CPU's allocator tells no peak", f"{planned:.2f} GiB by rhobin plan", "not run")
    told["peak_bytes"] = torch.cuda.max_memory_allocated(device)
    peak = told["peak_bytes"] / GIB
    state = "ok" if abs(planned / peak - 1) <= PLANNED else "differs"
    return Row(what, f"{peak:.2f} GiB", f"{planned:.2f} GiB by rhobin plan, {PLANNED:.0%} of room", state)


def speeds(told: dict[str, Any], config: DictConfig) -> tuple[str, str]:
    """Steps a second as measured, and as the plan assumes for this card where it knows it."""
    found = f"{told['steps_per_second']:.2f} a second, {told['flops'] / 1e12:.3g} TFLOP/s"
    name = torch.cuda.get_device_name() if config.trainer.accelerator == "cuda" else ""
    card = next((card for card in CARDS if card.removeprefix("RTX ") in name), None)
    if card is None:
        return found, "rhobin plan assumes nothing of this device"
    assumed = speed(card, config.trainer.precision)
    return found, f"{assumed.peak * assumed.used:.1f} TFLOP/s assumed by rhobin plan"


def curves(
    experiment: str, root: Path, place: Path, device: torch.device, count: int
) -> tuple[list[Row], dict[str, list[float]]]:
    """Losses of the same training in several ways, each beside the device's float32."""
    ways = {"float32": (), "bfloat16": ("trainer.precision=bf16-mixed",), "compiled": ("compile=true",)}
    cpu = torch.device("cpu")
    found: dict[str, list[float]] = {}
    rows: list[Row] = []
    for name, where, more in [("CPU", cpu, ()), *((name, device, more) for name, more in ways.items())]:
        if name == "CPU" and device.type == "cpu":
            continue
        try:
            found[name] = losses(experiment, root, place / name, where, count, more)
        except ValueError as error:
            if name != "compiled":
                raise
            rows.append(Row(f"losses, {name}", str(error).splitlines()[0], "", "not run"))
    base = np.array(found["float32"])
    fall = base[:3].mean() - base[-3:].mean()
    rows.insert(0, Row("losses, float32", f"fall by {fall:.3g}", "above 0", "ok" if fall > 0 else "differs"))
    for name, values in found.items():
        if name != "float32":
            rows.append(followed(name, float(np.abs(np.array(values) - base).mean() / fall)))
    return rows, found


def followed(name: str, share: float) -> Row:
    """How far a curve lies from float32's."""
    told = f"{share:.2%} of the fall apart on average"
    return Row(f"losses, {name}", told, f"at most {FOLLOWS:.0%}", "ok" if share <= FOLLOWS else "differs")


def losses(
    experiment: str, root: Path, run_dir: Path, device: torch.device, count: int, more: Sequence[str]
) -> list[float]:
    """Loss of every step of a training by `fit`."""
    log = (f"run_dir={run_dir}", f"trainer.max_steps={count}", "callbacks.log.every_n_steps=1")
    config = stage_config(experiment, root, device, *log, "stages={}", *more)
    config.callbacks.checkpoints.every_n_steps = count
    fit(config)
    with (run_dir / "metrics.csv").open(encoding="utf-8") as file:
        return [float(row["train/loss"]) for row in csv.DictReader(file) if row["train/loss"]]


def loading(experiment: str, root: Path, told: dict[str, Any], workers: int, batches: int) -> Row:
    """Views a second of the loader beside what the steps take."""
    config = stage_config(experiment, root, torch.device("cpu"), "data.cache.kind=none")
    config.data.workers = workers
    loader = build_datamodule(config).train_dataloader()
    dealt = iter(loader)
    next(dealt)
    begin, views = time.perf_counter(), 0
    for batch in islice(dealt, batches):
        views += len(batch)
    rate, needed = views / (time.perf_counter() - begin), told["views"] * told["steps_per_second"]
    what = f"{experiment}, loader with {workers} processes"
    state = "ok" if rate >= needed else "differs"
    return Row(what, f"{rate:.0f} views a second", f"at least the steps' {needed:.0f}", state)
