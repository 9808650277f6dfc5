"""KHOR's losses, unweighted (report sec. 3.3.2; Laplace term of HybrIK's released criterion)."""

from torch import Tensor, nn

from rhobin.methods.khor.net import KhorOutput
from rhobin.nets.losses import laplace, point_distance, residual, weighted_mean
from rhobin.types import Batch, required

TERMS = {"human": ("joints", "joints_laplace", "beta", "twist"), "object": ("kpts", "kpts_laplace")}
"""Names of the losses, by the part that they teach."""


class KhorLoss(nn.Module):
    """Distances of keypoints, shape and twist, and the Laplace term of both keypoint sets."""

    def forward(self, pred: KhorOutput, batch: Batch) -> dict[str, Tensor]:
        """Named scalars of a batch, each a mean over what the target defines; those of `TERMS` for its parts.

        Args:
            pred: network output.
            batch: what it was predicted from; its samples show the parts that are predicted.

        Returns:
            `joints`, `kpts`: mean L2 distance in heatmap units; `joints_laplace`, `kpts_laplace`; `beta`,
            `twist`: mean squared error.
        """
        human = {} if pred.human is None else human_losses(pred, batch)
        return human if pred.object is None else human | object_losses(pred, batch)


def human_losses(pred: KhorOutput, batch: Batch) -> dict[str, Tensor]:
    """Losses of joints, shape and twist."""
    human = required(batch.target.human, "the person")
    drawn = required(batch.target.heatmaps, "the target heatmaps")
    joints = (
        required(drawn.joints_uvd, "the joints' heatmap"),
        required(drawn.joints_weight, "the joints' weight"),
    )
    seen = required(pred.human, "the joints")
    beta, twist = required(pred.beta, "the shape"), required(pred.twist, "the twists")
    return {
        "joints": point_distance(seen.uvd, *joints),
        "joints_laplace": laplace(*seen, *joints),
        "beta": (beta - human.beta).square().mean(),
        "twist": weighted_mean(
            residual(twist, human.twist, human.twist_weight).square().mean(-1), human.twist_weight
        ),
    }


def object_losses(pred: KhorOutput, batch: Batch) -> dict[str, Tensor]:
    """Losses of the object's keypoints."""
    drawn = required(batch.target.heatmaps, "the target heatmaps")
    kpts = (
        required(drawn.kpts_uvd, "the keypoints' heatmap"),
        required(drawn.kpts_weight, "the keypoints' weight"),
    )
    seen = required(pred.object, "the keypoints")
    return {"kpts": point_distance(seen.uvd, *kpts), "kpts_laplace": laplace(*seen, *kpts)}
