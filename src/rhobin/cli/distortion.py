"""`rhobin distortion ROOT`: what ignoring the cameras' lenses costs, by image radius."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("root", type=Path, help="dataset root, of BEHAVE or of InterCap")
    parser.add_argument("--out", type=Path, help="also draw the error over each image into this PNG or JPEG")


def run(args: argparse.Namespace) -> int:
    """Print the table and write the picture; returns 1 when there is no calibration to read."""
    from rich.table import Table

    from rhobin.behave.lenses import read_lenses
    from rhobin.reports.lens import DEPTH_M, lens_picture, lens_rings, write_picture
    from rhobin.terminal import plain_console

    try:
        cameras = read_lenses(args.root)
        if args.out:
            write_picture(args.out, lens_picture(cameras))
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    table = Table(title=f"What a pinhole misses at {args.root}", title_justify="left")
    for head in ("camera", "radius", "mean px", "max px", f"mean mm at {DEPTH_M:g} m", "max mm"):
        table.add_column(head, justify="left" if head == "camera" else "right")
    for name, camera in cameras.items():
        for ring in lens_rings(camera):
            radius = "all" if (ring.start, ring.end) == (0, 1) else f"{ring.start:.0%}-{ring.end:.0%}"
            values = (ring.mean_px, ring.max_px, ring.mean_mm, ring.max_mm)
            table.add_row(name, radius, *(f"{value:.2f}" for value in values))
        table.add_section()
    console = plain_console()
    console.print(table)
    console.print("Radius: share of the way from the image's centre to its corner.")
    console.print("Targets project by the pinhole; data.view.distortion=apply undistorts the images first.")
    pinholes = [name for name, camera in cameras.items() if camera.distortion is None]
    if pinholes:
        console.print(f"Without distortion in their files: {', '.join(pinholes)}")
    if args.out:
        console.print(f"Drawn in {args.out}: colours and arrows (enlarged) to one scale.")
    return 0
