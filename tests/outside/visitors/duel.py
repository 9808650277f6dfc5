"""An object-only method with two optimisers: a network, and a critic that knows true rotations."""

import torch
import torch.nn.functional as F
from torch import nn

from rhobin.methods.base import Method
from rhobin.nets.images import normalized
from rhobin.types import ObjectPrediction, Prediction
from visitors.nets import Numbers, place_of, rotation_of


class DuelLoss(nn.Module):
    """How far rotation and place are from the truth."""

    def forward(self, output, batch):
        """Mean squared error of the rotation, and absolute error of the place in metres."""
        pose = batch.target.object
        return {
            "turn": (output[0] - pose.R).square().mean(),
            "place": (output[1] - pose.t).abs().mean(),
        }


class Duel(Method):
    """Predicts an object's pose; trained against a critic."""

    name, title = "duel", "Duel"
    automatic_optimization = False

    def __init__(self, backbone, weights, optim, assets):
        super().__init__(Numbers(backbone, 12), DuelLoss(), weights, optim)
        self.critic = nn.Sequential(nn.Linear(9, 16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 1))

    def run_net(self, batch):
        """Rotation and place."""
        numbers, size = self.net(normalized(batch.image)), batch.image.shape[-1]
        return rotation_of(numbers[:, :9]), place_of(numbers[:, 9:], batch.K_crop, size)

    def decode(self, output, batch):
        """The pose, and how real the critic finds it."""
        real = self.critic(output[0].flatten(1))[:, 0].sigmoid()
        return Prediction(object=ObjectPrediction(*output), extras={"confidence": real})

    def training_step(self, batch, batch_idx):
        """One step of the network, one of the critic."""
        output = self.run_net(batch)
        losses = self.losses(output, batch)
        fooled = F.softplus(-self.critic(output[0].flatten(1))).mean()
        norm = self.descend("net", losses["loss"] + 0.1 * fooled)
        told = self.critic(torch.cat([output[0].detach(), batch.target.object.R]).flatten(1))[:, 0]
        truth = torch.arange(len(told), device=told.device) >= len(told) // 2
        critic = F.binary_cross_entropy_with_logits(told, truth.float())
        self.descend("critic", critic)
        norms = {} if norm is None else {"gradient": norm}
        return self.report({**losses, "critic": critic, **norms})
