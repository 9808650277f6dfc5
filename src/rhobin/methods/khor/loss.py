"""KHOR's losses, unweighted (report sec. 3.3.2; Laplace term of HybrIK's released criterion)."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from rhobin.methods.khor.net import KhorOutput
from rhobin.types import Target


class KhorLoss(nn.Module):
    """Distances of keypoints, shape and twist, and the Laplace term of both keypoint sets."""

    def forward(self, pred: KhorOutput, target: Target) -> dict[str, Tensor]:
        """Named scalars of a batch, each a mean over what the target defines.

        Args:
            pred: network output.
            target: ground truth of the same batch.

        Returns:
            `joints`, `kpts`: mean L2 distance in heatmap units; `joints_laplace`, `kpts_laplace`; `beta`,
            `twist`: mean squared error.
        """
        return {
            "joints": point_distance(pred.human.uvd, target.joints_uvd, target.joints_weight),
            "kpts": point_distance(pred.object.uvd, target.kpts_uvd, target.kpts_weight),
            "joints_laplace": laplace(*pred.human, target.joints_uvd, target.joints_weight),
            "kpts_laplace": laplace(*pred.object, target.kpts_uvd, target.kpts_weight),
            "beta": (pred.beta - target.beta).square().mean(),
            "twist": weighted_mean(
                residual(pred.twist, target.twist, target.twist_weight).square().mean(-1), target.twist_weight
            ),
        }


def weighted_mean(value: Float[Tensor, "*n"], weight: Float[Tensor, "*n"]) -> Float[Tensor, ""]:
    """Sum of weighted values over the sum of weights; 0 where every weight is 0."""
    return (weight * value).sum() / weight.sum().clamp(min=1e-6)


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
    uvd: Float[Tensor, "B K 3"],
    sigma: Float[Tensor, "B K"],
    target: Float[Tensor, "B K 3"],
    weight: Float[Tensor, "B K"],
) -> Float[Tensor, ""]:
    """HybrIK's Laplace term, `log(sigma sqrt(2 pi)) + |p - p*| / (sqrt(2) sigma + 1e-5)`.

    Not a normalised likelihood (the normaliser is a Gaussian's): kept so that values compare with HybrIK's.

    Args:
        uvd: (B, K, 3) predicted coordinates.
        sigma: (B, K) uncertainty shared by the three coordinates.
        target: (B, K, 3) true coordinates.
        weight: (B, K) weight of each keypoint.
    """
    spread, error = sigma[..., None], residual(uvd, target, weight).abs()
    value = torch.log(spread * math.sqrt(2 * math.pi)) + error / (math.sqrt(2) * spread + 1e-5)
    return weighted_mean(value, weight[..., None].expand_as(value))
