"""Time and peak memory of stacking made-up members with the stand-in body's 6,890 vertices.

    python benchmarks/ensemble.py [--members 26] [--frames 4554] [--threads 2] [--folder DIR]

Members are the truth with independent noise, stored like runs. A fresh process fits (weights, nested
cross-validation with its refits) and another applies; each tells how long it took and its peak memory, which
holds Python, torch and everything else.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import rhobin
from rhobin.body.chosen import body_hash
from rhobin.scoring.collect import TRUTH, Further
from rhobin.scoring.store import HELD_OUT, Provenance, write_results

EACH = 30  # frames of a sequence
BODY = ("stand-in", body_hash(None))
ORIGIN = Provenance("made", "Made up", "a", "best.ckpt", "c" * 64, "cfg", "data", "official", *BODY)


def main() -> None:
    """Make the members, run both steps, and print their figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--members", type=int, default=26)
    parser.add_argument("--frames", type=int, default=4554)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--folder", type=Path, help="where the members go; by default a temporary folder")
    parser.add_argument("--step", nargs="+", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.step:
        _step(args.step, args.threads)
        return
    print(f"rhobin {rhobin.__version__}: {args.members} members x {args.frames} frames x 6,890 vertices")
    with tempfile.TemporaryDirectory() as temporary:
        folder = args.folder or Path(temporary)
        runs = make_members(folder, args.members, args.frames)
        for step in (["fit", str(folder / "out"), *runs, "--parts"], ["apply", str(folder / "out")]):
            command = [sys.executable, __file__, "--threads", str(args.threads), "--step", "ensemble"]
            subprocess.run([*command, "\n".join(step)], check=True)


def make_members(folder: Path, members: int, frames: int) -> list[str]:
    """Store members' predictions of validation and test views; the names of their run folders."""
    rng = np.random.default_rng(0)
    poses, betas = rng.normal(0, 0.2, (frames, 156)), rng.normal(0, 1, (frames, 10))
    poses[:, 0] += np.pi
    trans = rng.normal(0, 0.2, (frames, 3)) + np.array((0, 0, 2.5))
    truth = {"poses": poses, "betas": betas, "trans": trans}
    runs = []
    for number in range(members):
        run, noise = folder / f"run{number:02d}", 0.05 + 0.1 * number / members
        people = {key: value + noise * rng.normal(size=value.shape) for key, value in truth.items()}
        for place, more in ((run / HELD_OUT, truth), (run, {})):
            results, further = _stored(people, more, frames)
            write_results(place, results, ORIGIN, further)
        runs.append(str(run))
    return runs


def _stored(people: dict, truth: dict, frames: int) -> tuple[dict, Further]:
    names = np.array([f"Date10_Sub0{1 + i // EACH % 5}_stool_{i // EACH:04d}" for i in range(frames)])
    frame = np.array([f"t{i % EACH:04d}.000" for i in range(frames)])
    results = {}
    for name in np.unique(names):
        rows = np.flatnonzero(names == name)
        arrays = {key: value[rows] for key, value in people.items()}
        results[str(name)] = {"frames": frame[rows].tolist(), "gender": "male", **arrays}
    return results, Further(names, frame, {f"{TRUTH}{key}": value for key, value in truth.items()})


def _step(step: list[str], threads: int) -> None:
    import torch

    from rhobin.__main__ import main as command

    torch.set_num_threads(threads)
    words = [step[0], *step[1].split("\n")]
    began, cpu = time.perf_counter(), time.process_time()
    status = command(words)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    told = f"{seconds:.1f} s ({cpu:.1f} s of the CPU)"
    print(f"{' '.join(words[:2])}: {told}, peak {peak:.0f} MB, {threads} threads")
    if status:
        sys.exit(status)


if __name__ == "__main__":
    main()
