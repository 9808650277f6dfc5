"""What a W&B run keeps of a run folder: config, log and pictures after training, scores after evaluation."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig
from pytorch_lightning.loggers import WandbLogger
from pytorch_lightning.loggers.logger import Logger
from pytorch_lightning.utilities import rank_zero_only

from rhobin.engine.build import instantiate
from rhobin.engine.overlays import OVERLAYS
from rhobin.engine.runinfo import read_run
from rhobin.reports.drawn_views import DRAWINGS
from rhobin.reports.page import REPORT
from rhobin.scoring.document import FRAMES, SCORES, read_document, scored_tracks

TRAINED = ("config.yaml", "metrics.csv", OVERLAYS)
SCORED = (SCORES, FRAMES, DRAWINGS, REPORT)


@rank_zero_only
def end_runs(loggers: Sequence[Logger], run_dir: Path, finished: bool) -> None:
    """End the W&B runs of a session, so that the next stage or trial in this process gets its own.

    Args:
        loggers: of the session.
        run_dir: the run folder.
        finished: whether the last step is done; the run then keeps the files of its training.
    """
    for logger in loggers:
        if isinstance(logger, WandbLogger):
            run = logger.experiment
            if finished:
                keep_files(run, artifact_name(read_run(run_dir)), "training", run_dir, TRAINED)
            run.finish(exit_code=0 if finished else 1)


def send_scores(run_dir: Path, config: DictConfig, folder: Path) -> None:
    """Give the scores of an evaluation, and its files, to the W&B run of the training.

    Args:
        run_dir: the run folder.
        config: of the run.
        folder: where the evaluation wrote.

    Raises:
        ValueError: the run was not logged with W&B, or nothing was scored.
    """
    parts = [p for p in config.logger.values() if p._target_.endswith(WandbLogger.__name__)]
    info = read_run(run_dir)
    if not parts or "id" not in info:
        raise ValueError(
            "wandb=true: expected a run that was logged with W&B, found no logger.wandb in "
            f"{run_dir}/config.yaml or no id in its run.json. Evaluate with wandb=false, or train with "
            "logger=wandb"
        )
    if not (folder / SCORES).is_file():
        raise ValueError(
            f"wandb=true: expected {SCORES} in {folder}, found none: only test views with ground truth are "
            "scored. Evaluate with wandb=false"
        )
    document = read_document(folder / SCORES)
    ours = document["origin"]["row"]
    run = instantiate(parts[0], id=info["id"], save_dir=str(run_dir)).experiment
    for track in scored_tracks(document):
        scores = document["tracks"][track][ours]["scores"]
        run.summary.update({f"test/{track}/{name}": value for name, value in scores.items()})
    keep_files(run, f"{artifact_name(info)}-scores", "scores", folder, SCORED)
    run.finish()


def artifact_name(info: dict[str, Any]) -> str:
    """Name and id of a run, in the characters that W&B takes."""
    return re.sub(r"[^\w.-]", "-", f"{info['name']}-{info['id']}")


def keep_files(run: Any, name: str, kind: str, folder: Path, files: Sequence[str]) -> None:
    """Log those of a folder's files that are there as one artifact."""
    import wandb

    artifact = wandb.Artifact(name, kind)
    for file in files:
        if (folder / file).is_file():
            artifact.add_file(str(folder / file), name=file)
    run.log_artifact(artifact)
