"""The best trial as an experiment that train.py takes."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf
from optuna.trial import FrozenTrial

from rhobin.engine.experiments import config_folder
from rhobin.engine.search.plan import Plan, trial_name, trial_overrides
from rhobin.files import write_text

BEST = Path("experiment", "best.yaml")
"""In the study's folder: where Hydra looks for `experiment=best` with `--config-dir STUDY`."""


def write_best(plan: Plan, best: FrozenTrial, ended: int) -> None:
    """Write the experiment of the best trial.

    Args:
        plan: the search.
        best: its best trial.
        ended: how many trials it was chosen from.
    """
    groups, values = overlay(trial_overrides(plan, best.params))
    defaults = [f"/experiment/{plan.experiment}", *({f"override /{k}": v} for k, v in groups.items())]
    config = {"defaults": [*defaults, "_self_"], "name": f"{plan.study}_best", **values}
    score = f"{plan.metric} {best.value:.6g}"
    lines = [
        "# @package _global_",
        f"# The best of {ended} trials of the sweep {plan.study}: {trial_name(best.number)}, {score}.",
        "# Train with it, or copy it into configs/experiment under another name:",
        f"#   {command_to_train(plan)}",
        OmegaConf.to_yaml(OmegaConf.create(config)),
    ]
    write_text(plan.folder / BEST, "\n".join(lines))


def command_to_train(plan: Plan) -> str:
    """The command that trains the best trial again."""
    return f"python train.py --config-dir {shlex.quote(str(plan.folder))} experiment={BEST.stem}"


def overlay(overrides: list[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Overrides as a file says them: chosen groups by name, and values, nested."""
    groups: dict[str, Any] = {}
    values = OmegaConf.create()
    for override in OverridesParser.create().parse_overrides(overrides):
        key, value = override.get_key_element().lstrip("+"), override.value()
        if (config_folder() / key.partition("@")[0]).is_dir():
            groups[key] = value
        else:
            OmegaConf.update(values, key, value, force_add=True)
    plain: Any = OmegaConf.to_container(values)
    return groups, plain
