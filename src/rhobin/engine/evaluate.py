"""Evaluate a run: predict the test views, score predictions and baselines, write the report."""

from __future__ import annotations

import copy
import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig
from rich.console import Console
from rich.table import Table

import rhobin
from rhobin.data.datamodule import BehaveDataModule
from rhobin.engine.baselines import baseline_rows
from rhobin.engine.build import build_datamodule, build_module, read_config
from rhobin.engine.predict import load_weights, predict_views
from rhobin.engine.runinfo import config_hash, read_run
from rhobin.methods.base import Method
from rhobin.metrics.joint_track import JointScore
from rhobin.metrics.protocol import JointProtocol
from rhobin.reports.page import is_generated, write_report
from rhobin.reports.run_tracks import score_tracks
from rhobin.reports.score import read_scores, score_rows, write_scores
from rhobin.reports.store import Provenance, read_results, write_results

FILES = ("results.pkl", "results.json", "scores.json", "frames.csv", "report.html")


def evaluate(config: DictConfig) -> Path:
    """Predict, score and report a run; does nothing when all of it is up to date.

    Args:
        config: composed configuration, see configs/eval.yaml.

    Returns:
        The run folder, with ``results.pkl``, ``scores.json``, ``frames.csv`` and ``report.html``.

    Raises:
        FileNotFoundError: run, checkpoint or data are missing.
        ValueError: the checkpoint belongs to another experiment, or something cannot be scored.
    """
    run_dir, console = Path(config.run), Console()
    trained = read_config(run_dir)
    run_config = moved(trained, config.data)
    if config.threads:
        torch.set_num_threads(config.threads)
    datamodule = build_datamodule(run_config)
    protocol = JointProtocol(**config.protocol)
    checkpoint = run_dir / "checkpoints" / f"{config.checkpoint}.ckpt"
    provenance = _provenance(run_dir, trained, datamodule, checkpoint, protocol)
    tracks = list(config.tracks)
    if not config.force and is_current(run_dir, provenance, protocol, tracks):
        console.print(f"{run_dir / 'report.html'} is up to date; force=true evaluates again")
        return run_dir
    module = build_module(run_config, datamodule)
    seconds = _predict(run_dir, trained, datamodule, module, checkpoint, provenance)
    rows, origin = _rows(run_config, datamodule, module, run_dir, provenance)
    origin |= {"hash": origin_hash(provenance, protocol, tracks), "seconds": seconds}
    scores = _score(run_dir, run_config, rows, protocol, tracks, origin, config.workers)
    page = write_report(run_dir, Path(run_config.data.root), run_config.data.body)
    console.print(score_table(scores))
    console.print(f"{page} (predict {seconds['predict']:.1f} s, score {seconds['score']:.1f} s)")
    return run_dir


def is_current(
    run_dir: Path, provenance: Provenance, protocol: JointProtocol, tracks: Sequence[str] = ()
) -> bool:
    """Whether all files of an evaluation exist and come from this checkpoint, config, data and protocol."""
    if not all((run_dir / name).is_file() for name in FILES):
        return False
    try:
        document, _ = read_scores(run_dir)
        read_results(run_dir / "results.pkl", provenance)
    except (ValueError, KeyError):
        return False
    return document["origin"].get("hash") == origin_hash(provenance, protocol, tracks)


def origin_hash(provenance: Provenance, protocol: JointProtocol, tracks: Sequence[str] = ()) -> str:
    """Twelve hex digits that change when anything the scores depend on does."""
    parts = {"rhobin": rhobin.__version__, **asdict(provenance), "protocol": protocol.as_dict()}
    parts["tracks"] = list(tracks)
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:12]


def score_table(scores: dict[str, JointScore]) -> Table:
    """The scores for a terminal."""
    protocol = next(iter(scores.values())).protocol
    table = Table(title=f"Joint track, {protocol.name}, held-out frames", title_justify="left")
    for column in ("prediction", "SMPL [mm]", "object [mm]", "frames"):
        table.add_column(column, justify="left" if column == "prediction" else "right")
    for name, score in scores.items():
        table.add_row(name, f"{score.smpl_mm:.1f}", f"{score.object_mm:.1f}", str(len(score.frames)))
    return table


def moved(trained: DictConfig, places: DictConfig) -> DictConfig:
    """The run's config with data and body models looked for where they are now.

    Args:
        trained: config of the run.
        places: values of ``data.*`` to replace; null keeps the trained one.

    Returns:
        A changed copy.
    """
    config = copy.deepcopy(trained)
    for key, value in places.items():
        if value is not None:
            config.data[key] = value
    return config


def _provenance(
    run_dir: Path, config: DictConfig, datamodule: BehaveDataModule, checkpoint: Path, protocol: JointProtocol
) -> Provenance:
    if not checkpoint.is_file():
        raise FileNotFoundError(
            f"{checkpoint} is missing: train first (python train.py run_dir={run_dir}), "
            "or choose another with checkpoint=last"
        )
    return Provenance(
        method=method_name(config),
        run=read_run(run_dir).get("id", run_dir.name),
        checkpoint=str(checkpoint.relative_to(run_dir)),
        checkpoint_hash=hashlib.sha256(checkpoint.read_bytes()).hexdigest(),
        config_hash=config_hash(config),
        data_hash=datamodule.data_hash,
        protocol=protocol.name,
    )


def method_name(config: DictConfig) -> str:
    """The method's package name, from the module that the config instantiates: ``khor``."""
    return str(config.model._target_).split(".")[-3]


def _predict(
    run_dir: Path,
    config: DictConfig,
    datamodule: BehaveDataModule,
    module: Method,
    checkpoint: Path,
    provenance: Provenance,
) -> dict[str, float]:
    began = time.monotonic()
    load_weights(module, checkpoint, config)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    predicted = predict_views(module, datamodule.test_dataloader(), device)
    write_results(run_dir / "results.pkl", predicted.results, provenance)
    return {"predict": time.monotonic() - began, "network": predicted.seconds}


def _rows(
    config: DictConfig,
    datamodule: BehaveDataModule,
    module: Method,
    run_dir: Path,
    provenance: Provenance,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Predictions by row, and what to say about where they come from."""
    results, _ = read_results(run_dir / "results.pkl", provenance)
    origin = {
        **asdict(provenance),
        "rhobin": rhobin.__version__,
        "data": datamodule.manifest(),
        "generated": is_generated(datamodule.root),
        "predicted": sum(len(record["frames"]) for record in results.values()),
        "train_views": len(datamodule.train_dataset),
    }
    return baseline_rows(datamodule, provenance.method, results), origin


def _score(
    run_dir: Path,
    config: DictConfig,
    rows: dict[str, Any],
    protocol: JointProtocol,
    tracks: Sequence[str],
    origin: dict[str, Any],
    workers: int,
) -> dict[str, JointScore]:
    began, seconds = time.monotonic(), origin["seconds"]
    root, body = Path(config.data.root), config.data.body and Path(config.data.body)
    scores = score_rows(root / "ref.pkl", rows, protocol, body, workers)
    placed = {name: results for name, results in rows.items() if not name.startswith("constant")}
    other = score_tracks(root, placed, tracks, body, workers)
    seconds["score"] = time.monotonic() - began
    origin = {**origin, "seconds": {name: round(value, 2) for name, value in seconds.items()}}
    write_scores(run_dir, scores, origin, other)
    return scores
