"""What a run folder says about its run, written before the first step.

runs/<name>/run.json       id, state, versions, git, seeds, logger ids, data hash
runs/<name>/config.yaml    the composed config
runs/<name>/metrics.csv    the log
runs/<name>/overlays.png   what was predicted at the last evaluation, where a logger takes pictures
runs/<name>/left_out.json  the views that were left out, and why
runs/<name>/checkpoints/   best.ckpt, last.ckpt, previous.ckpt; aside/ and start.ckpt after going back
runs/<name>/unfinished/    predicted batches of an evaluation that was killed, or is under way
runs/<name>/.lock          who trains here
runs/<name>/<checkpoint>/  what another checkpoint than the best predicts, with its scores and report
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import platform
import secrets
import subprocess
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from rhobin.behave.own_body import choose_body
from rhobin.body.chosen import body_hash
from rhobin.files import write_json

log = logging.getLogger(__name__)
PACKAGES = ("rhobin", "torch", "torchvision", "pytorch-lightning", "hydra-core", "timm", "numpy", "scipy")
FREE_KEYS = (
    "run_dir",
    "resume",
    "allow_changes",
    "threads",
    "compile",
    "channels_last",
    "logger",
    "data.root",
    "data.workers",
    "data.cache",
    "callbacks.log",
    "callbacks.progress",
    "callbacks.checkpoints",
    "callbacks.evaluator.tracks",
)


BODY_HASH = "data.body_hash"
"""What a checkpoint knows beside the config, which names only the folder."""


def read_run(run_dir: Path) -> dict[str, Any]:
    """The run's `run.json`; empty where there is none, or none that can be read, which is reported."""
    path = run_dir / "run.json"
    if not path.is_file():
        return {}
    try:
        info = json.loads(path.read_bytes())
    except ValueError as error:
        info = error
    if isinstance(info, dict):
        return info
    log.warning(
        "%s is not readable (%s): the run's id and the time of its earlier sessions are lost; "
        "its weights are not",
        path,
        info,
    )
    return {}


def kept_in(run_dir: Path, checkpoint: str) -> Path:
    """Where predictions and scores of a checkpoint are kept: the best one's in the run folder itself.

    Args:
        run_dir: the run folder.
        checkpoint: name of the file without its ending.
    """
    return run_dir if checkpoint == "best" else run_dir / checkpoint


def write_run(run_dir: Path, info: dict[str, Any]) -> None:
    """Write the run's `run.json`."""
    write_json(run_dir / "run.json", info, indent=2)


def describe_run(config: DictConfig, previous: dict[str, Any]) -> dict[str, Any]:
    """Facts of a run that is about to start or to go on; its id and logger ids survive a resume."""
    now = time.strftime("%Y-%m-%dT%H:%M:%S%z")
    run_id = previous.get("id") or secrets.token_hex(4)
    return {
        "id": run_id,
        "name": config.name,
        "state": "running",
        "started": previous.get("started", now),
        "resumed": [*previous.get("resumed", []), now] if previous else [],
        "seconds": previous.get("seconds", 0.0),
        "seed": config.seed,
        "config_hash": config_hash(config),
        "data_hash": previous.get("data_hash"),
        "body_hash": previous.get("body_hash"),
        "logger": {"wandb_id": run_id},
        "git": git_state(),
        "python": platform.python_version(),
        "machine": {"system": platform.platform(), "cpus": os.cpu_count()},
        "versions": installed_versions(),
    }


def identity(config: DictConfig) -> dict[str, Any]:
    """The part of a config that decides what a run computes, as flat `key: value`."""
    return {
        key: value
        for key, value in flatten(OmegaConf.to_container(config, resolve=True)).items()
        if not is_free(key)
    }


def resumable(config: DictConfig) -> dict[str, Any]:
    """What a run that goes on has to have in common with its checkpoint: `identity`, and the body's hash.

    Raises:
        ValueError: the body models of the data were not asked for, or are not theirs.
    """
    data = config.data
    return identity(config) | {BODY_HASH: body_hash(choose_body(data.root, data.body))}


def is_free(key: str) -> bool:
    """Whether a key, or what a stage changes by that name, may differ when a run goes on."""
    own = key.split(".", 2)[2] if key.startswith("stages.") and key.count(".") > 1 else key
    return any(own == free or own.startswith(f"{free}.") for free in FREE_KEYS)


def config_hash(config: DictConfig) -> str:
    """Twelve hex digits that change when the identity of the config does."""
    text = json.dumps(identity(config), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def flatten(value: Any, prefix: str = "") -> dict[str, Any]:
    """Nested dicts as one, keys joined by dots; lists are values."""
    if not isinstance(value, dict):
        return {prefix: value}
    parts = [flatten(item, f"{prefix}.{key}" if prefix else str(key)) for key, item in value.items()]
    return {key: item for part in parts for key, item in part.items()}


def installed_versions() -> dict[str, str]:
    """Versions of the packages that shape a result."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "absent"
    return found


def git_state() -> dict[str, Any] | None:
    """Commit and whether the tree was changed; None outside a checkout."""
    try:
        commit = git("rev-parse", "HEAD")
        return {"commit": commit, "changed": bool(git("status", "--porcelain", "--untracked-files=no"))}
    except (OSError, subprocess.CalledProcessError):
        return None


def git(*args: str) -> str:
    """Output of a git command run in this source tree."""
    here = Path(__file__).parent
    run = subprocess.run(
        ["git", *args], cwd=here, capture_output=True, encoding="utf-8", check=True, timeout=10
    )
    return run.stdout.strip()
