"""How long a stage is: views, passes, steps, images; counted where the data are, else as documented."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from omegaconf import DictConfig

from rhobin.behave.detect import layouts_of
from rhobin.clock import Clock
from rhobin.data.prepare.prepared import is_prepared
from rhobin.engine.build import build_clock, build_datamodule
from rhobin.engine.experiments import config_folder, experiments
from rhobin.objects.names import OBJECT_NAMES
from rhobin.synthetic.plan import Size, plan_dataset

BEHAVE_VIEWS = 45_388
"""CHORE's training views: 11,347 frames of four cameras (docs/decisions/0067)."""
RENDERS = 8_000
"""Poses of each object that `rhobin synth-objects` renders where nobody says how many."""
CAMERAS = 4


@dataclass(frozen=True)
class Views:
    """Training views of a stage.

    Attributes:
        count: how many.
        counted: whether they were counted in the data.
        source: where the number is from.
    """

    count: int
    counted: bool
    source: str


@dataclass(frozen=True)
class Length:
    """How long a stage is.

    Attributes:
        views: training views.
        passes: how often each is shown.
        steps: of the optimiser.
        images: shown in all.
        images_a_step: on all devices together.
    """

    views: Views
    passes: float
    steps: int
    images: int
    images_a_step: int


def length(config: DictConfig, views: Views) -> Length:
    """Steps and images of a stage.

    Raises:
        ValueError: the views are fewer than one batch.
    """
    together = config.data.batch_size * devices(config)
    if views.count < together:
        raise ValueError(
            f"{views.count} training views ({views.source}) are fewer than one batch of {together}; lower "
            "data.batch_size"
        )
    clock: Clock = build_clock(config)
    clock.begin(views.count // together)
    whole, rest = divmod(clock.total, clock.steps_per_epoch)
    batches = whole * clock.batches_per_epoch + rest * clock.accumulate
    images = batches * together
    return Length(views, images / views.count, clock.total, images, together * clock.accumulate)


def devices(config: DictConfig) -> int:
    """Devices that share a batch's work; 1 where the config leaves the number to the machine."""
    asked, nodes = config.trainer.get("devices", 1), config.trainer.get("num_nodes", 1)
    if isinstance(asked, str):
        asked = int(asked) if asked.isdigit() and int(asked) else 1
    count = asked if isinstance(asked, int) else len(asked)
    return max(1, count) * max(1, nodes)


def views_of(config: DictConfig, told: int | None = None) -> Views:
    """Training views of a stage.

    Args:
        config: of the stage.
        told: what the user says; None where nothing is said.

    """
    if told is not None:
        return Views(told, False, "as told by --views")
    root, why = Path(config.data.root), ""
    if is_prepared(root) or layouts_of(root):
        try:
            return Views(len(build_datamodule(config).train_dataset), True, f"counted in {root}")
        except (OSError, ValueError) as error:
            why = f", since {root} cannot be read ({error})"
    count, source = documented(str(config.data.root))
    validation = config.data.validation
    share = 0.0 if validation.by == "release" else validation.fraction
    held = f", less {share:.0%} for validation" if share else ""
    return Views(round(count * (1 - share)), False, f"{source}{held}: assumed{why}")


def documented(root: str) -> tuple[int, str]:
    """Views of a root that is not here: those of the command that makes it, else BEHAVE's."""
    command = made_by(root) or ""
    size = re.search(r"--size (\S+)", command)
    if command.startswith("rhobin synth-objects"):
        return RENDERS * len(OBJECT_NAMES), f"rhobin synth-objects, {RENDERS:,} poses of each object"
    if size:
        plans = [plan for plan in plan_dataset(cast(Size, size[1])) if plan.split == "train"]
        return CAMERAS * sum(plan.n_frames for plan in plans), f"rhobin synth --size {size[1]}"
    return BEHAVE_VIEWS, "BEHAVE, four cameras of CHORE's 11,347 frames"


def made_by(root: str) -> str | None:
    """The command that makes a root, as an experiment names it; None where none does."""
    facts = [experiment.facts.get("data", "") for experiment in experiments(config_folder())]
    commands = [part.strip() for fact in facts for part in fact.split(";") if "rhobin synth" in part]
    return next((command for command in commands if root in re.findall(r"--out (\S+)", command)), None)
