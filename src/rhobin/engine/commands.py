"""What the system is asked to run for a command of this project."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from rhobin.engine.experiments import config_folder


def words_of(command: Sequence[str]) -> tuple[list[str], Path]:
    """What the system is asked to run for a step's command, and the checkout's folder.

    Raises:
        FileNotFoundError: there is no folder with configs.
    """
    folder = config_folder().parent
    script = command[0].endswith(".py")
    words = [str(folder / command[0]), *command[1:]] if script else ["-m", *command]
    return [sys.executable, *words], folder
