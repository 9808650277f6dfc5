"""Run a command of `rhobin` in a fork of this process, which has imported what the commands import."""

from __future__ import annotations

import contextlib
import importlib
import os
import resource
import runpy
import signal
import sys
import time
import traceback
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SECONDS, BYTES = 30.0, 4 << 30
METHODS = ("rhobin.engine.held_out", "rhobin.methods.khor.module", "rhobin.methods.bev_hybrik.module")
COMMANDS = "compare convert detections object predict prepare score submit synth tables"


def import_commands() -> None:
    """Import, once for all forks, what the commands spend their first seconds on."""
    for module in (*METHODS, *(f"rhobin.cli.{name}" for name in COMMANDS.split())):
        importlib.import_module(module)


def fork(command: list[str], place: Path, seconds: float = SECONDS) -> tuple[int | None, str]:
    """Run a command in a folder, which gets its output as a file `said`; status, "hang" or "memory"."""
    child = os.fork()
    if not child:
        _be(command, place)
    deadline, done = time.monotonic() + seconds, 0
    while not done and time.monotonic() < deadline:
        time.sleep(0.01)
        done, status, used = os.wait4(child, os.WNOHANG)
    if not done:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)
        os.waitpid(child, 0)
        return None, "hang"
    return os.waitstatus_to_exitcode(status), "memory" if used.ru_maxrss * 1024 > BYTES else ""


def _be(command: list[str], place: Path) -> None:
    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(place)
    resource.setrlimit(resource.RLIMIT_DATA, (3 * BYTES, 3 * BYTES))  # the machine itself must not suffer
    output = os.open("said", os.O_WRONLY | os.O_CREAT)
    os.dup2(output, 1)
    os.dup2(output, 2)
    script = command[0].endswith(".py")
    sys.argv = command if script else ["rhobin", *command]
    status = 1
    try:
        path = command[0] if script else "src/rhobin/__main__.py"
        runpy.run_path(str(ROOT / path), run_name="__main__")
        status = 0
    except SystemExit as stop:
        status = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
        if isinstance(stop.code, str):
            print(stop.code)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
