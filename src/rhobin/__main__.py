"""`python -m rhobin COMMAND`, or `rhobin COMMAND`: one line per command, imported only when asked for."""

import argparse
import importlib
import sys
from typing import TextIO

import rhobin
from rhobin.engine.streams import print_anything

COMMANDS = {
    "doctor": "what is installed, which body model and data are found, and how to fix the rest",
    "experiments": "list what can be trained: row of the paper, state, data, hardware",
    "convert": "turn SMPL, SMPL-H or SMPL-X parameters, or vertices, into parameters of SMPL or SMPL-H",
    "convert-body": "write a licensed SMPL, SMPL-H or SMPL-X file as a checked .npz without pickles",
    "synth": "write synthetic scenes in the raw BEHAVE layout",
    "synth-objects": "render objects alone in random poses, for pre-training",
    "object": "make an object of a mesh: template, keypoints, regions, symmetry, and a picture of them",
    "relayout": "write a BEHAVE root by the rules of another release",
    "prepare": "check a dataset and store its crops for fast training",
    "plan": "what a training takes, before it starts: memory, batch sizes, hours, disk, what is missing",
    "preview": "draw training samples with their augmentation and targets",
    "templates": "check a root's object templates and write their keypoints",
    "detections": "check the OpenPose and FrankMocap files of a root",
    "distortion": "show by how much the cameras' lenses miss a pinhole",
    "sweep": "search settings by Optuna: resumable, pruned, shared by any number of processes",
    "score": "score predictions as the challenge's server does",
    "submit": "write a run's predictions as a submission and check it",
    "launch": "run a command as jobs, on this machine or by SLURM, requeued on preemption",
    "reproduce": "train and score what a table of the report needs, and print it beside the quoted rows",
    "runs": "list runs: state, step, scores, time left",
    "diff": "say in what two runs differ: config, environment, curves, scores by frame",
    "compare": "say how far a run's scores, and its lead over another's, depend on the test sequences",
    "ensemble": "stack what several runs predict of people: weights, gain, bodies",
    "predict": "find person and object in photographs and videos: parameters, meshes, pictures",
    "export": "write what people share of a run: weights, config, model card; predict takes it like the run",
    "tables": "print the paper's tables with our measured rows",
    "report": "write the page of a scored run again",
}

LAUNCH = "launch"
"""The command that takes another one after `--`, whose options are not its own."""

INTERRUPTED = 130  # 128 + SIGINT, as shells expect


def main(argv: list[str] | None = None) -> int:
    """Run one command; returns its exit status."""
    print_anything()
    argv = sys.argv[1:] if argv is None else argv
    if argv[:1] == ["--version"]:
        return _say(f"rhobin {rhobin.__version__}", sys.stdout, 0)
    if not argv or argv[0] not in COMMANDS:
        return _overview(argv)
    command = importlib.import_module(f"rhobin.cli.{argv[0].replace('-', '_')}")
    parser = argparse.ArgumentParser(prog=f"rhobin {argv[0]}", description=COMMANDS[argv[0]])
    command.configure(parser)
    try:
        options, words = _split(argv[1:]) if argv[0] == LAUNCH else (argv[1:], [])
        args = parser.parse_intermixed_args(options)
        return command.run(args, words) if argv[0] == LAUNCH else command.run(args)
    except KeyboardInterrupt:
        return _say(f"rhobin {argv[0]}: stopped by you", sys.stderr, INTERRUPTED)


def _split(argv: list[str]) -> tuple[list[str], list[str]]:
    """What stands before the first `--`, and what after it."""
    place = argv.index("--") if "--" in argv else len(argv)
    return argv[:place], argv[place + 1 :]


def _overview(argv: list[str]) -> int:
    lines = [f"  {name:<13} {summary}" for name, summary in COMMANDS.items()]
    last = "rhobin COMMAND --help says more; rhobin --version says which one this is."
    text = "\n".join(["usage: rhobin COMMAND [options]", "", *lines, "", last])
    if not argv or argv[0] in {"-h", "--help", "help"}:
        return _say(text, sys.stdout, 0)
    return _say(f"rhobin: there is no command '{argv[0]}'.\n\n{text}", sys.stderr, 2)


def _say(text: str, stream: TextIO, status: int) -> int:
    print(text, file=stream)
    return status


if __name__ == "__main__":
    sys.exit(main())
