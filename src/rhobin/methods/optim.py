"""Groups of parameters, each with its own optimiser and learning-rate schedule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler

PROGRESS = ("params", "lr", "step")  # what an optimiser's group holds beside its settings


@dataclass(frozen=True)
class Group:
    """A submodule that is trained.

    Attributes:
        name: of the submodule.
        parameters: those that are trained.
        optimizer: moves them.
        schedule: of its learning rate.
        settings: those of each of the optimiser's groups, as the config has them.
        rates: learning rates that the schedule multiplies, as the config has them.
    """

    name: str
    parameters: list[nn.Parameter]
    optimizer: Optimizer
    schedule: LRScheduler
    settings: list[dict[str, Any]]
    rates: list[float]

    def restore_settings(self) -> None:
        """Take the config's settings and rates where a checkpoint brought its own."""
        for now, wanted in zip(self.optimizer.param_groups, self.settings, strict=True):
            now.update(wanted)
        old, self.schedule.base_lrs = self.schedule.base_lrs, list(self.rates)
        if old == self.rates and not isinstance(self.schedule, LambdaLR):
            return
        for number, (now, rate) in enumerate(zip(self.optimizer.param_groups, self.rates, strict=True)):
            if isinstance(self.schedule, LambdaLR):
                now["lr"] = rate * self.schedule.lr_lambdas[number](self.schedule.last_epoch)
            else:
                now["lr"] = now["lr"] * rate / old[number] if old[number] else rate


def build_groups(owner: nn.Module, optim: Mapping[str, Mapping[str, Any]], total_steps: int) -> list[Group]:
    """The groups that a config names.

    Args:
        owner: has the submodules.
        optim: by name of a submodule: ``optimizer`` from parameters, ``schedule`` from (optimiser, total
            steps).
        total_steps: length of the run.

    Raises:
        ValueError: a name is no submodule, has nothing to train, or a trained parameter is in no group.
    """
    groups = []
    for name, makers in optim.items():
        parameters = [p for p in _submodule(owner, name).parameters() if p.requires_grad]
        if not parameters:
            raise ValueError(f"model.optim.{name} has no parameters to train: all of {name} is frozen")
        optimizer = makers["optimizer"](parameters)
        schedule = makers["schedule"](optimizer, total_steps=total_steps)
        settings = [
            {key: value for key, value in group.items() if key not in PROGRESS}
            for group in optimizer.param_groups
        ]
        groups.append(
            Group(name, parameters, optimizer, schedule, settings, [float(r) for r in schedule.base_lrs])
        )
    covered = {id(p) for group in groups for p in group.parameters}
    missed = [name for name, p in owner.named_parameters() if p.requires_grad and id(p) not in covered]
    if missed:
        raise ValueError(f"no group of model.optim trains {missed[0]} ({len(missed)} parameters in all)")
    return groups


@contextmanager
def gradients_kept(parameters: list[nn.Parameter]) -> Iterator[None]:
    """Leave these gradients as they are: another group's loss also flows through its neighbours."""
    before = [p.grad for p in parameters]
    for p in parameters:
        p.grad = None
    try:
        yield
    finally:
        for p, grad in zip(parameters, before, strict=True):
            p.grad = grad


def _submodule(owner: nn.Module, name: str) -> nn.Module:
    try:
        return owner.get_submodule(name)
    except AttributeError:
        children = [child for child, _ in owner.named_children()]
        raise ValueError(
            f"model.optim names {name!r}; expected submodules of the method: {children}"
        ) from None
