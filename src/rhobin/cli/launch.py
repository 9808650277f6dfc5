"""`rhobin launch -- COMMAND`: a command as one job or many, on this machine or by SLURM."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from rhobin.cli.numbers import at_least


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("--on", choices=("local", "slurm"), default="local", help="where (default: local)")
    parser.add_argument(
        "--jobs",
        type=at_least(1),
        default=1,
        help="how many jobs (default: 1); in COMMAND, {i} is a job's number, from 1, and {n} their count",
    )
    parser.add_argument(
        "--each",
        action="append",
        default=[],
        metavar="KEY=A,B",
        help="a job for each value of a setting; can be repeated",
    )
    parser.add_argument(
        "--minutes", type=at_least(1), default=24 * 60, help="most minutes of a job (default: a day)"
    )
    parser.add_argument("--gpus", type=at_least(0), default=0, help="GPUs of a node (default: 0)")
    parser.add_argument(
        "--tasks",
        type=at_least(1),
        default=1,
        help="processes of a node, as many as trainer.devices (default: 1)",
    )
    parser.add_argument("--nodes", type=at_least(1), default=1, help="machines of a job (default: 1)")
    parser.add_argument("--cpus", type=at_least(1), default=None, help="processor cores of a process")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="a setting of submitit, such as slurm_partition=gpu; can be repeated",
    )
    parser.add_argument(
        "--folder", type=Path, default=Path("runs/jobs"), help="where jobs' output goes (default: runs/jobs)"
    )
    parser.add_argument(
        "--wait", action="store_true", help="wait for SLURM's jobs to end; local ones are always waited for"
    )
    parser.usage = "rhobin launch [options] -- COMMAND, which begins with train.py, eval.py or rhobin"


def run(args: argparse.Namespace, words: list[str]) -> int:
    """Submit `words` as jobs, and wait for local ones; returns the exit status."""
    from rhobin.engine.launch import check_folders, jobs_of, submit

    settings = {
        "timeout_min": args.minutes,
        "gpus_per_node": args.gpus,
        "tasks_per_node": args.tasks,
        "nodes": args.nodes,
        **({"cpus_per_task": args.cpus} if args.cpus else {}),
        **dict(word.partition("=")[::2] for word in args.set),
    }
    if args.on == "local" and args.nodes > 1:
        print("error: --nodes is for --on slurm; this machine is one node", file=sys.stderr)
        return 1
    try:
        jobs = jobs_of(words, args.jobs, args.each)
        check_folders(jobs)
        submitted = submit(jobs, args.on, args.folder, settings)
    except (OSError, RuntimeError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    for job, asked in zip(submitted, jobs, strict=True):
        print(f"job {job.job_id}: {' '.join(asked.command)}\n  {job.paths.stdout}", flush=True)
    return wait(submitted) if args.wait or args.on == "local" else 0


def wait(submitted: list) -> int:
    """Wait for all jobs and say which failed; returns the exit status."""
    from rhobin.engine.launch import why

    failed = 0
    for job in submitted:
        error = job.exception()
        if error is not None:
            failed += 1
            print(f"job {job.job_id} failed: {why(error)}\n  {job.paths.stderr}", file=sys.stderr)
    print(f"{len(submitted) - failed} of {len(submitted)} jobs succeeded")
    return int(failed > 0)
