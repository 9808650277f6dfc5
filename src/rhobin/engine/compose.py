"""The config that a command line composes, and words for a setting that there is not."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from typing import Any

import hydra
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from rhobin.engine.experiments import config_folder, experiments
from rhobin.engine.mistakes import no_experiment

NO_EXPERIMENT = re.compile(r"Could not find 'experiment/([^']*)'")
NO_SETTING = re.compile(r"Could not override '([^']*)'\.\s+To append to your config use (\S+)")
NEAR = 0.6  # of difflib: how alike a setting must be to be meant
OFFERED = 3


def compose_config(overrides: Sequence[str], name: str = "train") -> DictConfig:
    """The config that `train.py` composes from the same overrides, or `eval.py` with the name "eval".

    Raises:
        FileNotFoundError: there is no folder with configs.
        ValueError: Hydra cannot compose it, with its reason; a setting that there is not comes with the
            nearest one.
    """
    try:
        return _composed(overrides, name)
    except (HydraException, OmegaConfBaseException) as error:
        if absent := NO_EXPERIMENT.search(str(error)):
            names = [one.name for one in experiments(config_folder())]
            raise ValueError(no_experiment(absent[1], names)) from error
        raise ValueError(no_setting(error, overrides, name) or str(error)) from error


@contextmanager
def settings_told(arguments: Sequence[str], name: str) -> Iterator[None]:
    """Where Hydra ends the program for a setting that there is not, tell which one may be meant.

    Args:
        arguments: of the program.
        name: of its config.
    """
    try:
        yield
    except SystemExit as end:
        if end.code == 1:
            overrides = [argument for argument in arguments if not argument.startswith("-")]
            try:
                _composed(overrides, name)
            except (HydraException, OmegaConfBaseException) as error:
                if told := no_setting(error, overrides, name):
                    sys.stderr.write(f"\nerror: {told}\n")
        raise


def no_setting(error: Exception, overrides: Sequence[str], name: str) -> str | None:
    """What to tell where Hydra's error is that an override's key is no setting; None for any other error."""
    absent = NO_SETTING.search(str(error))
    if absent is None:
        return None
    near = near_settings(absent[1], _known(overrides, name))
    if near:
        return f"there is no setting {absent[1]}; did you mean {' or '.join(near)}?"
    return f"there is no setting {absent[1]}; configs/{name}.yaml names all, and {absent[2]} would add one"


def near_settings(key: str, known: Sequence[str]) -> list[str]:
    """Settings that a misspelt one may mean: those of the same last name, or the one most alike."""
    same = [one for one in known if _last(one) == _last(key)]
    return get_close_matches(key, same, OFFERED, 0.0) or get_close_matches(key, known, 1, NEAR)


def _last(key: str) -> str:
    return key.rpartition(".")[2]


def _composed(overrides: Sequence[str], name: str) -> DictConfig:
    with hydra.initialize_config_dir(str(config_folder()), version_base="1.3"):
        return hydra.compose(name, list(overrides))


def _known(overrides: Sequence[str], name: str) -> list[str]:
    """All settings there are with the overrides that can be composed, by dotted name."""
    kept = list(overrides)
    while True:
        try:
            return list(_dotted(OmegaConf.to_container(_composed(kept, name), resolve=False)))
        except (HydraException, OmegaConfBaseException) as error:
            absent = NO_SETTING.search(str(error))
            fewer = [one for one in kept if absent and one.partition("=")[0] != absent[1]]
            if len(fewer) in (0, len(kept)):
                return []
            kept = fewer


def _dotted(node: Any, above: str = "") -> Iterator[str]:
    if isinstance(node, Mapping):
        for key, value in node.items():
            yield f"{above}{key}"
            yield from _dotted(value, f"{above}{key}.")
