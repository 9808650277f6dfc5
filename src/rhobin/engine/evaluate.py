"""Evaluate a run: predict the test views, score predictions and baselines, write the report."""

from __future__ import annotations

import copy
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig
from rich.console import Console

import rhobin
from rhobin.behave.own_body import is_generated
from rhobin.behave.ref import find_ref
from rhobin.engine.baselines import baseline_rows
from rhobin.engine.build import build_datamodule, build_trained
from rhobin.engine.drawings import keep_drawings
from rhobin.engine.exported import find_weights, is_export
from rhobin.engine.predict import load_weights, predict_views
from rhobin.engine.provenance import DEPENDENT, is_current, origin_hash, read_provenance
from rhobin.engine.trusted import read_config
from rhobin.engine.unfinished import Unfinished
from rhobin.files import clear_leftovers
from rhobin.metrics.protocol import JOINT_MODES, JointProtocol
from rhobin.metrics.tracks import TRACKS, known_tracks
from rhobin.reports.page import write_report
from rhobin.reports.terminal import score_tables
from rhobin.scoring.challenge import Challenge, read_challenge
from rhobin.scoring.document import Scores, write_scores
from rhobin.scoring.objective import objective_of, told_objective
from rhobin.scoring.rows import score_rows
from rhobin.scoring.store import RESULTS, Provenance, read_further, read_results, write_results
from rhobin.scoring.submissions import pack, possible_tracks, submission_path, track_results
from rhobin.scoring.track import OFFICIAL
from rhobin.scoring.trust import calibrated, judge
from rhobin.scoring.visibility import with_visibility
from rhobin.terminal import plain_console


def evaluate(config: DictConfig) -> Path:
    """Predict, score and report a run; does nothing when all of it is up to date.

    What a killed evaluation had predicted is kept, and the next one goes on from there.

    Without ground truth nothing can be scored: the predictions are stored and packed as a submission.

    Args:
        config: composed configuration, see configs/eval.yaml.

    Returns:
        The run folder, that of another checkpoint than the best, or that of `out`, with ``results.pkl``,
        ``predictions.npz``, ``scores.json``, ``frames.csv`` and ``report.html``.

    Raises:
        FileNotFoundError: run, checkpoint or data are missing.
        ValueError: the checkpoint belongs to another experiment, or something cannot be scored.
    """
    run_dir, console = Path(config.run), plain_console()
    weights = find_weights(run_dir, config.checkpoint)
    home, folder = weights.home, results_folder(config, weights.home)
    known_tracks(config.tracks, "tracks")
    trained = read_config(run_dir, config.trust)
    run_config = moved(trained, config.data)
    if config.threads:
        torch.set_num_threads(config.threads)
    datamodule = build_datamodule(run_config)
    protocol = joint_protocol(config.protocol)
    provenance = read_provenance(run_dir, trained, datamodule, weights, protocol.name)
    origin = origin_hash(provenance, protocol, list(config.tracks), is_generated(datamodule.root))
    has_truth = find_ref(datamodule.root) is not None
    if not config.force and is_current(folder, provenance, origin if has_truth else None):
        console.print(f"{folder} is up to date; force=true evaluates again", soft_wrap=True)
        return folder
    clear_leftovers(folder)
    challenge = _ground_truth(datamodule) if has_truth else None
    module = build_trained(run_config, datamodule.assets)
    load_weights(module, weights.file, trained)
    seconds, evaluations = _predict(home, folder, datamodule, module, provenance)
    if challenge is not None:
        told = {"hash": origin, "seconds": seconds, "evaluations": evaluations}
        _score(config, folder, datamodule, challenge, module, provenance, protocol, told, console)
    else:
        _leave_unscored(folder, datamodule.root, console)
    return folder


def joint_protocol(settings: Mapping[str, Any]) -> JointProtocol:
    """The joint track's protocol of a config.

    Raises:
        ValueError: it has the name of another way of counting, and not its settings.
    """
    protocol = JointProtocol(**settings)
    named = {one.name: mode for mode, one in JOINT_MODES.items()}
    mode = named.get(protocol.name, OFFICIAL)
    if mode != OFFICIAL and protocol != JOINT_MODES[mode]:
        raise ValueError(
            f"protocol.name={protocol.name}: expected a name of your own, found that of another way of "
            "counting, which eval.py does not score by. Score the predictions by it: rhobin score joint ROOT "
            f"OUT --results RUN/results.pkl --protocol {mode}"
        )
    return protocol


def results_folder(config: DictConfig, usual: Path) -> Path:
    """The folder that `out` names, or the usual one.

    Raises:
        ValueError: that would be an export, whose calibrations an evaluation would replace.
    """
    if config.out is None and is_export(Path(config.run)):
        raise ValueError(
            f"{config.run} is an export, into which an evaluation does not write: expected out=FOLDER, found "
            f"none. Say where: python eval.py run={config.run} data.root=ROOT out=FOLDER"
        )
    return Path(config.out or usual)


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
    if places.root is not None and config.data.validation.by == "release":
        config.data.validation.fraction = 0  # not asked for here; another root may have none of its own
    return config


def _ground_truth(datamodule: Any) -> Challenge:
    """What predictions will be scored against; read before they are made, so that a fault is told at once."""
    body = datamodule.settings.body
    return read_challenge(datamodule.root, body, beside=False, centred=True, setting="data.body=")


def _predict(
    home: Path, folder: Path, datamodule: Any, module: Any, provenance: Provenance
) -> tuple[dict[str, float], float | None]:
    """Predict and store; seconds by what they went into, and evaluations of the network for each frame."""
    began = time.monotonic()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    bodies = datamodule.assets.bodies
    kept = Unfinished(folder, provenance, datamodule.batch_size, "test")
    predicted = predict_views(module, datamodule.test_dataloader(), bodies, device, kept)
    module.cpu()
    bodies.cpu()  # the baselines share them
    further = calibrated(predicted.further, home, provenance)
    write_results(folder, predicted.results, provenance, further)
    kept.clear()
    seconds = {"predict": time.monotonic() - began, "network": predicted.seconds}
    return seconds, predicted.evaluations


def _score(
    config: DictConfig,
    folder: Path,
    datamodule: Any,
    challenge: Challenge,
    module: Any,
    provenance: Provenance,
    protocol: JointProtocol,
    origin: dict[str, Any],
    console: Console,
) -> None:
    began, seconds = time.monotonic(), origin["seconds"]
    results, _ = read_results(folder, provenance)
    further = read_further(folder)
    train = datamodule.train_dataset if datamodule.has("train") else None
    tracks = [track for track in possible_tracks(results) if track in config.tracks]
    rows = baseline_rows(
        tracks,
        provenance.method,
        results,
        further,
        datamodule.test_dataset,
        train,
        datamodule.assets,
    )
    scored = score_rows(challenge, rows, _protocols(challenge, protocol), config.workers)
    seen = with_visibility(scored, challenge, datamodule.test_dataset.release)
    scores = judge(folder, seen, provenance, further)
    seconds["score"] = time.monotonic() - began
    origin |= {"seconds": {name: round(value, 2) for name, value in seconds.items()}}
    origin |= keep_drawings(folder, module, datamodule, scores, challenge.templates)
    objective = objective_of(further)
    if objective:
        origin["objective"] = objective
        console.print(f"objective: {told_objective(objective)}", soft_wrap=True)
    write_scores(folder, scores, _origin(datamodule, provenance, results, train, challenge) | origin)
    page = write_report(folder, datamodule.root, challenge)
    _print(console, scores, page, seconds, train is None)


def _protocols(challenge: Challenge, joint: JointProtocol) -> dict[str, Any]:
    """How each track is scored: officially, by the rules of the ground truth's edition."""
    if challenge.edition == "2024":
        return {name: track.modes["2024"] for name, track in TRACKS.items()}
    return {**{name: track.modes["official"] for name, track in TRACKS.items()}, "joint": joint}


def _origin(
    datamodule: Any, provenance: Provenance, results: dict[str, Any], train: Any, challenge: Challenge
) -> dict[str, Any]:
    """What to say about where the scores come from."""
    return {
        **asdict(provenance),
        "row": provenance.method,
        "rhobin": rhobin.__version__,
        "data": datamodule.manifest(),
        **challenge.origin,
        "body_folder": datamodule.settings.body and str(datamodule.settings.body),
        "predicted": sum(len(record["frames"]) for record in results.values()),
        "train_views": 0 if train is None else len(train),
    }


def _print(
    console: Console, scores: Scores, page: Path, seconds: dict[str, float], no_training: bool
) -> None:
    for table in score_tables(scores):
        console.print(table)
    if no_training:
        console.print("The root has no training views, so there are no constant predictors to compare with.")
    told = f"{page} (predict {seconds['predict']:.1f} s, score {seconds['score']:.1f} s)"
    console.print(told, soft_wrap=True)


def _leave_unscored(folder: Path, root: Path, console: Console) -> None:
    """Pack the predictions, and leave no score of other data behind."""
    for name in DEPENDENT:
        (folder / name).unlink(missing_ok=True)
    results, _ = read_results(folder)
    track = possible_tracks(results)[0]
    path = submission_path(folder, track, "2023")
    pack(path, track_results(results, track, str(folder)), "2023")
    console.print(
        f"Nothing was scored: {root} has no ref.pkl, the ground truth of its test images.\n"
        f"Predictions: {folder / RESULTS}; as a submission of the {track} track: {path}",
        soft_wrap=True,
        highlight=False,
    )
