"""The run folder of a method without training: what `train.py` writes for it, in no steps (decision 0175)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from omegaconf import DictConfig
from pytorch_lightning.utilities import rank_zero_only
from rich.console import Console

import rhobin
from rhobin.body.chosen import body_name
from rhobin.engine.baselines import select_views
from rhobin.engine.body_constant import body_frame_mean, mean_orientation
from rhobin.engine.checkpoint import BEST, AtomicCheckpointIO, random_state
from rhobin.engine.left_out import tell_left_out, write_left_out
from rhobin.engine.runinfo import resumable
from rhobin.engine.saved import FORMAT
from rhobin.engine.session import record
from rhobin.methods.untrained import Untrained

TRAINING_ONLY = ("stages", "init_from", "freeze", "logger", "compile", "optim", "callbacks")
"""Keys of a run's config that only a training reads."""


def refuse_settings(config: DictConfig, title: str) -> None:
    """Refuse what only a training can do.

    Raises:
        ValueError: naming the settings.
    """
    asked = [key for key in TRAINING_ONLY if config[key]]
    asked += [f"trainer.{key}" for key in config.trainer if key != "accelerator"]
    if asked:
        raise ValueError(
            f"{title} trains nothing, so {', '.join(asked)} would do nothing. Leave that out; the experiment "
            "of a method without training has trainer=none, optim=none and callbacks=none"
        )


def refuse_untrained(config: DictConfig, asked: str) -> None:
    """Refuse a command about training for a method that has none.

    Raises:
        ValueError: naming the experiment.
    """
    if not config.optim:
        raise ValueError(
            f"{asked} is about training, and {config.name} trains nothing (optim=none). Write its run "
            "folder: python train.py experiment=NAME; then python eval.py run=RUN"
        )


@rank_zero_only
def write_untrained(
    config: DictConfig,
    run_dir: Path,
    info: dict[str, Any],
    datamodule: Any,
    module: Untrained,
    console: Console,
) -> None:
    """Measure the mean body of the training views, and keep it as the run's one checkpoint, of step 0.

    Args:
        config: of the run.
        run_dir: the run folder, in which `config.yaml` and `run.json` are already.
        info: content of its `run.json`, which is told the state.
        datamodule: of the data.
        module: the method.
        console: told what was written.

    Raises:
        ValueError: the config asks for what only a training does, or the root has no training views.
    """
    refuse_settings(config, module.title)
    module.take_means(training_means(datamodule))
    info |= {"data_hash": datamodule.data_hash, "body_hash": datamodule.body_hash}
    write_left_out(run_dir, info, datamodule.skips)
    file = run_dir / "checkpoints" / BEST
    AtomicCheckpointIO().save_checkpoint(checkpoint_of(module, resumable(config)), file)
    info |= {"state": "finished", "steps": 0, "total_steps": 0}
    record(run_dir, info)
    console.print(
        f"{run_dir}: {module.title} trains nothing. The mean body ({body_name(datamodule.assets.bodies)}) of "
        f"{len(datamodule.train_dataset)} training views is in {file}; left out: "
        f"{tell_left_out(datamodule.skips)}. Next: python eval.py run={run_dir}",
        soft_wrap=True,
    )


def training_means(datamodule: Any) -> dict[str, Any]:
    """The mean body of the training views, as the constant predictor of the joint track has it."""
    known = select_views(datamodule.train_dataset)
    mean = body_frame_mean(known)
    return {
        "mean_joints": mean.joints,
        "mean_beta": mean.beta,
        "mean_twist": mean.twist,
        "mean_facing": mean_orientation(known),
    }


def checkpoint_of(module: Untrained, identity: dict[str, Any]) -> dict[str, Any]:
    """A checkpoint of step 0 in the format of a training's, so that whatever reads one reads it."""
    return {
        "state_dict": {name: value.contiguous() for name, value in module.state_dict().items()},
        "global_step": 0,
        "epoch": 0,
        "optimizer_states": [],
        "rhobin": {
            "format": FORMAT,
            "version": rhobin.__version__,
            "identity": identity,
            "random": random_state(),
            "log_rows": 0,
            "clock": {"batches": 0, "step": 0},
            "processes": 1,
        },
    }
