"""What a preset reached when we trained it, to see early whether a run of it is on track."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from rhobin.behave.layout import SYNTHETIC
from rhobin.engine.experiments import config_folder
from rhobin.engine.monitor import Monitor
from rhobin.files import read_json

FOLDER = "reference"
RECIPE = ("size", "seed", "frames", "width", "body")


@dataclass(frozen=True)
class Reference:
    """A measured run of a preset; `tools/reference.py` writes the file.

    Attributes:
        steps: of the run.
        batch_size: of the run.
        data: what `rhobin synth` wrote into the data's `synth.json`, which decides every picture.
        about: date, commit, machine and minutes, in words.
        scores: on the test views, by track and name.
        curves: logged values by column and step.
    """

    steps: int
    batch_size: int
    data: Mapping[str, Any]
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
    """The measured run of a config's preset; None without one, or where length, batch or data differ.

    Args:
        config: of a run: `name`, `trainer.max_steps`, `data.batch_size` and `data.root` are read.
    """
    try:
        path = config_folder() / FOLDER / f"{config['name']}.yaml"
    except FileNotFoundError:
        return None
    if not path.is_file():
        return None
    found, data = read_reference(path), config["data"]
    same = (found.steps, found.batch_size) == (config["trainer"]["max_steps"], data["batch_size"])
    return found if same and found.data == recipe(data["root"]) else None


def recipe(root: str | Path) -> dict[str, Any]:
    """What decides the pictures of a generated root; empty for other data and where it cannot be read.

    The hash of the data does not serve: a JPEG made on another processor may differ in size.
    """
    try:
        written = read_json(Path(root) / SYNTHETIC)
    except (OSError, ValueError):
        return {}
    return {key: written[key] for key in RECIPE if key in written} if isinstance(written, dict) else {}


def read_reference(path: Path) -> Reference:
    """Read a file of `tools/reference.py`.

    Raises:
        ValueError: it is none.
    """
    try:
        return Reference(**yaml.safe_load(path.read_text(encoding="utf-8")))
    except (TypeError, yaml.YAMLError) as error:
        raise ValueError(f"{path} is none of tools/reference.py's files: {error}") from error
