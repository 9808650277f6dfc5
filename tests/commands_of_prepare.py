"""`rhobin prepare` as one call."""

import argparse

from rhobin.cli import prepare as command


def cli(*arguments):
    """Exit status of the command with these arguments."""
    parser = argparse.ArgumentParser()
    command.configure(parser)
    return command.run(parser.parse_args([str(argument) for argument in arguments]))
