"""`rhobin synth`: write synthetic people with objects in the raw BEHAVE layout."""

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from rhobin.cli.numbers import at_least
from rhobin.cli.progress import progress_bars

if TYPE_CHECKING:
    from rhobin.synthetic.build import Summary

SIZES = ("tiny", "demo", "long", "bench", "bench_long", "bench_occluded")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument(
        "--out", type=Path, required=True, help="dataset folder; an unfinished one is completed"
    )
    parser.add_argument(
        "--size",
        choices=SIZES,
        default="demo",
        help="sequences for training, validation and test: tiny 4, 0, 2; demo 92, 0, 24; long 950, 0, 40; "
        "bench 92, 160, 400; bench_long 950, 160, 400; bench_occluded 0, 0, 160, people behind furniture "
        "(default: demo)",
    )
    parser.add_argument("--frames", type=at_least(1), help="frames per sequence instead of the size's own")
    parser.add_argument(
        "--workers", type=at_least(1), default=2, help="processes; any number gives the same files"
    )
    parser.add_argument(
        "--seed", type=int, default=0, help="seed of people, motions and camera noise (default: 0)"
    )
    parser.add_argument("--width", type=_width, default=640, help="image width in pixels, 4:3 (default: 640)")
    parser.add_argument(
        "--body", type=Path, help="folder of licensed SMPL-H files instead of the stand-in body"
    )
    parser.add_argument(
        "--no-meshes", action="store_true", help="leave out the posed meshes (0.3 MB a frame)"
    )
    parser.add_argument(
        "--depth",
        action="store_true",
        help="write depth images and pointcloud_table.npy, too, which BEHAVE's own tools need",
    )


def run(args: argparse.Namespace) -> int:
    """Build the dataset; returns 1 when it cannot be built, with the reason."""
    from rhobin.body.chosen import body_folder
    from rhobin.synthetic.build import build_dataset, is_complete
    from rhobin.synthetic.plan import plan_dataset

    plans = plan_dataset(args.size, args.seed, args.frames)
    body = body_folder(args.body)
    recipe = {"size": args.size, "seed": args.seed, "frames": args.frames}
    start = time.monotonic()
    try:
        todo = [plan for plan in plans if not is_complete(args.out, plan.name)]
        views = sum(plan.n_frames * len(plan.kinects) for plan in todo)
        rooms = 4 * len({plan.date for plan in todo})
        with progress_bars({"rooms": rooms, "views": views}) as notify:
            summary = build_dataset(
                args.out,
                plans,
                recipe,
                args.width,
                args.workers,
                not args.no_meshes,
                body,
                args.depth,
                notify,
            )
    except (ValueError, OSError) as error:
        print(f"rhobin synth: {error}", file=sys.stderr)
        return 1
    _report(summary, time.monotonic() - start)
    return 0


def _width(text: str) -> int:
    value = int(text)
    if value < 64 or value % 4:
        raise argparse.ArgumentTypeError(f"expected a multiple of 4 of at least 64 pixels, found {text}")
    return value


def _report(summary: "Summary", seconds: float) -> None:
    validation = f", {summary.val} validation" if summary.val else ""
    print(f"{summary.out}: {summary.train} training{validation} and {summary.test} test sequences")
    if summary.kept:
        print(f"  {summary.kept} sequences were complete before")
    if not summary.made:
        return
    print(f"  {summary.views} views in {seconds:.1f} s, {summary.views / seconds:.1f} views/s")
    stages = ", ".join(
        f"{name} {1000 * spent / summary.views:.1f}" for name, spent in summary.seconds.items()
    )
    print(f"  process milliseconds a view: {stages}")
