"""A run's config without what only the author's machine has: places, names of accounts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from omegaconf import DictConfig, OmegaConf

REMOVED = "removed-by-rhobin-export"
"""What stands for a path of the author's machine that nothing needs."""
KEPT: Mapping[str, tuple[tuple[Any, ...], Any]] = {
    "data.augment.background_from": (("rooms", "plain", "noise"), "rooms"),
    "model.net.backbone.weights": (("imagenet", None), None),
    "init_from": (("best", "last", None), None),
    "resume": (("none", "auto"), "none"),
}
"""Keys whose values may be a path: those that are none, and what takes a path's place."""
_PLACE = re.compile(r"(^|[\s=:'\"(,])(/|~|\.\./|file:|[A-Za-z]:[\\/]|\\\\)")


def neutral_config(config: DictConfig, root: str, body: str | None) -> tuple[str, list[str]]:
    """A run's config as YAML, with neutral places.

    Args:
        config: of the run.
        root: what stands for `data.root`.
        body: what stands for `data.body`; None where that is left to the data.

    Returns:
        The text, and the keys whose values were changed.
    """
    places: dict[str, Any] = {
        "data.root": root,
        "data.body": body,
        "run_dir": f"runs/{config.name}",
        "logger": {},
    }
    changed: list[str] = []
    content = _cleaned(OmegaConf.to_container(config, resolve=True), (), places, changed)
    return OmegaConf.to_yaml(OmegaConf.create(content)), changed


def _cleaned(value: Any, keys: tuple[str, ...], places: Mapping[str, Any], changed: list[str]) -> Any:
    """The same with neutral places; adds the keys of what it changes."""
    found = _neutral(value, _own_key(keys), places)
    if found != value:
        changed.append(".".join(keys))
        return found
    if isinstance(value, dict):
        return {key: _cleaned(item, (*keys, str(key)), places, changed) for key, item in value.items()}
    if isinstance(value, list):
        return [_cleaned(item, (*keys, str(i)), places, changed) for i, item in enumerate(value)]
    return value


def _own_key(keys: tuple[str, ...]) -> str:
    """The key without the stage that changes it."""
    return ".".join(keys[2:] if keys[:1] == ("stages",) else keys)


def _neutral(value: Any, key: str, places: Mapping[str, Any]) -> Any:
    if key in places:
        return places[key]
    if key in KEPT:
        allowed, instead = KEPT[key]
        return value if value in allowed else instead
    return REMOVED if isinstance(value, str) and _PLACE.search(value) else value
