"""Each job of a multirun has a folder of its own, and ends alone: `-m optim.optimizer.lr=1e-3,3e-4`."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from rhobin.engine.mistakes import told

failed: list[str] = []
"""Jobs of this multirun that a mistake has ended."""


@contextmanager
def told_job() -> Iterator[None]:
    """As `told`; in a multirun the next job begins after a mistake, though not after a signal."""
    try:
        with told():
            yield
    except SystemExit as end:
        job = HydraConfig.get()
        if job.mode != RunMode.MULTIRUN or not isinstance(end.code, str):
            raise
        failed.append(" ".join(job.overrides.task))
        sys.stderr.write(f"{end.code}\n")


def end_with_failures() -> None:
    """End the program with an error where jobs have failed, naming them."""
    if failed:
        sys.exit(f"error: {len(failed)} of the jobs failed, all others have ended:\n  " + "\n  ".join(failed))


def in_own_folder(config: DictConfig, typed: Sequence[str]) -> DictConfig:
    """The config of this job, its `run_dir` changed where another job of the sweep would have the same.

    Args:
        config: composed configuration, see configs/train.yaml.
        typed: the command line's arguments.
    """
    job = HydraConfig.get()
    if job.mode == RunMode.MULTIRUN:
        swept = {*swept_keys(typed), *(job.sweeper.get("params") or {})}
        plain = OmegaConf.to_container(config, resolve=False)
        name = job_name(plain["run_dir"], job.overrides.task, swept)  # type: ignore[call-overload,index]
        config.run_dir = str(Path(config.run_dir) / name)
    return config


def swept_keys(typed: Sequence[str]) -> set[str]:
    """Keys that the command line gives several values."""
    given = [argument for argument in typed if "=" in argument and not argument.startswith("-")]
    parsed = OverridesParser.create().parse_overrides(given)
    return {override.get_key_element() for override in parsed if override.is_sweep_override()}


def job_name(run_dir: str, overrides: Sequence[str], swept: Collection[str]) -> str:
    """What tells a job from the others of its sweep, such as `optim.optimizer.lr=0.001`.

    Args:
        run_dir: folder as configured, with its interpolations.
        overrides: of this job.
        swept: keys that differ between jobs.

    Returns:
        The name of a folder; empty where `run_dir` itself tells the jobs apart.
    """
    told = {key for key in swept if f"${{{key}}}" in run_dir} | {"run_dir"}
    if "${name}" in run_dir and not any(override.startswith("name=") for override in overrides):
        told.add("experiment")  # which sets the name
    parts = [o for o in overrides if o.partition("=")[0] in set(swept) - told]
    return ",".join(part.replace("/", "_").lstrip("+") for part in parts)
