"""Overrides as people type them, for Hydra's grammar, which takes characters beyond ASCII only in quotes."""

from __future__ import annotations

from collections.abc import Sequence


def with_quotes(arguments: Sequence[str]) -> list[str]:
    """The arguments, plain values with such characters quoted: `data.root=/数据` is `data.root='/数据'`."""
    return [_quoted(argument) for argument in arguments]


def _quoted(argument: str) -> str:
    key, equals, value = argument.partition("=")
    plain = not set("'\"[]{}(),\\$") & set(value)
    return f"{key}='{value}'" if equals and plain and not value.isascii() else argument
