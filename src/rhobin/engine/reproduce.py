"""The commands that lead to a table of the report, from data to scores; each can be run again at no cost."""

from __future__ import annotations

import itertools
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

from rhobin.engine.compose import compose_config
from rhobin.engine.experiments import config_folder, experiments

PLANS = "reproduce.yaml"
SPEED, LATENCY = "table5", "latency.json"
SWEEP = "sweep"


@dataclass(frozen=True)
class Step:
    """One command.

    Attributes:
        command: a script of the checkout, or `rhobin` and a command's name, then the arguments.
        about: what it is for.
    """

    command: tuple[str, ...]
    about: str

    def __str__(self) -> str:
        """As it is typed."""
        script = self.command[0].endswith(".py")
        return shlex.join(("python", *self.command) if script else self.command)


@dataclass(frozen=True)
class Plan:
    """What leads to a table.

    Attributes:
        table: its name, such as table4.
        size: smoke, small, long or paper.
        out: folder of everything.
        steps: in order.
        rows: the folder of each row's scores, by the row's name.
    """

    table: str
    size: str
    out: Path
    steps: tuple[Step, ...]
    rows: dict[str, Path]


def make_plan(table: str, size: str, out: Path, overrides: Sequence[str] = ()) -> Plan:
    """The commands of a table.

    Args:
        table: table2 to table5.
        size: of the runs, see configs/reproduce.yaml.
        out: folder of the runs.
        overrides: of every training, such as `data.root=FOLDER`.

    Raises:
        ValueError: there is no such table or size, or an override does not fit.
        FileNotFoundError: there is no folder with configs.
    """
    plans = yaml.safe_load((config_folder() / PLANS).read_text(encoding="utf-8"))
    rows = chosen(chosen(plans, table, "table"), size, f"size of {table}")
    steps: list[Step] = []
    folders = {name: row_steps(steps, out, row, overrides) for name, row in rows.items()}
    if table == SPEED:
        timed = ("benchmarks/latency.py", *map(str, folders.values()), "--json", str(out / LATENCY))
        steps.append(Step((*timed, "--batches", "1"), "time a frame"))
    once = tuple(dict.fromkeys(steps))
    return Plan(table, size, out, once, folders)


def chosen(among: dict[str, Any], name: str, what: str) -> Any:
    """An entry of a mapping.

    Raises:
        ValueError: it is not there.
    """
    if name not in among:
        raise ValueError(f"there is no {what} named {name}; expected one of {', '.join(among)}")
    return among[name]


def row_steps(steps: list[Step], out: Path, row: dict[str, Any], overrides: Sequence[str]) -> Path:
    """Add the steps of a row; the folder where its scores will be."""
    experiment = row["experiment"]
    config = compose_config([f"experiment={experiment}", *overrides])
    steps += data_steps(experiment, Path(str(config.data.root)))
    members = row.get("members", [[]])
    if members == SWEEP:
        members = swept_members(experiment)
    runs = [train_steps(steps, out, experiment, member, overrides) for member in members]
    if len(runs) == 1:
        return runs[0]
    for run in runs:
        steps.append(Step(("eval.py", f"run={run}", "views=val"), "predict the validation views"))
    stack = out / f"{Path(experiment).name}_ensemble"
    body = [] if config.data.body in (None, "standin") else ["--body", str(config.data.body)]
    steps.append(Step(("rhobin", "ensemble", "fit", str(stack), *map(str, runs), *body), "fit the ensemble"))
    steps.append(Step(("rhobin", "ensemble", "apply", str(stack), *body), "score the ensemble"))
    return stack


def data_steps(experiment: str, root: Path) -> list[Step]:
    """What makes the data of an experiment, where they can be made: the commands that its file names."""
    facts = {one.name: one.facts for one in experiments(config_folder())}[experiment]
    named = Path(str(compose_config([f"experiment={experiment}"]).data.root))
    parts = [shlex.split(part) for part in facts.get("data", "").split(";")]
    made = [part for part in parts if part[:1] == ["rhobin"]]
    swapped = [tuple(str(root) if word == str(named) else word for word in part) for part in made]
    return [Step(words, "make the data") for words in swapped]


def swept_members(experiment: str) -> list[list[str]]:
    """The overrides of each job of an experiment that is a sweep."""
    path = config_folder() / "experiment" / f"{experiment}.yaml"
    params = OmegaConf.load(path).hydra.sweeper.params
    parser = OverridesParser.create()
    values = [
        [f"{key}={value}" for value in parser.parse_override(f"{key}={given}").sweep_string_iterator()]
        for key, given in params.items()
    ]
    return [list(job) for job in itertools.product(*values)]


def train_steps(
    steps: list[Step], out: Path, experiment: str, member: Sequence[str], overrides: Sequence[str]
) -> Path:
    """Add the training and the scoring of one run; its folder."""
    name = "_".join((Path(experiment).parent.name, Path(experiment).name, *map(folder_name, member)))
    run = out / name
    settings = (f"experiment={experiment}", *member, *overrides, f"run_dir={run}", "resume=auto")
    single = ("hydra.mode=RUN",) if member else ()
    steps.append(Step(("train.py", *settings, *single), "train"))
    steps.append(Step(("eval.py", f"run={run}"), "predict, score and report"))
    return run


def folder_name(override: str) -> str:
    """An override as a part of a folder's name: `seed=1` is `seed1`."""
    key, _, value = override.partition("=")
    return f"{key.rpartition('.')[2]}{value}".replace("/", "_")
