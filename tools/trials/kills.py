"""Kill a training in every way once, let it go on, and compare it with one that nothing interrupted.

    python tools/trials/kills.py --root data/behave_tiny                 at all file operations
    python tools/trials/kills.py --root data/behave_tiny --operations 5  at five, drawn by --seed
    python tools/trials/kills.py --root data/behave_tiny --experiment g2dr/smoke --operations 2 --moments 20

One process imports everything and reads bodies and templates; each training is a fork of it that runs
train.py. It says what differed, and then ends with status 1.
"""

from __future__ import annotations

import argparse
import os
import random
import runpy
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch

import rhobin.engine.build
import rhobin.engine.fit
import rhobin.methods.g2dr.module
import rhobin.methods.khor.module  # noqa: F401 - imported once, for all forks
from rhobin.body.load import load_bodies
from rhobin.engine.runinfo import read_run
from rhobin.engine.saved import read_all, read_checkpoint
from rhobin.objects.load import load_templates

ROOT = Path(__file__).parents[2]
STEPS, SAVED_EVERY = 10, 2
EVENTS = {"open", "os.rename", "os.remove", "os.mkdir"}
SETTINGS = (
    f"trainer.max_steps={STEPS}",
    f"callbacks.checkpoints.every_n_steps={SAVED_EVERY}", "callbacks.evaluator.every_n_steps=4",
    "callbacks.evaluator.samples=100", "threads=1", "resume=auto",
)  # fmt: skip


class Operations:
    """Counts the file operations that change a folder, writes them down, and dies at one of them.

    Args:
        folder: what is watched.
        trace: file for a line per operation.
        deadly: number of the operation before which the process is killed; 0 for none.
    """

    def __init__(self, folder: Path, trace: Path, deadly: int) -> None:
        self.folder, self.deadly, self.count = str(folder), deadly, 0
        self.trace = os.open(trace, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def watch(self) -> None:
        """Watch from now on."""
        sys.addaudithook(self.note)
        fsync = os.fsync

        def noted_fsync(fd: int) -> None:
            self.step("fsync", Path(f"/proc/self/fd/{fd}").readlink())
            fsync(fd)

        os.fsync = noted_fsync

    def note(self, event: str, args: tuple) -> None:
        """Look at an audited event."""
        if event in EVENTS and not (event == "open" and not writes(*args)):
            self.step(event, args[1] if event == "os.rename" else args[0])

    def step(self, event: str, path: object) -> None:
        """Count an operation on the folder, or die before it."""
        if not str(path).startswith(self.folder):
            return
        self.count += 1
        os.write(self.trace, f"{event} {str(path).removeprefix(self.folder)}\n".encode())
        if self.count == self.deadly:
            os.kill(os.getpid(), signal.SIGKILL)


def writes(path: object, mode: str | None, flags: int) -> bool:
    """Whether an opened file is opened for writing."""
    return isinstance(path, str) and bool(flags & (os.O_WRONLY | os.O_RDWR))


def start(run_dir: Path, settings: list[str], before: Callable[[], None] = lambda: None) -> int:
    """Fork a training, in a process group of its own; its process id."""
    child = os.fork()
    if child:
        return child
    os.setsid()
    output = os.open(f"{run_dir}.out", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(output, 1)
    os.dup2(output, 2)
    sys.argv = ["train.py", *SETTINGS, f"run_dir={run_dir}", *settings]
    code = 1
    try:
        before()
        runpy.run_path(str(ROOT / "train.py"), run_name="__main__")
        code = 0
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else 1
        print(stop)
    finally:
        sys.stdout.flush()
        os._exit(code)


def ended(child: int) -> int:
    """Wait for a training; its exit status, or minus the signal that killed it."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def same(ours: object, theirs: object) -> bool:
    """Whether two values of a checkpoint are equal to the bit, at any depth."""
    if isinstance(theirs, torch.Tensor):
        return isinstance(ours, torch.Tensor) and torch.equal(ours, theirs)
    if isinstance(theirs, dict):
        return isinstance(ours, dict) and ours.keys() == theirs.keys() and all(
            same(ours[key], value) for key, value in theirs.items()
        )  # fmt: skip
    if isinstance(theirs, list):
        return isinstance(ours, list) and len(ours) == len(theirs) and all(map(same, ours, theirs))
    return ours == theirs


def compare(run_dir: Path, whole: Path) -> str | None:
    """How a finished run differs from the uninterrupted one."""
    if read_run(run_dir).get("state") != "finished":
        return f"state {read_run(run_dir).get('state')!r}"
    for name in ("last.ckpt", "best.ckpt"):
        ours, theirs = (read_checkpoint(d / "checkpoints" / name) for d in (run_dir, whole))
        if ours["global_step"] != theirs["global_step"]:
            return f"{name} is of step {ours['global_step']}, not {theirs['global_step']}"
        for key in ("state_dict", "optimizer_states", "lr_schedulers"):
            if not same(ours[key], theirs[key]):
                return f"{name} has another {key}"
    same_log = (run_dir / "metrics.csv").read_bytes() == (whole / "metrics.csv").read_bytes()
    return None if same_log else "metrics.csv differs"


def go_on(run_dir: Path, whole: Path, settings: list[str]) -> str | None:
    """Let a run go on to its end and compare it; what went wrong."""
    code = ended(start(run_dir, settings))
    return f"went on with status {code}, see {run_dir}.out" if code else compare(run_dir, whole)


def at_operation(
    number: int, lines: list[str], run_dir: Path, whole: Path, settings: list[str]
) -> str | None:
    """Kill a training before one of its file operations."""
    operations = Operations(run_dir, Path(f"{run_dir}.trace"), number)
    code = ended(start(run_dir, settings, operations.watch))
    if code != -signal.SIGKILL:
        return f"ended with {code} before operation {number}"
    saves = sum(line == "os.rename /checkpoints/last.ckpt" for line in lines[: number - 1])
    left, _ = read_all(sorted((run_dir / "checkpoints").glob("*.ckpt")))
    if max((one.step for one in left), default=0) < saves * SAVED_EVERY:
        return f"no checkpoint of step {saves * SAVED_EVERY} is left"
    return go_on(run_dir, whole, settings)


def at_moment(seconds: float, run_dir: Path, whole: Path, settings: list[str]) -> str | None:
    """Kill a training some time after its first row, in whichever stage it then is."""
    child = start(run_dir, settings)
    wait_for_rows(run_dir, 1)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    ended(child)
    return go_on(run_dir, whole, settings)


def at_signal(number: signal.Signals, run_dir: Path, whole: Path, settings: list[str]) -> str | None:
    """Send a signal to a training and its loader processes."""
    child = start(run_dir, settings)
    wait_for_rows(run_dir, 1)
    os.killpg(child, number)
    code = ended(child)
    saved = max(run_dir.rglob("checkpoints/last.ckpt"), key=lambda path: path.stat().st_mtime_ns)
    info, step = read_run(saved.parents[1]), read_checkpoint(saved)["global_step"]
    if code != 128 + number or info["state"] != f"interrupted by {number.name} at step {step}":
        return f"status {code}, state {info['state']!r}, last.ckpt of step {step}"
    if "resume=auto" not in Path(f"{run_dir}.out").read_text(encoding="utf-8"):
        return "it did not say how to go on"
    return go_on(run_dir, whole, settings)


def wait_for_rows(run_dir: Path, rows: int) -> None:
    """Wait until a training has logged."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and not any(
        log.read_bytes().count(b"\n") > rows for log in run_dir.rglob("metrics.csv")
    ):
        time.sleep(0.01)


def trials(options: argparse.Namespace, out: Path) -> int:
    """Run all trials; how many went wrong."""
    rng, wrong = random.Random(options.seed), 0  # noqa: S311
    shared = (f"experiment={options.experiment}", f"data.root={options.root}")
    alone, helped = ([*shared, f"data.workers={n}"] for n in (0, 1))
    whole, trace = out / "whole", out / "whole.trace"
    child = start(whole, alone, Operations(whole, trace, 0).watch)
    wait_for_rows(whole, 1)
    began = time.monotonic()
    if code := ended(child):
        raise SystemExit(f"the uninterrupted run ended with status {code}, see {whole}.out")
    lines, lasted = trace.read_text(encoding="utf-8").splitlines(), time.monotonic() - began
    numbers = range(1, len(lines) + 1)
    chosen = (
        sorted(rng.sample(numbers, min(options.operations, len(lines)))) if options.operations else numbers
    )
    todo = [
        *((f"operation {n}: {lines[n - 1]}", at_operation, (n, lines), alone) for n in chosen),
        *((f"moment {n}", at_moment, (rng.uniform(0, lasted),), helped) for n in range(options.moments)),
        *((name, at_signal, (signal.Signals[name],), helped) for name in options.signals),
    ]
    for name, trial, args, settings in todo:
        run_dir = out / name.partition(":")[0].replace(" ", "_")
        problem = trial(*args, run_dir, whole, settings)
        print(f"{name}: {problem or 'equal'}", flush=True)
        wrong += problem is not None
        if problem is None:
            shutil.rmtree(run_dir)
    print(f"{len(todo)} trials, {wrong} went wrong; the run has {len(lines)} file operations")
    return wrong


def main() -> None:
    """Read the command line and run the trials."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--root", type=Path, required=True, help="dataset root for the experiment")
    parser.add_argument("--experiment", default="khor/smoke", help="what is trained (default: khor/smoke)")
    parser.add_argument("--operations", type=int, default=0, help="how many file operations; 0 for all")
    parser.add_argument("--moments", type=int, default=20, help="kills at random moments")
    parser.add_argument("--signals", nargs="*", default=["SIGTERM", "SIGINT", "SIGUSR1"])
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    options.root = options.root.resolve()
    torch.set_num_threads(1)  # no thread that a fork would lack
    load_bodies(), load_templates()
    out = Path(tempfile.mkdtemp(prefix="kills_"))
    if trials(options, out):
        raise SystemExit(f"see {out}")
    shutil.rmtree(out)


if __name__ == "__main__":
    main()
