"""Bytes on disk: checkpoints, data, and a prepared root."""

from __future__ import annotations

from pathlib import Path

from rhobin.engine.planning.length import Views
from rhobin.engine.planning.rehearsal import Rehearsal

KEPT, WHILE_WRITING = 3, 1
"""Checkpoints of a stage: best, last and previous; and one while it is written."""
PREPARED = 130_000
"""Bytes of a view that `rhobin prepare` stores (data/README.md)."""


def checkpoints(rehearsal: Rehearsal) -> int:
    """Bytes of a stage's checkpoints, the one under way included."""
    return (KEPT + WHILE_WRITING) * (rehearsal.state + rehearsal.averaged)


def data_bytes(root: Path) -> int | None:
    """Bytes of the files of a root; None where there is none."""
    if not root.is_dir():
        return None
    return sum(path.stat().st_size for path in root.rglob("*") if path.is_file())


def prepared_bytes(views: Views) -> int:
    """Bytes of a prepared root with so many training views."""
    return PREPARED * views.count
