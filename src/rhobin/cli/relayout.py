"""`rhobin relayout`: write a BEHAVE root by the rules of another release."""

import argparse
import sys
from pathlib import Path

TARGETS = ("raw", "30fps", "2023", "2024")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("root", type=Path, help="root to read")
    parser.add_argument("out", type=Path, help="folder to write")
    parser.add_argument("--layout", choices=TARGETS, required=True, help="layout to write")
    parser.add_argument("--from", dest="source", default="auto", choices=("auto", *TARGETS),
                        help="layout of ROOT, where it could be read as several")  # fmt: skip
    parser.add_argument(
        "--body",
        type=Path,
        help="folder of licensed SMPL-H files, or standin (2024 only; default: what generated data are of)",
    )


def run(args: argparse.Namespace) -> int:
    """Read every split there is and write it; returns 1 when that cannot be done, with the reason."""
    from rhobin.behave.builder import EmptySplitError
    from rhobin.behave.manifest import build_manifest, manifest_tables
    from rhobin.behave.own_body import choose_body
    from rhobin.behave.read import SPLITS, Release, read_release
    from rhobin.behave.writers.relayout import write_release
    from rhobin.body.load import load_bodies
    from rhobin.terminal import plain_console

    releases: list[Release] = []
    posed = args.layout == "2024"
    try:
        body = choose_body(args.root, args.body, "--body ") if posed else None
        for split in SPLITS:
            try:
                templates = releases[0].templates if releases else None
                releases.append(read_release(args.root, split, templates=templates, layout=args.source))
            except EmptySplitError as error:
                if split != "val":
                    print(f"rhobin relayout: no {split} split: {error}", file=sys.stderr)
        write_release(releases, args.out, args.layout, load_bodies(body) if posed else None)
    except (OSError, ValueError) as error:
        print(f"rhobin relayout: {error}", file=sys.stderr)
        return 1
    plain_console().print(manifest_tables(build_manifest(releases)))
    print(f"{args.out}: written as {args.layout}")
    return 0
