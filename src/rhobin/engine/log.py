"""The run's own log: `metrics.csv`, always written, exact across kills and resumes."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
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
        self.columns, rows = read_log(self.path)
        self.rows = len(rows)

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
            old, rows = read_log(self.path)
            self.columns += new
            self.write(old, rows)
        try:
            with self.path.open("a", newline="", encoding="utf-8") as file:
                csv.writer(file).writerow([format_cell(values.get(column)) for column in self.columns])
        except OSError as error:
            error.filename = str(self.path)
            raise
        self.rows += 1

    @rank_zero_only
    def cut(self, rows: int, step: int) -> None:
        """Keep the first `rows` rows, none of them past `step`."""
        self.write(*rows_until(self.path, rows, step))

    def write(self, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Write the whole log with these rows, in today's columns; atomic."""
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, self.columns, restval="")
        writer.writeheader()
        writer.writerows(dict(zip(columns, row, strict=True)) for row in rows)
        write_text(self.path, text.getvalue())
        self.rows = len(rows)


def read_log(path: Path) -> tuple[list[str], list[list[str]]]:
    """Columns and rows of a log; torn or damaged rows are left out, all of them where the header is."""
    text = path.read_bytes().decode(errors="replace") if path.is_file() else ""
    whole = text[: text.rfind("\n") + 1]
    try:
        header, *rows = list(csv.reader(io.StringIO(whole, newline=""))) or [[]]
    except csv.Error:
        header, rows = [], []
    if tuple(header[: len(FIRST_COLUMNS)]) != FIRST_COLUMNS:
        return list(FIRST_COLUMNS), []
    return header, [row for row in rows if len(row) == len(header) and row[0].isdecimal()]


def rows_until(path: Path, count: int, step: int) -> tuple[list[str], list[list[str]]]:
    """Columns and at most `count` rows of a log, none of them past `step`."""
    columns, rows = read_log(path)
    return columns, [row for row in rows if int(row[0]) <= step][:count]


def format_cell(value: Any) -> str:
    """A number in at most eight digits, an absent one as an empty cell."""
    return "" if value is None else f"{value:.8g}" if isinstance(value, float) else str(value)
