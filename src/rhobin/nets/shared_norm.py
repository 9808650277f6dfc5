"""Batch normalisation with the statistics of all processes, on CUDA and on the CPU."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from rhobin import ranks


class SharedBatchNorm(_BatchNorm):
    """What `nn.SyncBatchNorm` is on CUDA, for the CPU, where that refuses to run."""

    def _check_input_dim(self, input: Tensor) -> None:  # noqa: A002 - nn.Module's name
        if input.dim() < 2:
            raise ValueError(f"batch normalisation takes (B, C, ...); found {input.dim()} axes")

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - nn.Module's name
        """Normalise (B, C, ...) by mean and variance of all processes' samples; as usual when evaluating."""
        if not self.training or ranks.count() == 1:
            return super().forward(input)
        return self._by_all(input)

    def _by_all(self, x: Tensor) -> Tensor:
        axes, shape = [0, *range(2, x.dim())], (1, -1, *(1 for _ in x.shape[2:]))
        values = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
        number = ranks.total(values.new_tensor(values.numel() // values.shape[1]))
        mean = ranks.total(values.sum(axes)) / number
        centred = values - mean.view(shape)
        variance = ranks.total(centred.square().sum(axes)) / number
        self._track(mean, variance * number / (number - 1))
        normal = centred * (variance + self.eps).rsqrt().view(shape)
        if self.affine:
            normal = normal * self.weight.view(shape) + self.bias.view(shape)
        return normal.to(x.dtype)

    @torch.no_grad()
    def _track(self, mean: Tensor, variance: Tensor) -> None:
        if self.running_mean is None or self.running_var is None:
            return
        tracked = cast(Tensor, self.num_batches_tracked).add_(1)
        share = 1 / tracked.item() if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean.to(self.running_mean), share)
        self.running_var.lerp_(variance.to(self.running_var), share)


def share_norms(module: nn.Module, device: torch.device) -> None:
    """Replace every batch normalisation in a module by one that counts all processes' samples.

    Names, parameters and buffers stay.

    Args:
        module: is changed.
        device: that it will compute on.
    """
    if device.type == "cuda":
        nn.SyncBatchNorm.convert_sync_batchnorm(module)
        return
    for name, child in module.named_children():
        if isinstance(child, _BatchNorm):
            setattr(module, name, shared(child))
        else:
            share_norms(child, device)


def shared(norm: _BatchNorm) -> SharedBatchNorm:
    """The same normalisation, with the same parameters and buffers, of all processes' samples."""
    made = SharedBatchNorm(
        norm.num_features, norm.eps, norm.momentum, norm.affine, norm.track_running_stats
    ).train(norm.training)
    for name, parameter in norm.named_parameters(recurse=False):
        setattr(made, name, parameter)
    for name, buffer in norm.named_buffers(recurse=False):
        setattr(made, name, buffer)
    return made
