"""Predictions of a run's validation views, stored like its test predictions: ensembles are fitted on them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from omegaconf import DictConfig
from omegaconf.errors import ConfigAttributeError

from rhobin.engine.build import build_datamodule, build_trained
from rhobin.engine.evaluate import evaluate, moved, results_folder
from rhobin.engine.exported import find_weights
from rhobin.engine.keys import EVALUATION, check_values
from rhobin.engine.predict import Predicted, load_weights, predict_views
from rhobin.engine.provenance import read_provenance
from rhobin.engine.trusted import read_config
from rhobin.engine.unfinished import Unfinished
from rhobin.engine.wandb_files import send_scores
from rhobin.files import clear_leftovers
from rhobin.geometry.rotation import rotmat_to_rotvec
from rhobin.metrics.protocol import JointProtocol
from rhobin.scoring.collect import TRUTH, Further
from rhobin.scoring.store import HELD_OUT, Provenance, read_further, read_results, write_results
from rhobin.terminal import plain_console


def evaluate_views(config: DictConfig) -> Path:
    """Evaluate a run on its test views, or predict its validation views, as `views` says; see `evaluate`.

    Raises:
        ValueError: a value does not fit, another version of rhobin wrote the run's config, or its scores
            were to go to W&B, where it is not.
    """
    check_values(config, EVALUATION)
    known = {"test": evaluate, "val": predict_held_out}
    if config.views not in known:
        raise ValueError(f"views is {config.views!r}; expected one of {', '.join(known)}")
    try:
        folder = known[config.views](config)
    except ConfigAttributeError as error:
        raise ValueError(
            f"{config.run}/config.yaml has no {error.full_key}: another version of rhobin wrote it. Evaluate "
            "with the version and commit that run.json in that folder names, or train again."
        ) from error
    if config.wandb:
        send_scores(Path(config.run), read_config(Path(config.run), config.trust), folder)
    return folder


def predict_held_out(config: DictConfig) -> Path:
    """Predict every validation view of kinect 1, and store the predictions with the true people beside them.

    Args:
        config: composed configuration, see configs/eval.yaml.

    Returns:
        The folder in the run's, or that of `out`, with ``results.pkl``, ``predictions.npz`` and
        ``results.json``.

    Raises:
        FileNotFoundError: run, checkpoint or data are missing.
        ValueError: nothing was held out, or the checkpoint belongs to another experiment.
    """
    run_dir, console = Path(config.run), plain_console()
    weights = find_weights(run_dir, config.checkpoint)
    folder = results_folder(config, weights.home / HELD_OUT)
    trained = read_config(run_dir, config.trust)
    run_config = moved(trained, config.data)
    run_config.data.validation.fraction = trained.data.validation.fraction
    run_config.data.validation.views = None  # all of them: training thins them to save time
    if config.threads:
        torch.set_num_threads(config.threads)
    datamodule = build_datamodule(run_config)
    loader = datamodule.held_out_dataloader()
    protocol = JointProtocol(**config.protocol).name
    provenance = read_provenance(run_dir, trained, datamodule, weights, protocol)
    if not config.force and is_current(folder, provenance):
        console.print(f"{folder} is up to date; force=true predicts again", soft_wrap=True)
        return folder
    clear_leftovers(folder)
    module = build_trained(run_config, datamodule.assets)
    load_weights(module, weights.file, trained)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    kept = Unfinished(folder, provenance, datamodule.batch_size, "val")
    predicted = predict_views(module, loader, datamodule.assets.bodies, device, kept)
    write_results(folder, predicted.results, provenance, with_truth(predicted, loader.dataset))
    kept.clear()
    console.print(f"{folder}: {predicted.frames} validation views of kinect 1 predicted", soft_wrap=True)
    return folder


def is_current(folder: Path, provenance: Provenance) -> bool:
    """Whether the stored predictions come from this checkpoint, config and data."""
    try:
        read_results(folder, provenance)
        read_further(folder)
    except (ValueError, KeyError, FileNotFoundError):
        return False
    return True


def with_truth(predicted: Predicted, dataset: Any) -> Further:
    """What was predicted beyond the challenge's format, and the true people of the same views."""
    further = predicted.further
    numbers = {(key.sequence, key.frame): key.index for key in map(dataset.key, range(len(dataset)))}
    names = zip(further.sequence.tolist(), further.frame.tolist(), strict=True)
    truth = true_people(dataset, np.array([numbers[name] for name in names]))
    return replace(further, arrays=further.arrays | {f"{TRUTH}{key}": value for key, value in truth.items()})


def true_people(dataset: Any, numbers: np.ndarray) -> dict[str, np.ndarray]:
    """The true people of some samples in the frame of their camera, by the challenge's names.

    Args:
        dataset: views with known people.
        numbers: (N,) of its samples.

    Returns:
        ``poses`` (N, 156) axis-angle, ``betas`` (N, 10), ``trans`` (N, 3) metres.
    """
    targets, views = dataset.targets, dataset.views[numbers]
    frames = targets.frame[views]
    theta = targets.theta[frames].astype(np.float64)
    theta[:, 0] = targets.root_R[views]
    poses = rotmat_to_rotvec(torch.from_numpy(theta)).flatten(1).numpy()
    return {
        "poses": poses,
        "betas": targets.beta[frames].astype(np.float64),
        "trans": targets.trans[views].astype(np.float64),
    }
