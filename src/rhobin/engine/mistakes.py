"""A person's mistake is told in a line or two; everything else keeps its traceback."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path

from hydra.errors import InstantiationException
from omegaconf.errors import MissingMandatoryValue, OmegaConfBaseException
from pytorch_lightning.utilities import rank_zero_only
from pytorch_lightning.utilities.exceptions import MisconfigurationException

from rhobin.engine.experiments import config_folder, experiments

EXAMPLES = {"run": "run=runs/demo", "name": "experiment=khor/synthetic"}
FULL = "HYDRA_FULL_ERROR"
INTERRUPTED = 130  # 128 + SIGINT, as shells expect
USAGE = """python train.py experiment=NAME [KEY=VALUE ...]

rhobin experiments lists the names, configs/train.yaml and what it names all keys.
python train.py experiment=NAME --help shows them with their values."""


@contextmanager
def told() -> Iterator[None]:
    """End the program with a line for an error that is meant for a person; `HYDRA_FULL_ERROR=1` raises it."""
    try:
        yield
    except (
        *(OSError, ValueError, RuntimeError),
        *(OmegaConfBaseException, InstantiationException, MisconfigurationException),
    ) as error:
        if os.environ.get(FULL) == "1":
            raise
        sys.exit(f"error: {said(error)}\n({FULL}=1 shows the traceback)")
    except KeyboardInterrupt:
        sys.stderr.write("stopped by you\n")
        sys.exit(INTERRUPTED)


def said(error: Exception) -> str:
    """What to tell of an error."""
    if isinstance(error, MissingMandatoryValue):
        key = str(error.full_key)
        return f"{key} is not set; give it on the command line, such as {EXAMPLES.get(key, f'{key}=VALUE')}"
    if isinstance(error, InstantiationException):
        place = re.search(r"full_key: (\S+)", str(error))
        return f"{error.__cause__ or error}" + (f" (in {place[1]})" if place else "")
    return str(error)


def check_experiment(arguments: Sequence[str]) -> None:
    """End the program where the command line names no experiment that is there, or only asks for help.

    Args:
        arguments: of train.py.
    """
    given = {key: value for key, equals, value in (a.partition("=") for a in arguments) if equals}
    if {"-h", "--help"} & set(arguments) and "experiment" not in given:
        sys.stdout.write(f"{USAGE}\n")
        sys.exit()
    searched = any(a.startswith(("--", "-c", "hydra.")) for a in arguments)
    if searched or {"model", "data"} & {key.partition("@")[0] for key in given}:
        return
    names, name = [one.name for one in experiments(config_folder())], given.get("experiment")
    if name is None:
        sys.exit(
            "error: no experiment is named; such as experiment=khor/synthetic. rhobin experiments lists all"
        )
    if name.startswith(("[", "'", '"')):  # Hydra's lists
        return
    wrong = next((one for one in name.split(",") if one not in names), None)  # of a sweep's
    if wrong is None:
        return
    sys.exit(f"error: {no_experiment(wrong, names)}")


def no_experiment(name: str, names: Sequence[str]) -> str:
    """What to tell of an experiment that is not among those that are there."""
    near = get_close_matches(name, names, 1, cutoff=0.0)[0]
    return f"there is no experiment={name}; did you mean {near}? rhobin experiments lists all"


@contextmanager
def nothing_left(run_dir: Path) -> Iterator[None]:
    """Remove a run folder that was made here where an error comes before anything was logged or saved."""
    there = run_dir.exists()
    try:
        yield
    except Exception:
        kept = [*run_dir.rglob("*.ckpt"), *run_dir.rglob("bad_batch_*"), *run_dir.rglob("metrics.csv")]
        if not there and not kept and getattr(rank_zero_only, "rank", 0) == 0:
            shutil.rmtree(run_dir, ignore_errors=True)
        raise
