"""Sections of a config as dataclasses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar

Settings = TypeVar("Settings")


def read_section(kind: type[Settings], section: str, values: Mapping[str, Any] | None) -> Settings:
    """The settings of a config section.

    Args:
        kind: dataclass whose fields are the section's keys.
        section: its key under `data`.
        values: keys and values; None for the defaults.

    Raises:
        ValueError: an unknown key, or a value that `kind` refuses.
    """
    known = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    for key in values or {}:
        if key not in known:
            raise ValueError(f"data.{section}.{key} is not a setting; expected any of {', '.join(known)}")
    return kind(**(values or {}))
