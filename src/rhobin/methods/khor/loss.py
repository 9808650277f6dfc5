"""KHOR's losses, unweighted (report sec. 3.3.2; Laplace term of HybrIK's released criterion)."""

from torch import Tensor, nn

from rhobin.methods.khor.net import KhorOutput
from rhobin.nets.losses import laplace, point_distance, residual, weighted_mean
from rhobin.types import Batch, required


class KhorLoss(nn.Module):
    """Distances of keypoints, shape and twist, and the Laplace term of both keypoint sets."""

    def forward(self, pred: KhorOutput, batch: Batch) -> dict[str, Tensor]:
        """Named scalars of a batch, each a mean over what the target defines.

        Args:
            pred: network output.
            batch: what it was predicted from; its samples show a person and an object.

        Returns:
            `joints`, `kpts`: mean L2 distance in heatmap units; `joints_laplace`, `kpts_laplace`; `beta`,
            `twist`: mean squared error.
        """
        human = required(batch.target.human, "the person")
        drawn = required(batch.target.heatmaps, "the target heatmaps")
        joints = (
            required(drawn.joints_uvd, "the joints' heatmap"),
            required(drawn.joints_weight, "the joints' weight"),
        )
        kpts = (
            required(drawn.kpts_uvd, "the keypoints' heatmap"),
            required(drawn.kpts_weight, "the keypoints' weight"),
        )
        return {
            "joints": point_distance(pred.human.uvd, *joints),
            "kpts": point_distance(pred.object.uvd, *kpts),
            "joints_laplace": laplace(*pred.human, *joints),
            "kpts_laplace": laplace(*pred.object, *kpts),
            "beta": (pred.beta - human.beta).square().mean(),
            "twist": weighted_mean(
                residual(pred.twist, human.twist, human.twist_weight).square().mean(-1), human.twist_weight
            ),
        }
