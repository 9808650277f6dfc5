"""BEV-HybrIK's losses, unweighted (report sec. 3.2, Fig. 5)."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from rhobin.body.bodyset import BodySet
from rhobin.body.from_joints import pose_body
from rhobin.geometry.camera import project
from rhobin.methods.bev_hybrik.net import BevHybrikOutput
from rhobin.nets.focal import bev_focal
from rhobin.nets.lifting import Lifting
from rhobin.nets.losses import laplace, residual, weighted_l1, weighted_mean
from rhobin.nets.peaks import read_cell
from rhobin.types import Batch, HumanTarget, required

POSED = 22  # joints that inverse kinematics turns; the hands below are not predicted
NEAR = 0.1  # metres; a posed joint that comes nearer is not projected
STEEPEST = 1.0  # gradient of a joint's position from the losses of the posed body, a metre


class BevHybrikLoss(nn.Module):
    """Distances of centre maps, joints, shape and twists, and of the body that they pose.

    Args:
        bodies: body models.
        depth_range: metres that heatmap depth spans.

    Attributes:
        posing: whether the losses of the posed body are asked for; they are 0 otherwise.
    """

    def __init__(self, bodies: BodySet, depth_range: float) -> None:
        super().__init__()
        self.bodies, self.depth_range, self.posing = bodies, depth_range, True

    def forward(self, pred: BevHybrikOutput, batch: Batch) -> dict[str, Tensor]:
        """Named scalars of a batch.

        Args:
            pred: network output.
            batch: what it was predicted from; its samples show a person.

        Returns:
            `front`, `bird`, `volume`: focal losses of the centre's heatmaps; `offset`: L1 of what is missing
            to the centre, cells; `joints` and `depths`: L1 of (u, v) and of d in heatmap units;
            `joints_laplace`: all three with their uncertainty; `beta`, `twist`: mean squared errors. Of the
            body posed by inverse kinematics at the true depth `pose`: mean squared error of rotation
            matrices, `posed`: L1 of joints from the pelvis, metres, `projected`: mean squared error of their
            pixels, crop widths.
        """
        human = required(batch.target.human, "the person")
        drawn = required(batch.target.heatmaps, "the target heatmaps")
        bev = required(batch.target.bev, "the centre maps")
        uvd = required(drawn.joints_uvd, "the joints' heatmap")
        weight = required(drawn.joints_weight, "the joints' weight")
        offset = read_cell(pred.bev.offset, bev.cell)
        return {
            **bev_focal(pred.bev, bev)._asdict(),
            "offset": weighted_mean((offset - bev.offset).abs().mean(1), bev.weight),
            "joints": weighted_l1(pred.human.uvd[..., :2], uvd[..., :2], weight),
            "depths": weighted_l1(pred.human.uvd[..., 2:], uvd[..., 2:], weight),
            "joints_laplace": laplace(*pred.human, uvd, weight),
            "beta": (pred.beta - human.beta).square().mean(),
            "twist": weighted_mean(
                residual(pred.twist, human.twist, human.twist_weight).square().mean(-1), human.twist_weight
            ),
            **self._of_body(pred, batch, human, weight),
        }

    def _of_body(
        self, pred: BevHybrikOutput, batch: Batch, human: HumanTarget, weight: Float[Tensor, "B 29"]
    ) -> dict[str, Tensor]:
        if not self.posing:
            return dict.fromkeys(("pose", "posed", "projected"), pred.beta.new_zeros(()))
        size = batch.image.shape[-1]
        lifting = Lifting(batch.K_crop, size, self.depth_range)
        joints = lifting.points(pred.human.uvd, human.joints[:, 0, 2])
        if joints.requires_grad:
            joints.register_hook(_clipped)
        theta, posed, _ = pose_body(joints, pred.beta, pred.twist, batch.gender, self.bodies)
        true = human.joints - human.joints[:, :1]
        shown = ((weight > 0) & (torch.minimum(posed, human.joints)[..., 2] > NEAR))[..., None]
        ahead = posed.new_tensor([0.0, 0.0, 1.0])  # what is not shown lies on its truth
        pixels, at = (
            torch.as_tensor(project(torch.where(shown, points, ahead), batch.K_crop)) / size
            for points in (posed, human.joints)
        )
        return {
            "pose": (theta[:, :POSED] - human.theta[:, :POSED]).square().mean(),
            "posed": (posed - posed[:, :1] - true).abs().mean(),
            "projected": (pixels - at).square().mean(),
        }


def _clipped(gradient: Float[Tensor, "B 29 3"]) -> Float[Tensor, "B 29 3"]:
    """At most `STEEPEST` over the batch for each joint: a bone of no length has an endless gradient."""
    most = STEEPEST / len(gradient)
    norm = gradient.norm(dim=-1, keepdim=True).nan_to_num(most, most, most)
    return torch.nan_to_num(gradient) * (most / norm.clamp(min=most))
