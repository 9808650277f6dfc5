"""The plan of an experiment, stage by stage, as plain numbers and words."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import hydra
import torch
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig

from rhobin.engine.build import BUILD_ERRORS
from rhobin.engine.compose import compose_config
from rhobin.engine.experiments import config_folder
from rhobin.engine.keys import TRAINING, check_keys, check_values
from rhobin.engine.planning.cards import CARDS, CONTEXT, FRAGMENTS, MEMORIES, speed, usable
from rhobin.engine.planning.disk import checkpoints, data_bytes, prepared_bytes
from rhobin.engine.planning.footprint import Footprint, footprint
from rhobin.engine.planning.length import devices, length, views_of
from rhobin.engine.planning.missing import missing
from rhobin.engine.stages import Stage, stages_of
from rhobin.engine.untrained import refuse_untrained

FULL = "32-true"


def plan(
    overrides: Sequence[str], views: int | None = None, notify: Callable[[str], None] = lambda text: None
) -> dict[str, Any]:
    """What an experiment takes, and what is missing here.

    Args:
        overrides: as for `train.py`.
        views: training views, in place of counting or assuming them.
        notify: told which stage is planned.

    Returns:
        Numbers and words that JSON can hold: bytes, operations, hours.

    Raises:
        FileNotFoundError: there is no folder with configs.
        ValueError: the config cannot be composed, or its step cannot be rehearsed.
    """
    config = compose_config(overrides)
    check_keys(config)
    refuse_untrained(config, "rhobin plan")
    stages = []
    for stage in stages_of(config):
        check_values(stage.config, TRAINING)
        notify(" ".join(filter(None, (config.name, stage.name))))
        try:
            stages.append(plan_stage(stage, views))
        except BUILD_ERRORS as error:
            raise ValueError(str(error.__cause__ or error)) from error
    runs = jobs(overrides)
    return {
        "experiment": config.name,
        "torch": torch.__version__,
        "stages": stages,
        "runs": runs,
        "steps": runs * sum(stage["steps"] for stage in stages),
        "images": runs * sum(stage["images"] for stage in stages),
        "hours": {c: runs * sum(stage["hours"][c]["hours"] for stage in stages) for c in CARDS},
        "checkpoints_bytes": runs * sum(stage["checkpoints_bytes"] for stage in stages),
        "missing": unique([asdict(part) for stage in stages_of(config) for part in missing(stage.config)]),
        "reserve": {"context_gib": CONTEXT, "fragments": FRAGMENTS},
    }


def plan_stage(stage: Stage, views: int | None) -> dict[str, Any]:
    """What one stage takes."""
    config, precision = stage.config, str(stage.config.trainer.get("precision") or FULL)
    found = footprint(config, precision)
    full = found if precision == FULL else footprint(config, FULL)
    rehearsal, long = found.rehearsal, length(config, views_of(config, views))
    flops = rehearsal.flops * smaller(config)
    root = Path(config.data.root)
    return {
        "stage": stage.name,
        "parameters": rehearsal.parameters,
        "trained": rehearsal.trained,
        "frozen": rehearsal.parameters - rehearsal.trained,
        "input_sizes": [int(size) for size in config.data.view.sizes or [config.data.view.input_size]],
        "batch_size": config.data.batch_size,
        "devices": devices(config),
        "precision": precision,
        "flops_a_view": flops,
        "flops_a_step": flops * long.images_a_step,
        "memory": {name: told(one, config) for name, one in {FULL: full, precision: found}.items()},
        "memory_unknown": rehearsal.unknown,
        **asdict(long),
        "hours": {card: hours(card, precision, flops * long.images) for card in CARDS},
        "checkpoints_bytes": checkpoints(rehearsal),
        "data_root": str(root),
        "data_bytes": data_bytes(root),
        "prepared_bytes": prepared_bytes(long.views),
    }


def told(found: Footprint, config: DictConfig) -> dict[str, Any] | None:
    """Peak of the configured batch by kind, and the batch sizes that fit; None where it is not known."""
    batch, memory = config.data.batch_size, found.rehearsal.memory
    if not memory:
        return None
    kinds = asdict(memory[batch]) if batch in memory else {}
    return {
        "peak_bytes": found.memory(batch),
        **kinds,
        "averaged": found.rehearsal.averaged,
        "rehearsed": {str(count): one.total for count, one in memory.items()},
        "fits": {str(gib): found.largest(usable(gib)) for gib in MEMORIES},
    }


def smaller(config: DictConfig) -> float:
    """Mean operations of a view by those of the largest one, which goes with the area of the image."""
    sizes = list(config.data.view.sizes) or [config.data.view.input_size]
    largest = max(config.data.view.input_size, *sizes)
    return sum(size**2 for size in sizes) / len(sizes) / largest**2


def hours(card: str, precision: str, flops: float) -> dict[str, Any]:
    """Hours on a card, with what was assumed of it."""
    assumed = speed(card, precision)
    return {"hours": assumed.hours(flops), **asdict(assumed)}


def jobs(overrides: Sequence[str]) -> int:
    """Runs of a sweep that the experiment itself asks for; 1 without."""
    with hydra.initialize_config_dir(str(config_folder()), version_base="1.3"):
        config = hydra.compose("train", list(overrides), return_hydra_config=True)
    params = config.hydra.sweeper.get("params") or {}
    parser = OverridesParser.create()
    swept = [parser.parse_override(f"{key}={value}") for key, value in params.items()]
    return math.prod(len(list(one.sweep_iterator())) for one in swept if one.is_sweep_override())


def unique(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each item once, in order."""
    return [item for place, item in enumerate(items) if item not in items[:place]]
