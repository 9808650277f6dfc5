"""From a composed config to objects: the only place that instantiates."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import hydra
import numpy as np
import pytorch_lightning as pl
from hydra.errors import HydraException, InstantiationException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from pytorch_lightning.loggers import WandbLogger
from pytorch_lightning.loggers.logger import Logger
from pytorch_lightning.utilities.exceptions import MisconfigurationException

from rhobin.assets import Assets
from rhobin.clock import Clock
from rhobin.data.collate import collate
from rhobin.engine.checkpoint import AtomicCheckpointIO
from rhobin.engine.count import BatchCount
from rhobin.engine.log import CsvLog
from rhobin.engine.overlays import OVERLAYS, SHOWN, Overlays
from rhobin.engine.reference import reference_of
from rhobin.engine.resolvers import register_resolvers
from rhobin.engine.signals import Steps, StopRequest, cluster_plugins
from rhobin.engine.validation import challenge_intrinsics, view_intrinsics
from rhobin.methods.base import Method
from rhobin.types import Batch

register_resolvers()

INSTALL = {
    **dict.fromkeys(("tensorboard", "wandb"), "pip install -e '.[log]'"),
    "mlflow": "pip install mlflow",
}
"""How to install what a logger needs, by its name in `configs/logger`."""

BUILD_ERRORS = (OmegaConfBaseException, HydraException)
"""What building from a config of another version raises."""


def other_version(run_dir: Path, error: Exception, doing: str) -> ValueError:
    """What to say of a run folder whose config cannot be built; `doing` is a verb that begins a sentence."""
    reason = str(error.__cause__ or error).splitlines()[0]
    return ValueError(
        f"{run_dir}/config.yaml cannot be built ({reason}): another version of rhobin wrote it. {doing} "
        "with the version and commit that run.json in that folder names, or train again"
    )


def instantiate(config: Any, **kwargs: Any) -> Any:
    """Hydra's `instantiate` with plain lists and dicts inside."""
    return hydra.utils.instantiate(config, _convert_="all", **kwargs)


def build_datamodule(config: DictConfig) -> Any:
    """The datamodule, set up for training and validation."""
    datamodule = instantiate(config.data)
    datamodule.setup("fit")
    return datamodule


def build_module(config: DictConfig, assets: Assets) -> Method:
    """The method's Lightning module with the body models and templates that it poses.

    Raises:
        ValueError: the data have several input sizes, and the network takes one.
    """
    parts: Any = OmegaConf.to_container(config.model, resolve=True)
    parts.pop("reads", None)  # the datamodule's
    module = instantiate(parts, _partial_=True)(assets=assets)
    if config.data.view.sizes and not module.any_size:
        raise ValueError(
            f"data.view.sizes is {list(config.data.view.sizes)}, but the network of {module.title} takes "
            f"images of one size; set data.view.sizes=[] to train at data.view.input_size"
        )
    return module


def build_trained(config: DictConfig, assets: Assets) -> Method:
    """The module for a checkpoint's weights, without those that its backbone would download."""
    config = DictConfig(OmegaConf.to_container(config))
    if OmegaConf.select(config, "model.net.backbone.weights") is not None:
        config.model.net.backbone.weights = None
    return build_module(config, assets)


def build_clock(config: DictConfig) -> Clock:
    """The clock of a run as long as the trainer's settings say."""
    trainer = config.trainer
    return Clock(trainer.max_steps, trainer.max_epochs, trainer.accumulate_grad_batches)


def build_loggers(config: DictConfig, run_dir: Path, run_id: str) -> list[Logger]:
    """The CSV log, always, and the configured ones; a W&B run takes the id of `run.json`.

    Raises:
        ValueError: the package of a logger is not installed.
    """
    loggers: list[Logger] = [CsvLog(run_dir / "metrics.csv")]
    for name, logger in config.logger.items():
        wandb = logger._target_.endswith(WandbLogger.__name__)
        try:
            loggers.append(instantiate(logger, **({"id": run_id} if wandb else {})))
        except InstantiationException as error:
            if not isinstance(error.__cause__, ImportError):
                raise
            reason = str(error.__cause__).partition("\n")[0]
            install = INSTALL.get(str(name), "pip install the package that it names")
            raise ValueError(
                f"logger={name} needs a package that is not installed here ({reason}): {install}; "
                "metrics.csv is written without any, with logger=none"
            ) from error
    return loggers


def build_callbacks(
    config: DictConfig,
    run_dir: Path,
    identity: Mapping[str, Any],
    datamodule: Any,
    clock: Clock,
    request: StopRequest,
) -> list[pl.Callback]:
    """Batch count, signals, log, averaged weights, evaluator, progress, whatever is named, checkpoints."""
    parts = dict(config.callbacks)

    def made(name: str, **kwargs: Any) -> Any:
        return instantiate(parts.pop(name), _partial_=True)(clock=clock, **kwargs)

    log, average = made("log"), made("ema") if parts.get("ema") else None
    parts.pop("ema", None)
    count = parts.pop("views")
    views, show = validation_views(datamodule, count), None
    if config.logger and views:
        shown = validation_views(datamodule, min(count, SHOWN))
        show = Overlays(clock, shown, datamodule.assets, run_dir / OVERLAYS).show
    intrinsics = view_intrinsics(datamodule.val_dataset) if views else challenge_intrinsics
    scored = {"views": views, "assets": datamodule.assets, "intrinsics": intrinsics}
    judge = made("evaluator", **scored, average=average, show=show)
    progress = made("progress", judge=judge, reference=reference_of(config))
    folder = run_dir / "checkpoints"
    checkpoints = made("checkpoints", folder=folder, judge=judge, identity=dict(identity), request=request)
    further = [instantiate(part) for part in parts.values()]
    averages = [average] if average else []
    return [BatchCount(clock), Steps(request), log, *averages, judge, progress, *further, checkpoints]


def build_trainer(
    config: DictConfig, run_dir: Path, loggers: list[Logger], callbacks: list[pl.Callback], module: Method
) -> pl.Trainer:
    """A trainer whose clock, log, progress and checkpoints are ours, with the method's own settings.

    Raises:
        ValueError: Lightning does not take a setting.
    """
    plain: Any = OmegaConf.to_container(config.trainer, resolve=True)
    settings = plain | {"max_steps": -1, "max_epochs": -1}
    settings.pop("sync_batchnorm", None)  # `share_norms` does it, on the CPU too
    try:
        return instantiate(module.trainer_settings(settings), _partial_=True)(
            logger=loggers,
            callbacks=callbacks,
            plugins=[AtomicCheckpointIO(), *cluster_plugins()],
            default_root_dir=run_dir,
            enable_progress_bar=False,
            enable_model_summary=False,
            limit_val_batches=0,
            num_sanity_val_steps=0,
            use_distributed_sampler=False,
        )
    except (TypeError, ValueError, ImportError, MisconfigurationException) as error:
        raise ValueError(f"Lightning does not take a setting of trainer: {error}") from error


def validation_views(datamodule: Any, count: int) -> list[Batch]:
    """Up to `count` validation views spread evenly over the set, in batches; none for a count of 0.

    Raises:
        ValueError: views are asked for and the datamodule has none.
    """
    if count == 0:
        return []
    dataset = datamodule.val_dataset
    if dataset is None:
        raise ValueError(
            f"callbacks.views is {count} but no validation views were held out; raise "
            "data.validation.fraction, or set callbacks.views=0 to train without a tracked metric"
        )
    chosen = np.unique(np.linspace(0, len(dataset) - 1, count).round().astype(int)).tolist()
    size = datamodule.batch_size
    return [collate([dataset[index] for index in chosen[i : i + size]]) for i in range(0, len(chosen), size)]
