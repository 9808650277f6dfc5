"""Commands as they are typed, each in a process of its own that is forked from one with everything imported.

The imports take ten times what a small command does. The process that is forked is a fresh Python which has
computed nothing, so a command finds what it would find in one of its own.
"""

from __future__ import annotations

import multiprocessing
import os
import runpy
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
TIMEOUT = 1800.0  # seconds; a busy machine is slow
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(
    [
        "rhobin.engine.held_out",
        "rhobin.methods.khor.module",
        "rhobin.methods.g2dr.module",
        "rhobin.methods.phosa.module",
        "rhobin.cli.synth",
    ]
)


@dataclass(frozen=True)
class Done:
    """How a command ended: status, or minus the signal that killed it, and what it said."""

    returncode: int
    stdout: str
    stderr: str


def start(*command: str, output: Path, path: tuple[str, ...] = ()) -> multiprocessing.Process:
    """Start a command in the repository and a process group of its own.

    Args:
        command: a script's name, or `-m` and a module's, then the arguments.
        output: folder for what it says, as `stdout` and `stderr`.
        path: what PYTHONPATH names for it.
    """
    process = FORKS.Process(target=_run, args=(command, output, path))
    process.start()
    return process


def call(*command: str, path: tuple[str, ...] = ()) -> Done:
    """Run a command to its end; arguments as for `start`."""
    with tempfile.TemporaryDirectory() as folder:
        process = start(*command, output=Path(folder), path=path)
        process.join(TIMEOUT)
        process.kill()
        process.join()
        said = ((Path(folder) / name).read_text() for name in ("stdout", "stderr"))
        return Done(process.exitcode, *said)


def succeed(*command: str, path: tuple[str, ...] = ()) -> str:
    """Run a command that has to succeed; what it said."""
    done = call(*command, path=path)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def _run(command: tuple[str, ...], output: Path, path: tuple[str, ...]) -> None:
    for number, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(os.open(output / name, os.O_WRONLY | os.O_CREAT | os.O_APPEND), number)
    os.setsid()
    os.chdir(ROOT)
    sys.path[:0] = path
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (*path, os.environ.get("PYTHONPATH"))))
    module = command[0] == "-m"
    sys.argv = list(command[module:])
    if module:
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    else:
        runpy.run_path(sys.argv[0], run_name="__main__")
