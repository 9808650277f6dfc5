"""What is searched: the sweep's config, and the configs of its trials."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

from omegaconf import DictConfig, OmegaConf

from rhobin.engine.compose import compose_config
from rhobin.engine.monitor import DIRECTIONS, better_words
from rhobin.engine.overrides import with_quotes
from rhobin.engine.runinfo import flatten, identity

OWN = ("experiment", "name", "run_dir", "resume", "callbacks.evaluator.monitor", "hydra")
"""Keys of a training that the sweep sets itself."""
EITHER_WAY = ("study", "folder", "storage", "trials", "failures")
"""What may change when a study goes on."""


@dataclass(frozen=True)
class Plan:
    """A search; attributes as in configs/sweep/default.yaml.

    Attributes:
        overrides: of every trial: the sweep's own, then those of the command line.
    """

    study: str
    experiment: str
    overrides: tuple[str, ...]
    folder: Path
    storage: str | None
    trials: int
    seed: int
    metric: str
    direction: Literal["minimize", "maximize"]
    space: Mapping[str, Mapping[str, Any]]
    failures: int
    sampler: Mapping[str, Any]
    pruner: Mapping[str, Any] | None

    @property
    def higher_is_better(self) -> bool:
        """Whether a larger score is better."""
        return self.direction == "maximize"

    def run_dir(self, number: int) -> Path:
        """Run folder of a trial."""
        return self.folder / trial_name(number)


def trial_name(number: int) -> str:
    """Name of a trial's folder."""
    return f"trial_{number:03d}"


def read_plan(arguments: Sequence[str]) -> Plan:
    """The search that a command line asks for.

    Args:
        arguments: `sweep=NAME`, `sweep.KEY=VALUE` for the search, `KEY=VALUE` for every trial.

    Raises:
        FileNotFoundError: there is no folder with configs.
        ValueError: the configs cannot be composed, or a value cannot be meant.
    """
    quoted = with_quotes(arguments)
    ours = [text for text in quoted if text.lstrip("+").partition("=")[0].partition(".")[0] == "sweep"]
    typed = [text for text in quoted if text not in ours]
    config: Any = OmegaConf.to_container(compose_config(ours, "sweep"), resolve=True)
    given = config["sweep"]
    unknown = sorted(given.keys() - {field.name for field in fields(Plan)})
    if unknown or config.keys() != {"sweep"}:
        raise ValueError(f"nothing reads sweep.{', sweep.'.join(unknown)}; see configs/sweep/default.yaml")
    missing = sorted(key for key, value in given.items() if value == "???")
    if missing:
        raise ValueError(f"sweep.{missing[0]} is not set; give it in the sweep's file under configs/sweep")
    overrides = (*given.pop("overrides"), *typed)
    plan = Plan(**given | {"folder": Path(given["folder"]), "overrides": overrides})
    check_plan(plan)
    return plan


def check_plan(plan: Plan) -> None:
    """Refuse a search that cannot be meant.

    Raises:
        ValueError: naming the key, its value and what is expected.
    """
    for key in ("trials", "failures"):
        value = getattr(plan, key)
        if not isinstance(value, int) or value < 1:
            raise ValueError(f"sweep.{key} is {value!r}; expected a whole number of at least 1")
    if not isinstance(plan.seed, int) or plan.seed < 0:
        raise ValueError(f"sweep.seed is {plan.seed!r}; expected a whole number of at least 0")
    if plan.direction not in ("minimize", "maximize"):
        raise ValueError(f"sweep.direction is {plan.direction!r}; expected minimize or maximize")
    if DIRECTIONS.get(plan.metric, plan.higher_is_better) != plan.higher_is_better:
        other = "minimize" if plan.higher_is_better else "maximize"
        raise ValueError(
            f"sweep.direction is {plan.direction!r}; expected {other}, since {better_words(plan.metric)}"
        )
    if not plan.space:
        raise ValueError("sweep.space is empty; expected the keys to search, with their ranges")
    for override in plan.overrides:
        check_override(override, plan.space)


def check_override(override: str, space: Mapping[str, Any]) -> None:
    """Refuse an override of every trial that is none, or that the sweep itself sets.

    Raises:
        ValueError: naming it.
    """
    key, equals, _ = override.partition("=")
    key = key.lstrip("+")
    if not equals or key.startswith("~"):
        raise ValueError(f"{override}: expected KEY=VALUE, as for train.py")
    if key in space:
        raise ValueError(f"{override}: the sweep searches {key}; leave it out, or change sweep.space")
    if any(key == own or key.startswith(f"{own}.") for own in OWN):
        raise ValueError(
            f"{override}: the sweep sets {key} itself; see sweep.experiment, sweep.folder, sweep.metric and "
            "sweep.direction"
        )


def trial_overrides(plan: Plan, values: Mapping[str, Any]) -> list[str]:
    """What a trial with these values of the searched keys changes in its experiment."""
    monitor = "callbacks.evaluator.monitor"
    return [
        *plan.overrides,
        f"{monitor}.name={plan.metric}",
        f"{monitor}.higher_is_better={str(plan.higher_is_better).lower()}",
        *(f"{key}={written(value)}" for key, value in values.items()),
    ]


def written(value: Any) -> str:
    """A value as an override writes it."""
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)


def trial_config(plan: Plan, number: int, values: Mapping[str, Any]) -> DictConfig:
    """The config of a trial, which goes on where there is something to go on from.

    Raises:
        ValueError: it cannot be composed.
    """
    config = compose_config([f"experiment={plan.experiment}", *trial_overrides(plan, values)])
    config.name = f"{plan.study}_{trial_name(number)}"
    config.run_dir = str(plan.run_dir(number))
    config.resume = "auto"
    return config


def plan_identity(plan: Plan) -> dict[str, Any]:
    """What decides which trials a study has, as flat `key: value`: the search, and what it changes."""
    search = {
        key: value
        for key, value in vars(plan).items()
        if key not in (*EITHER_WAY, "overrides") and value is not None
    }
    base = compose_config([f"experiment={plan.experiment}", *trial_overrides(plan, {})])
    return flatten({"sweep": search}) | identity(base)
