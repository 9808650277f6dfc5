"""What a preset reached when we trained it, to see early whether a run of it is on track."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from rhobin.engine.experiments import config_folder
from rhobin.engine.monitor import Monitor

FOLDER = "reference"


@dataclass(frozen=True)
class Reference:
    """A measured run of a preset; `tools/reference.py` writes the file.

    Attributes:
        steps: of the run.
        batch_size: of the run.
        about: date, commit, machine and minutes, in words.
        scores: on the test views, by track and name.
        curves: logged values by column and step.
    """

    steps: int
    batch_size: int
    about: str
    scores: Mapping[str, Mapping[str, float]]
    curves: Mapping[str, Mapping[int, float]]

    def best_until(self, monitor: Monitor, step: int) -> float | None:
        """The best value of the monitored score in the steps up to one; None before the first."""
        best: float | None = None
        for at, value in self.curves.get(monitor.name, {}).items():
            if at <= step and monitor.better(value, best):
                best = value
        return best


def reference_of(config: Mapping[str, Any]) -> Reference | None:
    """The measured run of a config's preset; None without one, or where length or batch differ.

    Args:
        config: of a run: `name`, `trainer.max_steps` and `data.batch_size` are read.
    """
    try:
        path = config_folder() / FOLDER / f"{config['name']}.yaml"
    except FileNotFoundError:
        return None
    if not path.is_file():
        return None
    found = read_reference(path)
    same = (found.steps, found.batch_size) == (config["trainer"]["max_steps"], config["data"]["batch_size"])
    return found if same else None


def read_reference(path: Path) -> Reference:
    """Read a file of `tools/reference.py`.

    Raises:
        ValueError: it is none.
    """
    try:
        return Reference(**yaml.safe_load(path.read_text(encoding="utf-8")))
    except (TypeError, yaml.YAMLError) as error:
        raise ValueError(f"{path} is none of tools/reference.py's files: {error}") from error
