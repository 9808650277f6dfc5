"""Keys of a training config that nothing reads are refused: an override with a wrong name would do nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from omegaconf import DictConfig, OmegaConf

from rhobin.engine.runinfo import flatten

ROOT = {
    *("data", "model", "optim", "trainer", "callbacks", "logger", "stages"),
    *("name", "run_dir", "resume", "init_from", "freeze", "allow_changes", "seed", "threads"),
}
GROUP = {"optimizer", "schedule"}


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
    yield from (f"optim.{key}" for key in config["optim"] if key not in GROUP)
    for name, group in config["model"].get("optim", {}).items():
        yield from (
            f"model.optim.{name}.{key}" for key in group if key not in GROUP and isinstance(group, dict)
        )
    for section in ("callbacks", "logger"):
        for name, part in config[section].items():
            if name != "views" and part is not None and not (isinstance(part, dict) and "_target_" in part):
                yield f"{section}.{name}"
