"""The config of a run folder, which may be someone else's: it builds what ours build, and nothing else."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml
from omegaconf import DictConfig

MOST_BYTES = 1 << 20
_NAME = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")
_OURS = ("rhobin.methods.", "rhobin.nets.")
_MODULES = (
    "rhobin.data.datamodule",
    "rhobin.geometry.depth_bins",
    *(
        f"rhobin.engine.{m}"
        for m in ("checkpoint", "ema", "evaluator", "monitor", "optim", "progress", "train_log")
    ),
)
_OTHERS = re.compile(
    r"pytorch_lightning\.(Trainer|loggers\.(TensorBoard|Wandb|MLFlow)Logger)|torch\.optim\.[A-Z]\w*"
)


class UntrustedConfigError(ValueError):
    """A run folder's config names what none of ours does, or is not a config."""


def read_config(run_dir: Path, trust: Sequence[str] = ()) -> DictConfig:
    """The config of a run folder.

    Args:
        run_dir: written by train.py.
        trust: packages beside rhobin's whose classes it may name.

    Raises:
        FileNotFoundError: not a run folder.
        UntrustedConfigError: it names anything else; nothing of it was imported or run.
    """
    path = run_dir / "config.yaml"
    if not path.is_file():
        raise FileNotFoundError(f"{run_dir} is not a run folder: it has no config.yaml; train.py writes one")
    content = _plain_yaml(path)
    if not isinstance(content, dict):
        raise UntrustedConfigError(f"{path} holds no keys; train.py writes it")
    for key, target in _targets(content, ()):
        if not _known(target, trust):
            package = str(target).partition(".")[0]
            raise UntrustedConfigError(
                f"{path} names {target} in {key}, which none of rhobin's own configs does; nothing was run. "
                f"If you know the run and its author, add trust=[{package}] (in rhobin predict "
                f"--trust {package})"
            )
    return DictConfig(content)


def _plain_yaml(path: Path) -> Any:
    if path.stat().st_size > MOST_BYTES:
        raise UntrustedConfigError(f"{path} is larger than {MOST_BYTES} bytes, which no config is")
    try:
        text = path.read_text(encoding="utf-8")
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, yaml.SafeLoader)):
            raise UntrustedConfigError(f"{path} has YAML aliases, which train.py never writes")
        return yaml.safe_load(text)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise UntrustedConfigError(f"{path} is not a config of train.py ({error})") from error


def _targets(node: Any, keys: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    """All that Hydra would look up, with the key where it stands."""
    for key, value in node.items() if isinstance(node, dict) else enumerate(node):
        if key == "_target_":
            yield ".".join((*keys, key)), value
        elif isinstance(value, dict | list):
            yield from _targets(value, (*keys, str(key)))


def _known(target: Any, trust: Sequence[str]) -> bool:
    """Whether a name is that of a class or function where ours are; what they import does not count."""
    if not isinstance(target, str) or not _NAME.fullmatch(target):
        return False
    if target.partition(".")[0] in trust or _OTHERS.fullmatch(target):
        return True
    module, _, name = target.rpartition(".")
    if module not in _MODULES and not module.startswith(_OURS):
        return False
    try:
        found = vars(importlib.import_module(module)).get(name)
    except ImportError:
        return False
    return (inspect.isclass(found) or inspect.isfunction(found)) and found.__module__ == module
