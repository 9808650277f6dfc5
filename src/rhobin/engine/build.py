"""From a composed config to objects: the only place that instantiates."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import hydra
import numpy as np
import pytorch_lightning as pl
from omegaconf import DictConfig, OmegaConf
from pytorch_lightning.loggers import WandbLogger
from pytorch_lightning.loggers.logger import Logger

from rhobin.data.collate import collate
from rhobin.engine.checkpoint import AtomicCheckpointIO
from rhobin.engine.log import CsvLog
from rhobin.methods.base import Method
from rhobin.types import Batch


def instantiate(config: Any, **kwargs: Any) -> Any:
    """Hydra's `instantiate` with plain lists and dicts inside."""
    return hydra.utils.instantiate(config, _convert_="all", **kwargs)


def read_config(run_dir: Path) -> DictConfig:
    """The config of a run folder.

    Raises:
        FileNotFoundError: not a run folder.
    """
    path = run_dir / "config.yaml"
    if not path.is_file():
        raise FileNotFoundError(f"{run_dir} is not a run folder: it has no config.yaml; train.py writes one")
    return DictConfig(OmegaConf.load(path))


def build_datamodule(config: DictConfig) -> Any:
    """The datamodule, set up for training and validation."""
    datamodule = instantiate(config.data)
    datamodule.setup("fit")
    return datamodule


def build_module(config: DictConfig, datamodule: Any) -> Method:
    """The method's Lightning module with the body models and templates of its data."""
    return instantiate(config.model, _partial_=True)(assets=datamodule.assets)


def build_loggers(config: DictConfig, run_dir: Path, run_id: str) -> list[Logger]:
    """The CSV log, always, and the configured ones; a W&B run takes the id of `run.json`."""
    loggers: list[Logger] = [CsvLog(run_dir / "metrics.csv")]
    for logger in config.logger.values():
        wandb = logger._target_.endswith(WandbLogger.__name__)
        loggers.append(instantiate(logger, **({"id": run_id} if wandb else {})))
    return loggers


def build_callbacks(
    config: DictConfig, run_dir: Path, identity: Mapping[str, Any], datamodule: Any
) -> list[pl.Callback]:
    """Log, evaluator, progress, whatever else the config names, and checkpoints, in this order."""
    parts = dict(config.callbacks)
    log = instantiate(parts.pop("log"))
    views = validation_views(datamodule, parts.pop("views"))
    judge = instantiate(parts.pop("evaluator"), _partial_=True)(views=views, assets=datamodule.assets)
    progress = instantiate(parts.pop("progress"), _partial_=True)(judge=judge, tracked=judge.tracked)
    checkpoints = instantiate(parts.pop("checkpoints"), _partial_=True)(
        folder=run_dir / "checkpoints", judge=judge, identity=dict(identity)
    )
    return [log, judge, progress, *(instantiate(part) for part in parts.values()), checkpoints]


def build_trainer(
    config: DictConfig, run_dir: Path, loggers: list[Logger], callbacks: list[pl.Callback]
) -> pl.Trainer:
    """A trainer whose log, progress and checkpoints are ours."""
    return instantiate(config.trainer, _partial_=True)(
        logger=loggers,
        callbacks=callbacks,
        plugins=[AtomicCheckpointIO()],
        default_root_dir=run_dir,
        enable_progress_bar=False,
        enable_model_summary=False,
        limit_val_batches=0,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,
    )


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
            f"callbacks.views is {count} but no validation views were held out; raise data.val_fraction, "
            "or set callbacks.views=0 to train without a tracked metric"
        )
    chosen = np.unique(np.linspace(0, len(dataset) - 1, count).round().astype(int)).tolist()
    size = datamodule.batch_size
    return [collate([dataset[index] for index in chosen[i : i + size]]) for i in range(0, len(chosen), size)]
