"""What every method's Lightning module shares: losses, predictions, optimisers, the clock."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from typing import Any, ClassVar

import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from rhobin import ranks
from rhobin.clock import Clock
from rhobin.methods.finite import NonFiniteLossError, check_finite, describe_bad_losses
from rhobin.methods.optim import Group, build_groups, gradients_kept
from rhobin.nets.images import normalized
from rhobin.types import Batch, Drawing, Prediction, required


class Method(pl.LightningModule):
    """A network, its losses and how to turn its output into a `Prediction`.

    A subclass writes `run_net` and `decode`. With one group of parameters that is all: a step descends the
    weighted sum of its losses. A method with several optimisers sets ``automatic_optimization = False`` and
    writes `training_step`, in which `descend` moves one group.

    Args:
        net: the network that predicts; the one whose weights are averaged where the config asks for it.
        loss: maps (output, batch) to a dict of unweighted scalars.
        weights: weight of each loss; its keys are exactly the loss's.
        optim: for each submodule that is trained, by its name here: ``optimizer`` makes an optimiser from
            parameters, ``schedule`` a learning-rate schedule from (optimiser, total steps).

    Attributes:
        name: short name, for files.
        title: name for people.
        paper: where it is described, for model cards; empty where it is not.
        any_size: whether the network takes images of any width, which `data.view.sizes` gives it.
        clock: how far the run is.
        memory_format: in which `images` lay an image out: channels last, unless a training asks otherwise.
        frozen: names of submodules that are not trained.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    paper: ClassVar[str] = ""
    any_size: ClassVar[bool] = False
    net: nn.Module

    def __init__(
        self,
        net: nn.Module,
        loss: nn.Module,
        weights: Mapping[str, float],
        optim: Mapping[str, Mapping[str, Any]],
    ) -> None:
        super().__init__()
        self.net, self.loss, self.weights, self.optim = net, loss, dict(weights), dict(optim)
        self.clock = Clock(max_steps=1)
        self.memory_format = torch.channels_last
        self.frozen: tuple[str, ...] = ()
        self.groups: list[Group] = []
        self.gradient_clip: float | None = None
        self.gradient_norm: Tensor | None = None
        self.checked: Batch | None = None

    @property
    def evaluated(self) -> nn.Module:
        """What runs once in each evaluation of the network, of which Table 5 counts those of a frame."""
        return self.net

    def run_net(self, batch: Batch) -> Any:
        """The network's output for a batch."""
        raise NotImplementedError

    def images(self, batch: Batch) -> Tensor:
        """The planes (B, P, H, W) of a batch as networks see them; see `normalized`."""
        return normalized(batch.image).contiguous(memory_format=self.memory_format)

    def decode(self, output: Any, batch: Batch) -> Prediction:
        """What an output of the network says of its batch, metres, frame of the crops' camera."""
        raise NotImplementedError

    def drawn(self, output: Any, batch: Batch) -> Drawing | None:
        """What an output of the network shows beside the truth, for pictures; None where it draws no maps."""
        return None

    @torch.no_grad()
    def predict(self, batch: Batch) -> Prediction:
        """Bodies, objects or both of a batch, metres, frame of the crops' camera."""
        return self.decode(self.run_net(batch), batch)

    def losses(self, output: Any, batch: Batch) -> dict[str, Tensor]:
        """Unweighted losses of an output, and their weighted sum under `loss`.

        Raises:
            ValueError: the weights do not name exactly the losses.
        """
        parts = self.loss(output, batch)
        if parts.keys() != self.weights.keys():
            raise ValueError(
                f"the losses are {sorted(parts)}, but model.weights names {sorted(self.weights)}"
            )
        return {
            "loss": torch.stack([self.weights[name] * part for name, part in parts.items()]).sum(),
            **parts,
        }

    def training_step(self, batch: Batch, batch_idx: int) -> dict[str, Any]:
        """Losses of one batch; refuses to step on a NaN.

        Raises:
            NonFiniteLossError: naming the step, the losses and the views.
        """
        losses = self.losses(self.run_net(batch), batch)
        self.check_finite(losses, batch)
        return self.report(losses)

    def report(self, losses: Mapping[str, Tensor]) -> dict[str, Any]:
        """What `training_step` returns: the loss to descend, and the numbers to log.

        Args:
            losses: scalars by name, `loss` among them.
        """
        logged = {name: value.detach() for name, value in losses.items()}
        return (
            {"loss": losses["loss"], "logged": logged} if self.automatic_optimization else {"logged": logged}
        )

    def check_finite(self, losses: Mapping[str, Tensor], batch: Batch) -> None:
        """Refuse losses that are not numbers, in every process where any process has one.

        Raises:
            NonFiniteLossError: naming the step, the losses and the views.
        """
        self.checked = batch
        check_finite(losses, batch, self.clock.step)

    def descend(self, name: str, loss: Tensor) -> Tensor | None:
        """Under manual optimisation: add a loss's gradients, and move the group when the step is complete.

        Args:
            name: of the group.
            loss: scalar whose gradient is taken.

        Returns:
            Norm of the group's gradient before clipping; None while gradients are still added up.
        """
        place = [group.name for group in self.groups].index(name)
        optimizer, schedule = _listed(self.optimizers())[place], _listed(self.lr_schedulers())[place]
        if self.clock.will_open:
            optimizer.zero_grad()
        with gradients_kept([p for group in self.groups if group.name != name for p in group.parameters]):
            self.manual_backward(loss / self.clock.accumulate)
        if not self.clock.will_step:
            return None
        optimizer.step()
        schedule.step()
        return self.gradient_norm

    def descend_together(self, losses: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Under manual optimisation: `descend` for several groups whose losses reach no other's weights.

        One backward pass serves all of them, which DDP needs. Every group's schedule goes on, also of those
        that rest.

        Args:
            losses: scalar by group.

        Returns:
            Norm of each group's gradient before clipping; empty while gradients are still added up.
        """
        optimizers = dict(zip([g.name for g in self.groups], _listed(self.optimizers()), strict=True))
        if self.clock.will_open:
            for optimizer in optimizers.values():
                optimizer.zero_grad()
        total = torch.stack(list(losses.values())).sum()
        if ranks.count() > 1:  # every process waits for a gradient of every weight
            resting = [p for g in self.groups if g.name not in losses for p in g.parameters]
            total = total + sum(0 * p.sum() for p in resting)
        self.manual_backward(total / self.clock.accumulate)
        if not self.clock.will_step:
            return {}
        norms = {}
        for name in losses:
            optimizers[name].step()
            norms[name] = required(self.gradient_norm, "the gradient's norm")
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".*lr_scheduler.step.*before.*optimizer.step.*")
            for schedule in _listed(self.lr_schedulers()):
                schedule.step()
        return norms

    def on_before_optimizer_step(self, optimizer: Optimizer) -> None:
        """Clip gradients under manual optimisation, where mixed precision has just unscaled them.

        Raises:
            NonFiniteLossError: a gradient is not finite, and no scaler of losses is there to skip the step.
        """
        if self.automatic_optimization:
            return
        parameters = [p for group in optimizer.param_groups for p in group["params"]]
        self.gradient_norm = norm = nn.utils.clip_grad_norm_(parameters, self.gradient_clip or math.inf)
        if self.checked is None or norm.isfinite():
            return
        if getattr(self.trainer.precision_plugin, "scaler", None) is None:
            group = next(g.name for g in self.groups if g.optimizer.param_groups is optimizer.param_groups)
            text = describe_bad_losses({f"gradient of {group}": norm}, self.checked, self.clock.step)
            raise NonFiniteLossError(text, self.checked, ranks.rank())

    def trainer_settings(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """The config's trainer settings as this method needs them.

        Under manual optimisation Lightning refuses to clip gradients and to add them up: `descend` does both.

        Raises:
            ValueError: float16 with several optimisers.
        """
        if self.automatic_optimization:
            return dict(settings)
        precision = str(settings.get("precision", ""))
        if len(self.optim) > 1 and precision.startswith("16"):
            raise ValueError(
                f"trainer.precision is {precision}, whose loss scale changes between optimisers of a step "
                f"({sorted(self.optim)}); use bf16-mixed or 32-true"
            )
        self.gradient_clip = settings.get("gradient_clip_val")
        return {**settings, "gradient_clip_val": None, "accumulate_grad_batches": 1}

    def configure_optimizers(self) -> Any:
        """An optimiser and a schedule for each group, the schedule stepped with the optimiser.

        Raises:
            ValueError: several groups under automatic optimisation, or a group without parameters to train.
        """
        self.trainer.fit_loop.setup_data()
        self.clock.begin(int(self.trainer.num_training_batches))
        self.groups = build_groups(self, self.optim, self.clock.total)
        if self.automatic_optimization and len(self.groups) != 1:
            raise ValueError(
                f"model.optim names {[group.name for group in self.groups]}, but {type(self).__name__} has "
                "automatic optimisation, which moves one group; set automatic_optimization = False and call "
                "descend() for each"
            )
        made = [
            {"optimizer": group.optimizer, "lr_scheduler": {"scheduler": group.schedule, "interval": "step"}}
            for group in self.groups
        ]
        return made[0] if self.automatic_optimization else made

    def on_train_start(self) -> None:
        """Train with the rates and settings of the config, also from a checkpoint of another one."""
        for group in self.groups:
            group.restore_settings()

    def freeze_modules(self, names: tuple[str, ...]) -> None:
        """Stop training submodules: no gradients, and always in evaluation mode.

        Raises:
            ValueError: a name is no submodule.
        """
        known = dict(self.named_modules())
        for name in names:
            if name not in known:
                raise ValueError(
                    f"freeze names {name!r}, which is no submodule; some are {sorted(known)[1:9]}"
                )
            known[name].requires_grad_(False)
        self.frozen = tuple(names)
        self.train(self.training)

    def train(self, mode: bool = True) -> Method:
        """Training or evaluation mode, the latter always for what is frozen."""
        super().train(mode)
        for name in self.frozen:
            self.get_submodule(name).eval()
        return self


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
