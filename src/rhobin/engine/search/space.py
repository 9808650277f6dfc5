"""The searched keys: their ranges as Optuna has them, and a check that trainings take both ends."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from omegaconf import DictConfig
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from rhobin.engine.keys import check_keys, check_training
from rhobin.engine.search.plan import Plan, trial_config
from rhobin.engine.stages import stages_of
from rhobin.engine.untrained import refuse_untrained

KINDS = {"float": FloatDistribution, "int": IntDistribution, "categorical": CategoricalDistribution}


def distributions(plan: Plan) -> dict[str, BaseDistribution]:
    """Ranges of the searched keys.

    Raises:
        ValueError: one is none.
    """
    return {key: distribution(key, entry) for key, entry in plan.space.items()}


def distribution(key: str, entry: Mapping[str, Any]) -> BaseDistribution:
    """Range of one key.

    Raises:
        ValueError: naming the key and what is wrong.
    """
    if not isinstance(entry, dict) or entry.get("type") not in KINDS:
        raise ValueError(
            f"sweep.space has {key}: {entry}; expected "
            "{type: float | int, low, high} and log or step if wanted, or {type: categorical, choices}"
        )
    settings = {name: value for name, value in entry.items() if name != "type"}
    try:
        return KINDS[entry["type"]](**settings)
    except (TypeError, ValueError) as error:
        raise ValueError(f"sweep.space has {key}: {entry}: {error}") from error


def ends(entry: Mapping[str, Any]) -> list[Any]:
    """The values of a range that are tried before anything is trained."""
    return list(entry["choices"]) if "choices" in entry else [entry["low"], entry["high"]]


def check_space(plan: Plan) -> None:
    """Compose trainings that reach all ends of all ranges, and refuse what cannot be trained.

    Raises:
        ValueError: saying with which values.
    """
    tried = {key: ends(entry) for key, entry in plan.space.items()}
    for place in range(max(map(len, tried.values()))):
        values = {key: found[min(place, len(found) - 1)] for key, found in tried.items()}
        try:
            check_trial(trial_config(plan, 0, values))
        except ValueError as error:
            raise ValueError(f"a trial with {values} cannot be trained: {error}") from error


def check_trial(config: DictConfig) -> None:
    """Refuse a training that gives no score, or that several processes do together.

    Raises:
        ValueError: naming the key.
    """
    check_keys(config)
    refuse_untrained(config, "rhobin sweep")
    for stage in stages_of(config):
        check_training(stage.config)
    if config.callbacks.views == 0:
        raise ValueError("callbacks.views is 0; a sweep needs validation views to score")
    devices = config.trainer.devices
    one = devices in (1, "1") or (not isinstance(devices, int | str) and len(devices) == 1)
    if not one or int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise ValueError(
            f"trainer.devices is {devices}; each trial trains on one device: expected trainer.devices=1. To "
            "use several, start the same command once for each, with CUDA_VISIBLE_DEVICES=0, =1, ..."
        )
