"""The 24 parts of a body that can have weights of their own: SMPL's joints, with all fingers in the hands."""

from __future__ import annotations

import torch
from torch import Tensor

from rhobin.body.joints import SMPL_BODY_NAMES
from rhobin.body.model import BodyModel

PARTS = (*SMPL_BODY_NAMES, "left_hand", "right_hand")
_FINGERS = 15  # joints of a hand of SMPL-H
_PART_OF_JOINT = (*range(22), *([22] * _FINGERS), *([23] * _FINGERS))


def part_shares(body: BodyModel) -> Tensor:
    """How much each of 24 parts owns of every vertex and then of every joint of an SMPL-H body.

    Returns:
        (V + 52, 24) shares that sum to one in each row: skinning weights, and one part for a joint.
    """
    of_joint = torch.eye(len(PARTS), dtype=body.template.dtype)[list(_PART_OF_JOINT)]
    skin = torch.from_numpy(body.skin.matrix().toarray()).to(of_joint.dtype)
    return torch.cat((skin @ of_joint, of_joint))
