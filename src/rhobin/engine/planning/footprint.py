"""What a step takes for any number of views: rehearsed for a few, by straight lines between, and kept."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytorch_lightning
import torch
from omegaconf import DictConfig, OmegaConf

import rhobin
from rhobin.engine.planning.rehearsal import KEPT, Rehearsal, rehearse
from rhobin.engine.planning.tracker import Memory
from rhobin.engine.runinfo import flatten
from rhobin.files import read_json, write_json

log = logging.getLogger(__name__)
SECTIONS = ("model", "freeze", "data.view", "data.targets", "optim.optimizer", "callbacks.ema")
TRAINER = (*KEPT, "accelerator", "accumulate_grad_batches")
SHAPES = (*SECTIONS, *(f"trainer.{key}" for key in TRAINER))
"""Keys that shapes and types can depend on."""
GIB = 2**30


@dataclass(frozen=True)
class Footprint:
    """A rehearsal, read for any number of views.

    Attributes:
        rehearsal: for three numbers of views.
        precision: of the trainer.
    """

    rehearsal: Rehearsal
    precision: str

    def memory(self, count: int) -> int:
        """Bytes of tensors at the peak of a step of `count` views.

        Interpolated between the numbers rehearsed; beyond them the nearest line goes on.
        """
        known = sorted(self.rehearsal.memory.items())
        place = next((i for i, (views, _) in enumerate(known) if views >= count), len(known) - 1)
        (low, a), (high, b) = known[max(0, place - 1)], known[max(1, place)]
        slope = (b.total - a.total) / (high - low)
        return round(a.total + slope * (count - low)) + self.rehearsal.averaged

    def largest(self, limit: float) -> int:
        """The most views whose step fits `limit` bytes; 0 where not even one does."""
        least, most = 0, 1
        while self.memory(most) <= limit:
            least, most = most, 2 * most
        while most - least > 1:
            middle = (least + most) // 2
            least, most = (middle, most) if self.memory(middle) <= limit else (least, middle)
        return least


def footprint(config: DictConfig, precision: str) -> Footprint:
    """The footprint of a stage, from the user's cache where it was rehearsed before.

    Args:
        config: of the stage.
        precision: in place of trainer.precision.
    """
    config = DictConfig(OmegaConf.merge(config, {"trainer": {"precision": precision}}))
    counts = rehearsed_counts(config.data.batch_size)
    path = cache_folder() / f"{key_of(config, counts)}.json"
    kept = _kept(path)
    if kept is None:
        kept = rehearse(config, counts)
        _keep(path, kept)
    return Footprint(kept, precision)


def rehearsed_counts(batch_size: int) -> list[int]:
    """Two views, the batch, and four batches: what fits a large card is rarely beyond."""
    batch = max(3, batch_size)
    return [2, batch, 4 * batch]


def cache_folder() -> Path:
    """Where rehearsals are kept."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "rhobin" / "plan"


def key_of(config: DictConfig, counts: Sequence[int]) -> str:
    """Names a rehearsal: what shapes depend on, this code, and the libraries that it runs on."""
    plain = flatten(OmegaConf.to_container(config, resolve=True))
    shapes = {key: value for key, value in plain.items() if _matters(key)}
    versions = [torch.__version__, pytorch_lightning.__version__, code_hash()]
    text = json.dumps([shapes, list(counts), versions], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


@cache
def code_hash() -> str:
    """Digest of the sources of rhobin."""
    digest = hashlib.sha256()
    for path in sorted(Path(rhobin.__file__).parent.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _matters(key: str) -> bool:
    own = any(key == name or key.startswith(f"{name}.") for name in SHAPES)
    return own and ".schedule." not in key and not key.endswith(".lr")


def _kept(path: Path) -> Rehearsal | None:
    if not path.is_file():
        return None
    try:
        content: Any = read_json(path)
        memory = {int(count): Memory(**sizes) for count, sizes in content.pop("memory").items()}
        return Rehearsal(**content, memory=memory)
    except (OSError, ValueError, TypeError, KeyError) as error:
        log.warning("%s is not readable (%s); the steps are rehearsed again", path, error)
        return None


def _keep(path: Path, rehearsal: Rehearsal) -> None:
    try:
        write_json(path, asdict(rehearsal))
    except OSError as error:
        log.warning("%s cannot be written (%s); the next plan rehearses again", path, error)
