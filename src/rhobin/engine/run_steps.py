"""Run the steps of a plan, one after the other, each in a process of its own."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable, Sequence
from types import FrameType

from rich.console import Console

from rhobin.engine.commands import words_of
from rhobin.engine.reproduce import Step

Runner = Callable[[Sequence[str]], int]


class StepError(RuntimeError):
    """A step did not succeed."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


def run_steps(steps: Sequence[Step], console: Console, runner: Runner | None = None) -> None:
    """Run all steps; those that are done already find that out themselves.

    Args:
        steps: of a plan.
        console: says which step it is.
        runner: runs a command and returns its exit status; by default `run_command`.

    Raises:
        StepError: a step failed or was stopped, with its exit status.
    """
    for number, step in enumerate(steps, start=1):
        console.print(f"step {number} of {len(steps)}, {step.about}: {step}", style="bold", soft_wrap=True)
        status = (runner or run_command)(step.command)
        if status:
            raise StepError(
                f"step {number} of {len(steps)} ended with status {status}; give the same command to go on",
                status,
            )


def run_command(command: Sequence[str]) -> int:
    """Run a step's command in the checkout's folder; a signal to us is passed on to it and it ends first.

    Args:
        command: see `Step`.

    Returns:
        Its exit status: 128 + the number of the signal that ended it.
    """
    words, _ = words_of(command)
    with subprocess.Popen(words) as process:

        def pass_on(number: int, frame: FrameType | None) -> None:
            process.send_signal(number)

        handlers = {number: signal.signal(number, pass_on) for number in (signal.SIGTERM, signal.SIGUSR1)}
        handlers[signal.SIGINT] = signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal tells both
        try:
            status = process.wait()
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
    return 128 - status if status < 0 else status
