"""Everything that only a GPU can show, in minutes: `make gpu-check`. Needs no network and no licensed file.

    python benchmarks/gpu_check.py [--out runs/gpu_check] [--device cuda] [--minutes 8] [--reduced]

Looks at: kernels on the device in float32 beside the CPU in float64; peak memory and steps a second of each
paper preset beside `rhobin plan`; losses of 100 steps in float32, bfloat16 and compiled, beside the CPU's;
the loader beside the steps; seconds a frame (Table 5). Data are generated. It writes gpu_check.json and
gpu_check.html, and ends with status 1 where something differs or failed. A part begins only while there are
minutes left; what was not run says why. `--reduced` takes the smoke presets and few steps, as tests do.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import latency
import pytorch_lightning
import torch
from gpu_agreement import Row, agreement
from gpu_training import curves, loading, steps
from rich.console import Console
from rich.table import Table

import rhobin
from rhobin.__main__ import main as rhobin_command
from rhobin.files import write_json, write_text
from rhobin.reports.figures import Series, line_chart
from rhobin.reports.html import table, tag, text
from rhobin.reports.plain_page import plain_page

PAPER = ("khor/paper", "g2dr/paper", "bev_hybrik/paper_base")
SMOKE = ("khor/smoke", "g2dr/smoke", "bev_hybrik/smoke")
STYLES = ("body", "object", "good", "plain dash")
HEADS = ("what", "found", "expected", "")


class Findings:
    """Rows by part; a part that fails or comes too late leaves a row, and the next one begins.

    Args:
        console: told of every part.
        minutes: after which no part begins.
    """

    def __init__(self, console: Console, minutes: float) -> None:
        self.console, self.end = console, time.monotonic() + 60 * minutes
        self.minutes, self.parts = minutes, dict[str, list[Row]]()

    def look(self, part: str, work: Callable[[], list[Row]]) -> None:
        """Do a part, and print its rows."""
        begin = time.monotonic()
        if begin > self.end:
            found = [Row(part, f"{self.minutes:g} minutes were over", "raise --minutes", "not run")]
        else:
            try:
                found = work()
            except Exception as error:  # the other parts are still worth their minutes
                traceback.print_exc()
                found = [Row(part, f"{type(error).__name__}: {error}", "no error", "failed")]
        self.parts.setdefault(part, []).extend(found)
        shown = Table(title=f"{part}, {time.monotonic() - begin:.0f} s", title_justify="left")
        for head in HEADS:
            shown.add_column(head, overflow="fold")
        for row in found:
            shown.add_row(row.what, row.found, row.expected, row.state)
        self.console.print(shown)

    @property
    def bad(self) -> list[Row]:
        """What differs or failed."""
        return [row for rows in self.parts.values() for row in rows if row.state in ("differs", "failed")]


def check(
    device: torch.device, reduced: bool, findings: Findings, place: Path, data: Path | None
) -> dict[str, Any]:
    """All parts; figures that are more than rows."""
    root, presets = data or place / "data", SMOKE if reduced else PAPER
    count, curve, batches = (2, 12, 3) if reduced else (20, 100, 30)
    trained = presets[0] if reduced else "khor/synthetic"
    figures: dict[str, Any] = {"steps": {}, "curves": {}, "latency": []}

    def make_data() -> list[Row]:
        status = rhobin_command(["synth", "--out", str(root), "--size", "tiny"])
        return [Row("rhobin synth", f"status {status}", "status 0", "differs" if status else "ok")]

    def train_steps(preset: str) -> list[Row]:
        rows, figures["steps"][preset] = steps(preset, root, device, count)
        return rows

    def draw_curves() -> list[Row]:
        rows, figures["curves"] = curves(trained, root, place / "runs", device, curve)
        return rows

    def load(preset: str) -> list[Row]:
        workers = 0 if reduced else min(8, os.cpu_count() or 1)
        told = figures["steps"].get(preset)
        return [loading(preset, root, told, workers, batches)] if told else []

    def time_frames(preset: str) -> list[Row]:
        rows, found = frames(preset, device, 1 if reduced else 10, place)
        figures["latency"] += found
        return rows

    findings.look("Kernels", lambda: agreement(device))
    if data is None:
        findings.look("Data", make_data)
    for preset in presets:
        findings.look("Memory and speed", lambda preset=preset: train_steps(preset))  # type: ignore[misc]
    findings.look("Losses", draw_curves)
    for preset in presets:
        findings.look("Loading", lambda preset=preset: load(preset))  # type: ignore[misc]
    for preset in presets:
        findings.look("Seconds a frame", lambda preset=preset: time_frames(preset))  # type: ignore[misc]
    return figures


def frames(
    preset: str, device: torch.device, repeats: int, place: Path
) -> tuple[list[Row], list[dict[str, Any]]]:
    """Table 5's seconds of a method, by part."""
    scene, network = latency.write_scene(place), latency.opened(preset, device.type)
    rows, found = [], []
    for size in (1,) if repeats < 3 else (1, 8):
        seconds, evaluations = latency.measure(network, size, repeats, scene)
        parts = ", ".join(f"{part} {1000 * seconds[part]:.1f}" for part in latency.PARTS)
        told = f"{1000 * sum(seconds.values()):.1f} ms a frame: {parts}; {evaluations} evaluations"
        rows.append(Row(f"{preset}, batch of {size}", told, "", "measured"))
        found.append({"name": preset, "batch": size, "evaluations": evaluations, "seconds": seconds})
    return rows, found


def facts(device: torch.device) -> dict[str, str]:
    """What the figures depend on."""
    card = torch.cuda.get_device_name(device) if device.type == "cuda" else f"CPU, {os.cpu_count()} cores"
    return {
        "device": card,
        "CUDA": str(torch.version.cuda) if device.type == "cuda" else "none",
        "torch": torch.__version__,
        "pytorch-lightning": pytorch_lightning.__version__,
        "rhobin": rhobin.__version__,
        "Python": platform.python_version(),
    }


def page(about: dict[str, str], findings: Findings, figures: dict[str, Any]) -> str:
    """One page with every row and the curves."""
    sections = {
        part: table(HEADS, [[text(cell) for cell in asdict(row).values()] for row in rows], numbers=[])
        for part, rows in findings.parts.items()
    }
    curves = figures["curves"].items()
    lines = [
        Series(name, range(1, len(values) + 1), values, style)
        for (name, values), style in zip(curves, STYLES, strict=False)
    ]
    if lines:
        sections["Losses"] += line_chart(lines, "train/loss", "step", from_zero=False, legend=True)
    told = ", ".join(f"{name} {value}" for name, value in about.items())
    bad = len(findings.bad)
    lead = f"{bad} findings differ or failed." if bad else "Nothing differs, nothing failed."
    return plain_page("Check of a GPU", told, tag("p", text(lead)), sections)


def main(arguments: Sequence[str] | None = None) -> int:
    """Check, write, and tell where."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=Path("runs/gpu_check"))
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--data", type=Path, metavar="ROOT", help="generated data, in place of new ones")
    parser.add_argument("--minutes", type=float, default=8.0)
    parser.add_argument("--reduced", action="store_true", help="smoke presets and few steps")
    args = parser.parse_args(arguments)
    if args.device == "cuda" and not torch.cuda.is_available():
        print(
            f"expected a CUDA device, and torch {torch.__version__} sees none. See what rhobin "
            "doctor says, or try whether the check itself runs:\n"
            "  python benchmarks/gpu_check.py --device cpu --reduced",
            file=sys.stderr,
        )
        return 2
    device, findings = torch.device(args.device), Findings(Console(), args.minutes)
    begin, about = time.monotonic(), facts(device)
    with tempfile.TemporaryDirectory() as place:
        figures = check(device, args.reduced, findings, Path(place), args.data)
    rows = {part: [asdict(row) for row in found] for part, found in findings.parts.items()}
    seconds = time.monotonic() - begin
    args.out.mkdir(parents=True, exist_ok=True)
    written = {"about": about, "seconds": seconds, "reduced": args.reduced, "parts": rows, "figures": figures}
    write_json(args.out / "gpu_check.json", written)
    write_text(args.out / "gpu_check.html", page(about, findings, figures))
    print(f"{args.out / 'gpu_check.html'}: {seconds:.0f} s, {len(findings.bad)} findings differ or failed")
    return 1 if findings.bad else 0


if __name__ == "__main__":
    raise SystemExit(main())
