"""Overrides that would do nothing, or fail far from where they were set, are refused here."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

import pytorch_lightning as pl
import torch
from omegaconf import DictConfig, OmegaConf

from rhobin.engine.monitor import check_monitor
from rhobin.engine.runinfo import flatten

ROOT = {
    *("data", "model", "optim", "trainer", "callbacks", "logger", "stages"),
    *(
        "name",
        "run_dir",
        "resume",
        "init_from",
        "freeze",
        "allow_changes",
        "seed",
        "threads",
        "compile",
        "channels_last",
    ),
}
GROUP = {"optimizer", "schedule"}


def _whole(least: int, *others: Any) -> tuple[Callable[[Any], bool], str]:
    def fits(value: Any) -> bool:
        return value in others or (isinstance(value, int) and not isinstance(value, bool) and value >= least)

    said = "".join(f", or {'null' if other is None else other}" for other in others)
    return fits, f"a whole number of at least {least}{said}"


def _rate(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _switch(value: Any) -> bool:
    return isinstance(value, bool)


def _share(value: Any) -> bool:
    return _rate(value) and value < 1


Values = Mapping[str, tuple[Callable[[Any], bool], str]]
"""Whether a key's value fits, and what is expected."""

TRAINING: Values = {
    "seed": _whole(0),
    "data.seed": _whole(0),
    "data.batch_size": _whole(1),
    "data.workers": _whole(0),
    "threads": _whole(1, None),
    "trainer.max_steps": _whole(1, -1),
    "trainer.max_epochs": _whole(1, -1),
    "trainer.accumulate_grad_batches": _whole(1),
    "callbacks.views": _whole(0),
    **{f"callbacks.{n}.every_n_steps": _whole(1) for n in ("log", "evaluator", "progress", "checkpoints")},
    **{f"optim.optimizer.{n}": (_rate, "a number of at least 0") for n in ("lr", "weight_decay")},
    "data.validation.fraction": (_share, "a number from 0 to below 1"),
    "data.validation.seed": _whole(0),
    "data.view.input_size": _whole(1),
    "resume": (_text, "none, auto, afresh or a checkpoint's path"),
    "run_dir": (_text, "a folder"),
    **dict.fromkeys(("compile", "channels_last", "trainer.sync_batchnorm"), (_switch, "true or false")),
    "trainer.devices": (lambda value: value not in (0, "0"), "how many devices, a list of them, or auto"),
}
EVALUATION: Values = {
    "run": (_text, "a run folder"),
    "checkpoint": (_text, "best or last"),
    "out": (_text, "a folder, or null"),
    "wandb": (lambda value: isinstance(value, bool), "true or false"),
    "threads": _whole(1, None),
    **{key: _whole(1) for key in ("workers", "protocol.samples")},
    **{key: _whole(0) for key in ("data.workers", "protocol.seed")},
}


def check_training(config: DictConfig) -> None:
    """Refuse values of a training that cannot be meant, and a GPU where there is none.

    Raises:
        ValueError: naming the key, its value and what is expected.
    """
    check_values(config, TRAINING)
    check_monitor(config)
    if config.trainer.get("accelerator") in ("gpu", "cuda") and not torch.cuda.is_available():
        raise ValueError(
            f"trainer.accelerator is {config.trainer.accelerator}, and torch finds no CUDA GPU here; rhobin "
            "doctor says why, trainer=cpu trains without one"
        )


def check_values(config: DictConfig, values: Values) -> None:
    """Refuse values that cannot be meant.

    Raises:
        ValueError: naming the key, its value and what is expected.
    """
    for key, (fits, expected) in values.items():
        value = OmegaConf.select(config, key)
        if value is not None and not fits(value):
            raise ValueError(f"{key} is {value!r}; expected {expected}")


def check_keys(config: DictConfig) -> None:
    """Refuse keys that nothing reads.

    What has a `_target_` is checked when it is built: its arguments have names.

    Raises:
        ValueError: naming the key, and one that looks like it.
    """
    plain: Any = OmegaConf.to_container(config)
    for key in _unread(plain):
        known = [name for name in flatten(plain) if name != key and not name.startswith(f"{key}.")]
        ending = [name for name in known if name.rpartition(".")[2] == key.rpartition(".")[2]]
        near = get_close_matches(key, ending or known, 1, cutoff=0.0)
        raise ValueError(
            f"nothing reads {key}; did you mean {near[0]}? Hydra's + adds a key whether or not it is used"
        )


def _unread(config: Mapping[str, Any]) -> Iterator[str]:
    yield from (key for key in config if key not in ROOT)
    known = {*inspect.signature(pl.Trainer).parameters, "_target_"}
    yield from (f"trainer.{key}" for key in config["trainer"] if key not in known)
    yield from (f"optim.{key}" for key in config["optim"] if key not in GROUP)
    for name, group in config["model"].get("optim", {}).items():
        yield from (
            f"model.optim.{name}.{key}" for key in group if key not in GROUP and isinstance(group, dict)
        )
    for section in ("callbacks", "logger"):
        for name, part in config[section].items():
            if name != "views" and part is not None and not (isinstance(part, dict) and "_target_" in part):
                yield f"{section}.{name}"
