"""Views a second of `rhobin synth`, and where the time goes.

python benchmarks/synth.py [--size demo] [--sequences 12] [--frames 8] [--workers 2] [--width 640]
"""

import argparse
import tempfile
import time
from pathlib import Path

from rhobin.synthetic.build import Summary, build_dataset
from rhobin.synthetic.plan import plan_dataset


def main() -> None:
    """Build part of a dataset in a temporary folder and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", default="demo")
    parser.add_argument("--sequences", type=int, default=24)
    parser.add_argument("--frames", type=int, default=8)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--width", type=int, default=640)
    args = parser.parse_args()
    plans = plan_dataset(args.size, 0, args.frames)[: args.sequences]
    marks: list[tuple[float, str, int]] = []
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        summary = build_dataset(
            Path(folder) / "data",
            plans,
            {"benchmark": True},
            args.width,
            args.workers,
            notify=lambda what, count: marks.append((time.perf_counter() - start, what, count)),
        )
        whole = time.perf_counter() - start
        size = sum(p.stat().st_size for p in Path(folder).rglob("*") if p.is_file())
    report(summary, marks, whole, size, args.workers)


def report(
    summary: Summary, marks: list[tuple[float, str, int]], whole: float, size: int, workers: int
) -> None:
    """Print speed and processor time per stage."""
    rooms_done = max((at for at, what, _ in marks if what == "rooms"), default=0.0)
    last = max(at for at, what, _ in marks if what == "views")
    cost = sum(summary.seconds.values()) / summary.views
    speed = f"{summary.views / whole:.1f} views/s in all"
    print(f"{summary.views} views in {whole:.1f} s with {workers} workers: {speed}")
    print(
        f"  start and room layers {rooms_done:.1f} s, then {summary.views / (last - rooms_done):.1f} views/s"
    )
    print(f"  {1000 * cost:.1f} ms of one processor a view, so {1 / cost:.1f} views/s for each idle core")
    for stage, seconds in summary.seconds.items():
        print(f"  {stage:<8} {1000 * seconds / summary.views:6.1f} ms a view")
    print(f"  {size / summary.views / 1000:.0f} kB a view")


if __name__ == "__main__":
    main()
