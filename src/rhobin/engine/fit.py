"""Train: one call from a composed config to a finished run folder."""

from __future__ import annotations

import logging
import shutil
import warnings
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from omegaconf import DictConfig
from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from rhobin.body.chosen import body_folder, body_name
from rhobin.engine.bad_batch import with_batch_kept
from rhobin.engine.build import (
    build_callbacks,
    build_clock,
    build_datamodule,
    build_loggers,
    build_module,
    build_trained,
    build_trainer,
)
from rhobin.engine.hyperparameters import tell_hyperparameters
from rhobin.engine.keys import check_keys, check_training
from rhobin.engine.left_out import tell_left_out, write_left_out
from rhobin.engine.lock import locked
from rhobin.engine.memory import keep_freed_memory
from rhobin.engine.mistakes import nothing_left
from rhobin.engine.processes import (
    Together,
    check_batch,
    check_started,
    first_console,
    own_rank,
    prepare_processes,
    share_threads,
    told_batch,
    told_once,
)
from rhobin.engine.progress import TrainProgress
from rhobin.engine.resume import ResumeError, Start, find_start
from rhobin.engine.runinfo import config_hash, describe_run, identity, read_run, resumable
from rhobin.engine.session import NoteLength, open_run, record, recorded
from rhobin.engine.signals import StopRequest, stop_requests
from rhobin.engine.speed import prepare_network
from rhobin.engine.stages import Stage, stages_of
from rhobin.engine.threads import threads_used, warning_of_threads
from rhobin.engine.untrained import write_untrained
from rhobin.engine.wandb_files import end_runs
from rhobin.engine.watch import Watch, watched
from rhobin.engine.weights import init_weights
from rhobin.methods.base import Method
from rhobin.methods.finite import NonFiniteLossError
from rhobin.methods.untrained import Untrained

# Lightning's advice on what is done on purpose: scores come from a callback, the sampler resumes, parts
# that are frozen stay in evaluation mode, and small kernels of volumes have no other strides.
QUIET = (
    ".*isinstance.treespec, LeafSpec.*",
    ".*does not have many workers.*",
    ".*smaller than the logging interval.*",
    ".*have no `validation_step`.*",
    ".*your dataloader is not resumable.*",
    ".*module.s. in eval mode at the start of training.*",
    ".*Grad strides do not match bucket view strides.*",
)
QUIET_LOGS = (
    "pytorch_lightning.utilities.rank_zero",
    "lightning_fabric.utilities.seed",
    "lightning_fabric.utilities.distributed",
)


class StoppedEarlyError(RuntimeError):
    """Something stopped the trainer before the last step."""


def fit(config: DictConfig, watch: Watch | None = None) -> Path:
    """Train what the config describes, or go on training it.

    Args:
        config: composed configuration, see configs/train.yaml.
        watch: is told each monitored score of the last stage, and may end it.

    Returns:
        The run folder.

    Raises:
        ValueError: the config has a key that nothing reads, or a value that does not fit.
        ResumeError: the run folder or the checkpoint forbids it.
        FileNotFoundError: data, body files or checkpoint are missing.
        NonFiniteLossError: a loss became NaN or infinite.
        LockedError: another process trains in the run folder.
        StoppedEarlyError: a callback or trainer.max_time ended the training, whose state is saved.
        Interrupted: a signal ended the training, whose state is saved.
        PrunedError: the watcher ended the training.
    """
    check_keys(config)
    check_training(config)
    stages, run_dir = stages_of(config), Path(config.run_dir)
    for stage in stages:
        check_training(stage.config)
    with told_once(), nothing_left(run_dir), locked(run_dir), stop_requests() as request:
        if len(stages) > 1:
            check_resume(config, stages)
        for stage in stages_to_do(stages, config.resume):
            request.obey()
            fit_stage(stage, request, watch if stage.number == stage.count else None)
    return run_dir


def stages_to_do(stages: list[Stage], resume: str) -> list[Stage]:
    """The stage to go on with and those after it: a stage that has begun needs none before it."""
    begun = [i for i, stage in enumerate(stages) if list((stage.run_dir / "checkpoints").glob("*.ckpt"))]
    return stages[max(begun, default=0) :] if resume == "auto" else stages


def check_resume(config: DictConfig, stages: list[Stage]) -> None:
    """Refuse what cannot be done with several stages.

    Raises:
        ResumeError: a single checkpoint is named, or a fresh run's folder has a stage already.
    """
    if config.resume not in ("none", "auto", "afresh"):
        raise ResumeError(
            f"resume={config.resume}: a run of {len(stages)} stages goes on with resume=auto; to train from "
            "another run's weights, set init_from"
        )
    for stage in stages:
        find_start(stage.run_dir, config.resume, resumable(stage.config), config.allow_changes)


def fit_stage(stage: Stage, request: StopRequest, watch: Watch | None = None) -> None:
    """Train one stage, or go on training it."""
    config, run_dir, console = stage.config, stage.run_dir, first_console()
    start = find_start(run_dir, config.resume, resumable(config), config.allow_changes)
    if stage.name:
        console.print(f"stage {stage.number} of {stage.count}: {stage.name}", style="bold")
    for message in start.messages:
        console.print(message, style="yellow")
    previous = read_run(run_dir)
    if start.checkpoint and is_finished(previous, start, config):
        console.print(f"{run_dir} is finished: {start.step} steps; nothing to do")
        return
    prepare_process(config)
    info = describe_run(config, previous)
    note_threads(config, info, previous if start.checkpoint else {}, console)
    open_run(run_dir, config, info, start)
    with recorded(run_dir, info, console):
        train(stage, info, start, console, request, watch)


def note_threads(
    config: DictConfig, info: dict[str, Any], previous: dict[str, Any], console: Console
) -> None:
    """Keep the numbers of CPU threads in `info`; warn where the run goes on with another one."""
    earlier = previous.get("threads", [])
    info["threads"] = threads_used(earlier)
    warning = warning_of_threads(earlier, info["threads"], config.trainer.accelerator)
    if warning:
        console.print(warning, style="yellow", soft_wrap=True)


def is_finished(previous: dict[str, Any], start: Start, config: DictConfig) -> bool:
    """Whether the run's record says that this very config is done at the checkpoint's step."""
    done = {"state": "finished", "steps": start.step, "config_hash": config_hash(config)}
    return all(previous.get(key) == value for key, value in done.items())


def train(
    stage: Stage,
    info: dict[str, Any],
    start: Start,
    console: Console,
    request: StopRequest,
    watch: Watch | None,
) -> None:
    """Build everything, tell what is about to happen, fit, and note in `info` how it went.

    A method without training takes no step: its run folder is written at once.
    """
    config, run_dir = stage.config, stage.run_dir
    datamodule = build_datamodule(config)
    module = (build_trained if start.checkpoint else build_module)(config, datamodule.assets)
    if isinstance(module, Untrained):
        write_untrained(config, run_dir, info, datamodule, module, console)
        return
    origin = initial_weights(stage, start, module)
    module.freeze_modules(tuple(config.freeze))
    module.clock = clock = build_clock(config)
    datamodule.clock = clock
    loggers = build_loggers(config, run_dir, info["id"])
    callbacks = build_callbacks(config, run_dir, resumable(config), datamodule, clock, request)
    callbacks.insert(0, NoteLength(run_dir, info, clock))
    together, rank = Together(clock, datamodule), own_rank()
    trainer = build_trainer(config, run_dir, loggers, [*watched(callbacks, watch), together], module)
    check_started(trainer, rank)
    make_ready(config, start, module, trainer, console)
    tell_hyperparameters(loggers, identity(config), config.callbacks.evaluator.monitor.name)
    info |= {"data_hash": datamodule.data_hash, "body_hash": datamodule.body_hash}
    info["processes"] = trainer.world_size
    write_left_out(run_dir, info, datamodule.skips)
    record(run_dir, info)
    console.print(summary(config, info, module, trainer, datamodule, origin))
    try:
        trainer.fit(module, datamodule=datamodule, ckpt_path=start.checkpoint, weights_only=True)
    except NonFiniteLossError as error:
        raise with_batch_kept(error, run_dir) from error
    finally:
        write_left_out(run_dir, info, together.skips or datamodule.skips)
        info["steps"] = clock.step
        speed = next(c.speed for c in callbacks if isinstance(c, TrainProgress))
        info["images_per_second"] = round(speed, 1) or info.get("images_per_second", 0.0)
        end_runs(loggers, run_dir, clock.finished)
    if clock.finished:
        info["state"] = "finished"
    else:
        request.obey()
        raise StoppedEarlyError(
            f"the run ended at step {clock.step} of {clock.total} although no signal came: a callback or "
            f"trainer.max_time stopped it. Its state is in {run_dir / 'checkpoints'}; go on with resume=auto"
        )


def make_ready(
    config: DictConfig, start: Start, module: Method, trainer: pl.Trainer, console: Console
) -> None:
    """Prepare the network for the device and the processes that the trainer has; tell what that changes."""
    device = trainer.strategy.root_device
    for message in check_batch(start, config, trainer.world_size):
        console.print(message, style="yellow", soft_wrap=True)
    prepare_network(module, config, device)
    prepare_processes(module, config, device)


def initial_weights(stage: Stage, start: Start, module: Method) -> list[str]:
    """Take the weights that the stage starts from; lines that say where the run starts."""
    if start.checkpoint:
        return [f"{start.checkpoint}, step {start.step}, epoch {start.epoch}"]
    if stage.weights:
        return init_weights(module, stage.weights).lines(stage.weights)
    return ["fresh"]


def prepare_process(config: DictConfig) -> None:
    """Seeds, threads and quiet libraries."""
    for pattern in QUIET:
        warnings.filterwarnings("ignore", pattern)
    for name in QUIET_LOGS:
        logging.getLogger(name).setLevel(logging.WARNING)
    share_threads(config)
    if config.trainer.accelerator == "cpu":
        keep_freed_memory()
    pl.seed_everything(config.seed, workers=True)


def summary(
    config: DictConfig,
    info: dict[str, Any],
    module: Method,
    trainer: pl.Trainer,
    datamodule: Any,
    origin: list[str],
) -> Panel:
    """What is about to happen, for a person."""
    data, folder = config.data, body_folder(config.data.body)
    place = f" of {folder}" if folder else ""
    size = sum(float(p.numel()) for p in module.net.parameters()) / 1e6
    pixels = " or ".join(str(width) for width in data.view.sizes or [data.view.input_size])
    lines = [
        "start     " + "\n          ".join(origin),
        f"run       {config.run_dir}  id {info['id']}  config {info['config_hash']}  seed {config.seed}",
        f"data      {data.root}  {len(datamodule.train_dataset)} views  hash {info['data_hash']}",
        f"body      {body_name(datamodule.assets.bodies)}{place}  hash {info['body_hash']}",
        f"left out  {tell_left_out(datamodule.skips)}",
        f"network   {size:.2f} M parameters, {pixels} px, batch {data.batch_size}",
        f"device    {trainer.strategy.root_device}, {torch.get_num_threads()} threads, {trainer.precision}",
        *(f"batch     {told}" for told in filter(None, [told_batch(config, trainer.world_size)])),
        f"log       metrics.csv{''.join(', ' + name for name in config.logger)}",
    ]
    width = shutil.get_terminal_size((110, 20)).columns
    return Panel(
        "\n".join(lines),
        title=Text(config.name, style="bold"),
        title_align="left",
        width=min(width, 130),
        expand=False,
    )
