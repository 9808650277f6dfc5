"""Loss terms that methods share, of keypoints, shapes and rotations; scalars, unweighted."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from rhobin import ranks


def weighted_mean(value: Float[Tensor, "*n"], weight: Float[Tensor, "*n"]) -> Float[Tensor, ""]:
    """Sum of weighted values over the sum of weights, in training all processes'; 0 where all are 0."""
    return (weight * value).sum() / ranks.counted(weight, 1e-6)


def residual(
    pred: Float[Tensor, "B K C"], target: Float[Tensor, "B K C"], weight: Float[Tensor, "B K"]
) -> Float[Tensor, "B K C"]:
    """Prediction minus target, 0 where the weight is 0, whatever number the target holds there."""
    return pred - torch.where(weight[..., None] > 0, target, pred.detach())


def point_distance(
    pred: Float[Tensor, "B K 3"], target: Float[Tensor, "B K 3"], weight: Float[Tensor, "B K"]
) -> Float[Tensor, ""]:
    """Weighted mean of the Euclidean distance between keypoints, in the unit of the coordinates."""
    squared = residual(pred, target, weight).square().sum(-1)
    return weighted_mean((squared + 1e-12).sqrt(), weight)


def laplace(
    uvd: Float[Tensor, "B K C"],
    sigma: Float[Tensor, "B K"],
    target: Float[Tensor, "B K C"],
    weight: Float[Tensor, "B K"],
) -> Float[Tensor, ""]:
    """HybrIK's Laplace term, `log(sigma sqrt(2 pi)) + |p - p*| / (sqrt(2) sigma + 1e-5)`.

    Not a normalised likelihood (the normaliser is a Gaussian's): kept so that values compare with HybrIK's.

    Args:
        uvd: (B, K, C) predicted coordinates.
        sigma: (B, K) uncertainty shared by a keypoint's coordinates.
        target: (B, K, C) true coordinates.
        weight: (B, K) weight of each keypoint.
    """
    spread, error = sigma[..., None], residual(uvd, target, weight).abs()
    value = torch.log(spread * math.sqrt(2 * math.pi)) + error / (math.sqrt(2) * spread + 1e-5)
    return weighted_mean(value, weight[..., None].expand_as(value))


def weighted_l1(
    pred: Float[Tensor, "B K C"], target: Float[Tensor, "B K C"], weight: Float[Tensor, "B K"]
) -> Float[Tensor, ""]:
    """Weighted mean of the absolute difference of coordinates (HybrIK's `uvd` term, there times 64 cells)."""
    error = residual(pred, target, weight).abs()
    return weighted_mean(error, weight[..., None].expand_as(error))


def masked_square(
    pred: Float[Tensor, "*n"], target: Float[Tensor, "*n"], weight: Float[Tensor, "*n"]
) -> Float[Tensor, ""]:
    """Mean squared error in which entries without weight count as errors of zero.

    HybrIK's terms of shape, rotations, twist and camera: a batch with few labels weighs less, unlike with
    `weighted_mean`.

    Args:
        pred: predictions, any shape.
        target: what they should be; any number where the weight is 0.
        weight: 0 or 1 for each entry.
    """
    return (weight * (pred - torch.where(weight > 0, target, pred.detach()))).square().mean()
