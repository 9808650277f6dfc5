"""`rhobin detections ROOT`: OpenPose's and FrankMocap's files beside the images, counted and checked."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

SHOWN = 5


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("root", type=Path, help="dataset root in the layout of the raw release")
    parser.add_argument(
        "--list", action="store_true", help=f"name every missing and malformed file, not the first {SHOWN}"
    )


def run(args: argparse.Namespace) -> int:
    """Print the table and the files; returns 1 when a file is malformed or there is nothing to read."""
    from rich.table import Table

    from rhobin.behave.detections import check_detections
    from rhobin.terminal import plain_console

    try:
        checked = check_detections(args.root)
    except OSError as error:
        print(f"rhobin detections: {error}", file=sys.stderr)
        return 1
    table = Table(title=f"Detections at {args.root}", title_justify="left")
    for head in ("detector", "views", "person found", "nobody found", "missing", "malformed", "whole frames"):
        table.add_column(head, justify="left" if head == "detector" else "right")
    for name, files in checked.items():
        counts = (files.views, files.found, files.nobody, len(files.missing), len(files.malformed))
        whole = f"{files.whole_frames:,} of {files.frames:,}"
        table.add_row(name, *(f"{count:,}" for count in counts), whole)
    console = plain_console()
    console.print(table)
    console.print("Whole frames have a readable file for each of their views.")
    for name, files in checked.items():
        _print_some(f"{name}, malformed:", list(files.malformed.values()), args.list)
        _print_some(f"{name}, missing:", [str(file) for file in files.missing], args.list)
    return int(any(files.malformed for files in checked.values()))


def _print_some(title: str, lines: list[str], every: bool) -> None:
    shown = lines if every else lines[:SHOWN]
    if lines:
        print(title, *shown, sep="\n  ")
    if len(shown) < len(lines):
        print(f"  and {len(lines) - len(shown):,} more; --list names them")
