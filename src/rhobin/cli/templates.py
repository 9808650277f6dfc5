"""`rhobin templates ROOT`: the object templates of a root, checked, and their keypoints as a file."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("root", type=Path, help="dataset root with objects/")
    parser.add_argument("--out", type=Path, help="write hashes, keypoints and symmetries as JSON")
    parser.add_argument("--check", type=Path, help="compare with such a file; exit with 1 where they differ")


def run(args: argparse.Namespace) -> int:
    """Print the table; returns 1 when a template is broken or differs from `--check`."""
    import warnings

    from rich.table import Table

    from rhobin.behave.root_templates import root_templates
    from rhobin.files import write_json
    from rhobin.objects.record import check_record, keypoint_record
    from rhobin.objects.scans import load_full_mesh
    from rhobin.terminal import plain_console

    try:
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            record = keypoint_record(templates := root_templates(args.root))
        differences = check_record(args.check, templates) if args.check else []
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    table = Table(title=f"Templates of {args.root}", title_justify="left")
    for head in (
        "object",
        "vertices",
        "release",
        "diameter m",
        "condition",
        "symmetries",
        "full mesh",
        "sha256",
    ):
        table.add_column(head, justify="left" if head in ("object", "full mesh", "sha256") else "right")
    for name, entry in record.items():
        try:
            full = f"{len(load_full_mesh(args.root / 'objects', name)[0]):,} vertices"
        except (OSError, ValueError):
            full = "missing or broken"
        sizes = (entry["vertices"], entry["release_vertices"] or "-", f"{templates[name].diameter:.3f}")
        others = (entry["condition"], entry["symmetries"], full, entry["sha256"][:12])
        table.add_row(name, *map(str, sizes + others))
    console = plain_console()
    console.print(table)
    for line in [str(warning.message) for warning in told] + differences:
        console.print(line, soft_wrap=True)
    if args.out:
        write_json(args.out, record)
        console.print(f"Written to {args.out}")
    return int(bool(differences))
