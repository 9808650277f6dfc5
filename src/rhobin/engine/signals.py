"""Signals that ask a training to end: the step ends, the state is saved, the exit status is not 0."""

from __future__ import annotations

import os
import shlex
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import pytorch_lightning as pl
from lightning_fabric.plugins.environments import SLURMEnvironment, TorchElasticEnvironment

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)


class Interrupted(SystemExit):
    """A signal ended the training; the process exits with 128 + the signal's number, as shells expect.

    Args:
        number: the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(128 + number)
        self.name = signal.Signals(number).name


class StopRequest:
    """Notes the first signal while steps are taken, else raises it; a second SIGINT is raised at once.

    Attributes:
        number: the signal that came; None before.
        stepping: whether there are steps that can be ended in order.
    """

    def __init__(self) -> None:
        self.number: int | None = None
        self.stepping = False
        self.owner = os.getpid()

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal; a forked process does what it would have done without us."""
        if os.getpid() != self.owner:
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
            os.kill(os.getpid(), number)
            return
        again = self.number is not None and number == signal.SIGINT
        self.number = number
        if again or not self.stepping:
            raise Interrupted(number)

    def agreed(self, trainer: pl.Trainer) -> bool:
        """Whether any process of the training was asked to stop; all must call this, and then stop."""
        stop = trainer.strategy.reduce_boolean_decision(self.number is not None, all=False)
        if stop and self.number is None:
            self.number = signal.SIGTERM
        return stop

    def obey(self) -> None:
        """Stop here if a signal came.

        Raises:
            Interrupted: one did.
        """
        if self.number is not None:
            raise Interrupted(self.number)


class Steps(pl.Callback):
    """Tells the request when steps are taken.

    Args:
        request: notes signals during steps.
    """

    def __init__(self, request: StopRequest) -> None:
        self.request = request

    def on_train_start(self, *args: Any) -> None:
        """Note signals from now on; Lightning's own answer to SIGTERM would end a run unsaved."""
        self.request.stepping = True
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, self.request)

    def on_train_end(self, *args: Any) -> None:
        """No more steps."""
        self.request.stepping = False

    def on_exception(self, *args: Any) -> None:
        """No more steps."""
        self.request.stepping = False


@contextmanager
def stop_requests() -> Iterator[StopRequest]:
    """Listen to the signals, in the main thread only; what handled them before does so again afterwards."""
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return
    before = {number: signal.signal(number, request) for number in SIGNALS}
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def command_to_go_on() -> str:
    """The command line of this process: of a training with resume=auto; a sweep goes on by itself."""
    if sys.argv[1:2] == ["sweep"]:
        return shlex.join(["rhobin", *sys.argv[1:]])
    args = [arg for arg in sys.argv if not arg.startswith("resume=")]
    return shlex.join(["python", *args, "resume=auto"])


def cluster_plugins() -> list[SLURMEnvironment]:
    """Under SLURM, its environment without Lightning's handler, which saves a state of its own."""
    if TorchElasticEnvironment.detect() or not SLURMEnvironment.detect():
        return []
    return [SLURMEnvironment(auto_requeue=False)]
