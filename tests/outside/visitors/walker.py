"""A human-only method, trained in two stages."""

import torch
from torch import nn

from rhobin.methods.base import Method
from rhobin.nets.images import normalized
from rhobin.types import HumanPrediction, Prediction
from visitors.nets import Numbers, place_of, rotation_of


class WalkerLoss(nn.Module):
    """How far orientation, place and shape are from the truth."""

    def forward(self, output, batch):
        """Mean squared errors of orientation and shape, and the absolute error of the place in metres."""
        human = batch.target.human
        return {
            "turn": (output[0] - human.theta[:, 0]).square().mean(),
            "place": (output[1] - human.joints[:, 0]).abs().mean(),
            "beta": (output[2] - human.beta).square().mean(),
        }


class Walker(Method):
    """Predicts where a person stands and which way they face; the limbs hang in the rest pose."""

    name, title = "walker", "Walker"

    def __init__(self, backbone, weights, optim, assets):
        super().__init__(Numbers(backbone, 22), WalkerLoss(), weights, optim)
        self.bodies = assets.bodies

    def run_net(self, batch):
        """Orientation, place of the pelvis, and shape."""
        numbers, size = self.net(normalized(batch.image)), batch.image.shape[-1]
        return rotation_of(numbers[:, :9]), place_of(numbers[:, 9:12], batch.K_crop, size), numbers[:, 12:]

    def decode(self, output, batch):
        """A body in the rest pose, turned and placed."""
        turn, place, beta = output
        theta = torch.eye(3, device=turn.device).expand(len(turn), 52, 3, 3).clone()
        theta[:, 0] = turn
        pelvis = self.bodies.rest_joints(beta, batch.gender)[:, 0]
        return Prediction(human=HumanPrediction(theta, beta, place - pelvis))
