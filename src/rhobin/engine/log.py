"""The run's own log: `metrics.csv`, always written, exact across kills and resumes."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytorch_lightning.loggers.logger import Logger
from pytorch_lightning.utilities import rank_zero_only

from rhobin.files import write_text

FIRST_COLUMNS = ("step", "epoch")


class CsvLog(Logger):
    """One row a call, one column a metric; a metric's first appearance adds its column to the whole file.

    Args:
        path: the CSV file; rows already there are kept.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = Path(path)
        self.columns: list[str] = list(FIRST_COLUMNS)
        self.rows = 0
        if self.path.is_file():
            kept = read_rows(self.path)
            self.columns, self.rows = kept[0], len(kept) - 1

    @property
    def name(self) -> str:
        """Name of the log."""
        return "csv"

    @property
    def version(self) -> str:
        """A run has one log."""
        return ""

    @rank_zero_only
    def log_hyperparams(self, params: Any, *args: Any, **kwargs: Any) -> None:
        """Nothing: the run's config.yaml holds them."""

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Append a row, on disk before this returns."""
        values = {"step": step, **metrics}
        new = [name for name in values if name not in self.columns]
        if new or not self.path.is_file():
            self.columns += new
            self.rewrite(self.rows)
        with self.path.open("a", newline="") as file:
            csv.writer(file).writerow([format_cell(values.get(column)) for column in self.columns])
        self.rows += 1

    @rank_zero_only
    def rewrite(self, rows: int) -> None:
        """Keep the header and the first `rows` rows, in today's columns; atomic."""
        old = read_rows(self.path) if self.path.is_file() else [list(self.columns)]
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, self.columns, restval="")
        writer.writeheader()
        writer.writerows(dict(zip(old[0], row, strict=False)) for row in old[1 : rows + 1])
        write_text(self.path, text.getvalue())
        self.rows = rows


def read_rows(path: Path) -> list[list[str]]:
    """Header and rows of a CSV file."""
    with path.open(newline="") as file:
        return list(csv.reader(file))


def format_cell(value: Any) -> str:
    """A number in at most eight digits, an absent one as an empty cell."""
    return "" if value is None else f"{value:.8g}" if isinstance(value, float) else str(value)
