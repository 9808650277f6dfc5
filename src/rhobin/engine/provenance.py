"""What an evaluation depends on, and whether its files are up to date."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import hydra
from omegaconf import DictConfig

import rhobin
from rhobin.body.chosen import body_name
from rhobin.engine.exported import Weights
from rhobin.engine.runinfo import config_hash
from rhobin.metrics.protocol import JointProtocol
from rhobin.reports.drawn_views import DRAWINGS, read_views
from rhobin.reports.page import REPORT
from rhobin.scoring.document import FRAMES, SCORES, read_scores
from rhobin.scoring.store import FURTHER, RESULTS, SIDECAR, Provenance, read_further, read_results

PREDICTED, SCORED = (RESULTS, SIDECAR, FURTHER), (SCORES, FRAMES, REPORT)
DEPENDENT = (*SCORED, DRAWINGS)
"""Files that follow from scores; drawings only of methods that draw."""


def read_provenance(
    run_dir: Path, config: DictConfig, datamodule: Any, weights: Weights, protocol: str
) -> Provenance:
    """Where predictions of a checkpoint come from.

    Args:
        run_dir: the run folder.
        config: the run's config.
        datamodule: of the data to predict.
        weights: that predict.
        protocol: name of the joint track's protocol.

    Raises:
        FileNotFoundError: there is no such checkpoint.
    """
    if not weights.file.is_file():
        raise FileNotFoundError(
            f"{weights.file} is missing: train first (python train.py run_dir={run_dir}), "
            "or choose another with checkpoint=last"
        )
    method: Any = hydra.utils.get_class(config.model._target_)
    return Provenance(
        method=method.name,
        title=method.title,
        run=weights.run,
        checkpoint=str(weights.file.relative_to(run_dir)),
        checkpoint_hash=weights.checkpoint_hash,
        config_hash=config_hash(config),
        data_hash=datamodule.data_hash,
        protocol=protocol,
        body=body_name(datamodule.assets.bodies),
        body_hash=datamodule.body_hash,
    )


def is_current(run_dir: Path, provenance: Provenance, origin: str | None) -> bool:
    """Whether all files of an evaluation exist and come from this checkpoint, config, data and protocol.

    Args:
        run_dir: the run folder.
        provenance: where the predictions must come from.
        origin: what `origin_hash` gives; None where there is nothing to score against.
    """
    files = PREDICTED if origin is None else (*PREDICTED, *SCORED)
    if not all((run_dir / name).is_file() for name in files):
        return False
    try:
        read_results(run_dir, provenance)
        read_further(run_dir)
        if origin is None:
            return True
        scored = read_scores(run_dir)[0]["origin"]
        read_views(run_dir, scored.get("drawings"))
        return scored.get("hash") == origin
    except (ValueError, KeyError, FileNotFoundError):
        return False


def origin_hash(
    provenance: Provenance, protocol: JointProtocol, tracks: Sequence[str] = (), generated: bool = False
) -> str:
    """Twelve hex digits that change when anything the scores depend on, or what is told of them, does."""
    parts = {"rhobin": rhobin.__version__, **asdict(provenance), "protocol": protocol.as_dict()}
    parts["generated"] = generated
    parts["tracks"] = list(tracks)
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:12]
