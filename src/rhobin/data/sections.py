"""Sections of a config as dataclasses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import is_dataclass
from typing import Any, TypeVar, get_type_hints

Settings = TypeVar("Settings")


def read_section(kind: type[Settings], where: str, values: Mapping[str, Any] | None) -> Settings:
    """The settings of a config section, and of the sections in it.

    Args:
        kind: dataclass whose fields are the section's keys; a field that is a dataclass is a section in it.
        where: the section's place in the config, such as "data.augment".
        values: keys and values; None for the defaults.

    Raises:
        ValueError: an unknown key, or a value that `kind` refuses.
    """
    known = get_type_hints(kind)
    given = dict(values or {})
    for key, value in given.items():
        if key not in known:
            raise ValueError(f"{where}.{key} is not a setting; expected any of {', '.join(known)}")
        if is_dataclass(known[key]):
            given[key] = read_section(known[key], f"{where}.{key}", value)
    return kind(**given)
