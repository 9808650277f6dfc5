"""KHOR's losses, unweighted (report sec. 3.3.2; Laplace term of HybrIK's released criterion)."""

from torch import Tensor, nn

from rhobin.methods.khor.net import KhorOutput
from rhobin.nets.losses import laplace, point_distance, residual, weighted_mean
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
