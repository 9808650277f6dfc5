"""`rhobin synth-objects`: render objects alone in random poses, with masks and object coordinates."""

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from rhobin.cli.numbers import at_least
from rhobin.cli.progress import progress_bars

if TYPE_CHECKING:
    from rhobin.synthetic.renders.build import RenderPlan

POSES = ("uniform", "euler")
RENDERERS = ("embree", "blender")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument(
        "--out", type=Path, required=True, help="folder to write; an unfinished one is completed"
    )
    parser.add_argument(
        "--root",
        type=Path,
        help="take the templates of this root, BEHAVE's or one made by `rhobin object add`, not the built-in",
    )
    parser.add_argument("--objects", nargs="+", default=[], metavar="NAME", help="render these objects only")
    parser.add_argument(
        "--poses",
        choices=POSES,
        default="uniform",
        help="uniform over all rotations (default), or the paper's Euler grid of 20 x 20 x 20",
    )
    parser.add_argument("--count", type=at_least(1), default=8000, help="poses an object (default: 8000)")
    parser.add_argument(
        "--size", type=at_least(16), default=256, help="width of the square pictures in pixels (default: 256)"
    )
    parser.add_argument(
        "--renderer",
        choices=RENDERERS,
        default="embree",
        help="embree (default), or blender: other shading, same masks and coordinates, tens of times slower; "
        "needs pip install 'rhobin[blender]' on Python 3.11",
    )
    parser.add_argument("--seed", type=int, default=0, help="seed of poses and looks (default: 0)")
    parser.add_argument(
        "--shard",
        type=_shard,
        default=(1, 1),
        metavar="I/N",
        help="make every N-th part of the work from the I-th (1/4 to 4/4), to share it among machines",
    )
    parser.add_argument(
        "--workers", type=at_least(1), default=2, help="processes; any number gives the same files"
    )


def run(args: argparse.Namespace) -> int:
    """Render; returns 1 when that cannot be done, with the reason."""
    from rhobin.synthetic.renders.build import build_renders, plan_renders
    from rhobin.synthetic.renders.claim import RenderSettings

    settings = RenderSettings(args.renderer, args.poses, args.count, args.size, args.seed)
    start = time.monotonic()
    try:
        plan = plan_renders(args.out, settings, args.objects, args.root, args.shard)
        with progress_bars({"renders": plan.pictures}) as notify:
            spent = build_renders(plan, args.workers, lambda count: notify("renders", count))
    except (ValueError, OSError) as error:
        print(f"rhobin synth-objects: {error}", file=sys.stderr)
        return 1
    _report(plan, time.monotonic() - start, spent)
    return 0


def _report(plan: "RenderPlan", seconds: float, spent: float) -> None:
    made = plan.pictures
    print(f"{plan.out}: {made} renders made, {plan.kept} were there before")
    if made:
        each = 1000 * spent / made
        print(f"  {seconds:.1f} s, {made / seconds:.1f} renders/s; {each:.1f} process ms a render")
    print(f"  Train on them: data.root={plan.out} model.reads.parts=[object] model.reads.crop=object")


def _shard(text: str) -> tuple[int, int]:
    first, mark, count = text.partition("/")
    if not (mark and first.isdigit() and count.isdigit() and 1 <= int(first) <= int(count)):
        raise argparse.ArgumentTypeError(f"expected I/N with 1 <= I <= N, such as 1/4, found {text}")
    return int(first), int(count)
