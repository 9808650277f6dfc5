"""A run's stages: what each changes in the config, where it lives, and what it starts from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from rhobin.engine.checkpoint import BEST, LAST


@dataclass(frozen=True)
class Stage:
    """One training of a run.

    Attributes:
        name: its name; empty for a run without stages.
        number: its place, from 1.
        count: stages of the run.
        config: the run's config with what the stage changes.
        run_dir: where it is written: `stages/NUMBER_NAME` of the run folder; the last stage in the folder
            itself, which then looks like that of a run without stages.
        weights: checkpoint whose weights it starts from; None for its own.
    """

    name: str
    number: int
    count: int
    config: DictConfig
    run_dir: Path
    weights: Path | None = None


def stages_of(config: DictConfig) -> list[Stage]:
    """The stages that a config describes, in order.

    `stages` maps the name of each stage to what it changes. A later one starts from the last checkpoint of
    the one before; a stage's `init_from: best` takes its best one, and a path any other. The run's own
    `init_from` is for the first stage.

    Raises:
        ValueError: a stage sets a key that the config does not have, or its own folder.
    """
    run_dir = Path(config.run_dir)
    if not config.stages:
        return [Stage("", 1, 1, config, run_dir, config.init_from and Path(config.init_from))]
    found: list[Stage] = []
    for number, (name, changes) in enumerate(config.stages.items(), start=1):
        last = number == len(config.stages)
        folder = run_dir if last else run_dir / "stages" / f"{number}_{name}"
        given = config if not found else OmegaConf.merge(config, {"init_from": None})
        staged = overlaid(DictConfig(given), str(name), changes, folder, keep_stages=last)
        weights = _weights(staged.init_from, found[-1].run_dir if found else None)
        found.append(Stage(str(name), number, len(config.stages), staged, folder, weights))
    return found


def overlaid(
    config: DictConfig, name: str, changes: DictConfig, folder: Path, keep_stages: bool
) -> DictConfig:
    """The config with a stage's changes.

    Args:
        config: of the run.
        name: of the stage.
        changes: keys that are in the config, with the stage's values.
        folder: where the stage is written.
        keep_stages: keep the description of all stages, which belongs to the identity of the last.

    Raises:
        ValueError: a key is not in the config, or may not change.
    """
    fixed = {"run_dir", "name", "stages", "resume", "seed"} & set(changes or {})
    if fixed:
        raise ValueError(f"stages.{name} sets {sorted(fixed)}, which all stages of a run share")
    base = OmegaConf.create(OmegaConf.to_container(config))
    base.run_dir = str(folder)
    if not keep_stages:
        base.stages = {}
    OmegaConf.set_struct(base, True)
    try:
        staged = OmegaConf.merge(base, changes or {})
    except OmegaConfBaseException as error:
        raise ValueError(f"stages.{name}: {error}") from error
    return DictConfig(staged)


def _weights(init_from: str | None, before: Path | None) -> Path | None:
    if before is None or init_from not in (None, "last", "best"):
        return init_from and Path(init_from)  # type: ignore[return-value]
    return before / "checkpoints" / (BEST if init_from == "best" else LAST)
