"""`rhobin experiments`: what can be trained, in what state it is, and what it needs."""

import argparse
import sys


def configure(parser: argparse.ArgumentParser) -> None:
    """There are no options."""


def run(args: argparse.Namespace) -> int:
    """Print one row for each file under configs/experiment; returns 1 outside a checkout."""
    from rich.table import Table

    from rhobin.engine.experiments import FACTS, config_folder, experiments
    from rhobin.terminal import plain_console

    try:
        found = experiments(config_folder())
    except OSError as error:
        print(f"rhobin experiments: {error}", file=sys.stderr)
        return 1
    table = Table(show_lines=True)
    for head in ("experiment", *FACTS):
        table.add_column(head, overflow="fold")
    for experiment in found:
        table.add_row(experiment.name, *(experiment.facts.get(key, "-") for key in FACTS))
    console = plain_console()
    console.print(table)
    console.print("Train one: python train.py experiment=NAME")
    return 0
