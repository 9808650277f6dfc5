"""Rigid and similarity alignment of corresponding points (Kabsch, Umeyama)."""

import torch
from jaxtyping import Float
from torch import Tensor

from rhobin.geometry.precision import full_precision
from rhobin.geometry.rotation import project_to_so3


@full_precision
def rigid_align(
    a: Float[Tensor, "*B N 3"],
    b: Float[Tensor, "*B N 3"],
    weight: Float[Tensor, "*B N"] | None = None,
    scale: bool = False,
) -> tuple[Float[Tensor, "*B 3 3"], Float[Tensor, "*B 3"], Float[Tensor, "*B"]]:
    """The proper rotation, translation and scale with ``b = s R a + t`` in the weighted least-squares sense.

    Args:
        a: source points, metres.
        b: target points, metres, in the same order.
        weight: non-negative weights; None weighs all points alike.
        scale: also fit s; otherwise s is one.

    Returns:
        R with det +1 (a mirrored target is matched by the best rotation, never by a reflection), t in metres
        (fitted with the returned s), s. Points without extent give a finite answer.

    Umeyama 1991, eq. 39-42.
    """
    tiny = torch.finfo(a.dtype).tiny
    weight = torch.ones_like(a[..., 0]) if weight is None else weight
    share = (weight / weight.sum(-1, keepdim=True).clamp_min(tiny))[..., None]
    mean_a, mean_b = (share * a).sum(-2), (share * b).sum(-2)
    centred_a, centred_b = a - mean_a[..., None, :], b - mean_b[..., None, :]
    covariance = (share * centred_b).mT @ centred_a
    size = torch.linalg.matrix_norm(covariance.detach(), keepdim=True)
    R = project_to_so3(covariance / size.clamp_min(tiny))
    if scale:
        variance = (share * centred_a * centred_a).sum((-2, -1))
        s = (R * covariance).sum((-2, -1)) / variance.clamp_min(tiny)
    else:
        s = torch.ones_like(mean_a[..., 0])
    t = mean_b - s[..., None] * (R @ mean_a[..., None]).squeeze(-1)
    return R, t, s
