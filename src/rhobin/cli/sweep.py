"""`rhobin sweep sweep=NAME [sweep.KEY=VALUE ...] [KEY=VALUE ...]`: search settings by Optuna."""

from __future__ import annotations

import argparse
import sys
from importlib.util import find_spec


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "overrides",
        nargs="+",
        metavar="OVERRIDE",
        help="sweep=khor_lr, a file of configs/sweep; sweep.trials=8 and the like for the search; "
        "everything else as for train.py, for every trial. The same command goes on after an interruption; "
        "started several times, on any machine that shares the folder, it works on one study",
    )


def run(args: argparse.Namespace) -> int:
    """Work on the study until nothing is left to begin; returns the exit status."""
    if find_spec("optuna") is None:
        print(
            'error: rhobin sweep needs Optuna, which is not installed: python -m pip install -e ".[sweep]"',
            file=sys.stderr,
        )
        return 1
    from rhobin.engine.mistakes import told
    from rhobin.engine.search.run import sweep

    with told():
        sweep(args.overrides)
    return 0
