"""Commands as jobs: on this machine or by SLURM, through submitit, which also requeues them on preemption."""

from __future__ import annotations

import contextlib
import itertools
import os
import shlex
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from omegaconf.errors import OmegaConfBaseException

from rhobin.engine.commands import words_of
from rhobin.engine.compose import compose_config
from rhobin.engine.overrides import with_quotes

INSTALL = 'submitit is not installed; run: python -m pip install -e ".[slurm]"'
STOPPED = {128 + number for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)}
"""How a training exits that saved its state because of a signal."""

GRACE = 60.0
"""Seconds that a job whose command was stopped waits for the signal by which submitit requeues it."""


class JobError(RuntimeError):
    """A job's command did not succeed."""


class CommandJob:
    """What submitit calls in a job, and asks to end in order when the machine is taken back.

    Args:
        command: a script of the checkout, or `rhobin` and a command's name, then the arguments.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self.command = tuple(command)
        self.process: subprocess.Popen[bytes] | None = None

    def __call__(self) -> str:
        """Run the command; the command line where it succeeds.

        Raises:
            JobError: it did not, with its exit status.
        """
        words, folder = words_of(self.command)
        self.process = subprocess.Popen(words, cwd=folder)
        wait_for(self.process.pid)
        status = self.process.wait()
        status = 128 - status if status < 0 else status
        if status in STOPPED:
            time.sleep(GRACE)
        if status:
            raise JobError(f"{shlex.join(self.command)} ended with status {status}")
        return shlex.join(self.command)

    def checkpoint(self) -> Any:
        """Stop the command, which saves its state, and hand over the job that goes on from there."""
        from submitit.helpers import DelayedSubmission

        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            wait_for(self.process.pid)
        return DelayedSubmission(CommandJob(self.command))


def wait_for(pid: int) -> None:
    """Wait for the end of a child process; a signal's handler may do so, too, unlike with `Popen.wait`."""
    with contextlib.suppress(ChildProcessError):
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)


def jobs_of(command: Sequence[str], jobs: int = 1, each: Sequence[str] = ()) -> list[CommandJob]:
    """The jobs of a command.

    Args:
        command: see `CommandJob`; `{i}` and `{n}` in it are a job's number, from 1, and how many there are. A
            training gets resume=auto, so that a requeued job goes on.
        jobs: how many.
        each: `KEY=A,B,C`: one job for each value, and for each combination where there are several.

    Raises:
        ValueError: there is no command, it is none that can be launched, or a KEY has no values.
    """
    if not command or not (command[0] in ("train.py", "eval.py") or command[0] == "rhobin"):
        given = shlex.join(command) or "nothing"
        raise ValueError(f"expected a command that begins with train.py, eval.py or rhobin, found {given}")
    if command[0] == "train.py":
        command = [*(word for word in command if not word.startswith("resume=")), "resume=auto"]
    split = [word.partition("=") for word in each]
    wrong = next((key for key, _, values in split if not values), None)
    if wrong is not None:
        raise ValueError(f"--each {wrong}: expected KEY=VALUE,VALUE,...")
    choices = itertools.product(*([f"{key}={value}" for value in v.split(",")] for key, _, v in split))
    commands = [[*command, *chosen] for chosen in choices for _ in range(jobs)]
    count = len(commands)
    numbered = (
        [word.replace("{i}", str(i)).replace("{n}", str(count)) for word in words]
        for i, words in enumerate(commands, 1)
    )
    return [CommandJob(words) for words in numbered]


def check_folders(jobs: Sequence[CommandJob]) -> None:
    """Refuse trainings that cannot be composed, or that would train in one run folder.

    A training with options of Hydra, such as -m or --config-dir, is left to Hydra.

    Raises:
        ValueError: saying which jobs and which folder.
    """
    taken: dict[str, int] = {}
    for number, job in enumerate(jobs, 1):
        script, *overrides = job.command
        if script != "train.py" or any(word.startswith("-") for word in overrides):
            continue
        folder = run_folder(overrides)
        if folder in taken:
            raise ValueError(
                f"jobs {taken[folder]} and {number} would both train in {folder}, expected a run folder for "
                "each: name in it what differs, such as 'run_dir=runs/${name}_${seed}'"
            )
        taken[folder] = number


def run_folder(overrides: Sequence[str]) -> str:
    """The run folder that train.py would train in.

    Raises:
        ValueError: the overrides cannot be composed.
    """
    try:
        return str(compose_config(with_quotes(overrides)).run_dir)
    except (ValueError, OmegaConfBaseException) as error:
        raise ValueError(f"train.py {shlex.join(overrides)}: {error}") from error


def submit(jobs: Sequence[CommandJob], cluster: str, folder: Path, settings: dict[str, Any]) -> list[Any]:
    """Submit jobs.

    Args:
        jobs: of `jobs_of`.
        cluster: "local" or "slurm".
        folder: for submitit's files and what the jobs say.
        settings: submitit's parameters, such as timeout_min, gpus_per_node, slurm_partition.

    Returns:
        Jobs of submitit.

    Raises:
        RuntimeError: submitit or SLURM is not there.
        ValueError: submitit does not know a setting.
    """
    try:
        import submitit
    except ImportError as error:
        raise RuntimeError(INSTALL) from error
    executor = submitit.AutoExecutor(folder=folder, cluster=cluster)
    try:
        executor.update_parameters(**settings)
    except (NameError, TypeError) as error:
        raise ValueError(f"submitit does not take a setting: {error}") from error
    with executor.batch():
        return [executor.submit(job) for job in jobs]


def why(error: Exception) -> str:
    """The line of submitit's report that says why a job failed: what our command said, else the last."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    ours = [line.partition(f"{JobError.__name__}: ")[2] for line in lines]
    return next((line for line in reversed(ours) if line), lines[-1] if lines else type(error).__name__)
