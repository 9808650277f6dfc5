"""What the fields should say of a batch's points, in the scaled space."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor

from rhobin.methods.chore.space import Space
from rhobin.types import Batch, required


class FieldTruth(NamedTuple):
    """The truth at the points of a batch; metres of the scaled space, laid out as in `HEADS`.

    Attributes:
        points: (B, N, 3) frame of the crops' camera.
        distance: (B, 2, N) to the person and to the object.
        part: (B, N) index of the body's part.
        axes: (B, 3, 3) the object's axes, one a row.
        centre: (B, 2, 3) the pelvis from the middle of its plane, the object's centre from the pelvis.
    """

    points: Float[Tensor, "B N 3"]
    distance: Float[Tensor, "B 2 N"]
    part: Int64[Tensor, "B N"]
    axes: Float[Tensor, "B 3 3"]
    centre: Float[Tensor, "B 2 3"]


def field_truth(batch: Batch, space: Space) -> FieldTruth:
    """The truth of a batch.

    The object's axes are those of its template's frame, turned as the object is. Principal axes found anew on
    each posed mesh, as in the released code, change their signs from pose to pose with the library.

    Args:
        batch: with fields, person and object.
        space: of its crops.
    """
    fields = required(batch.target.fields, "the fields' points")
    human, obj = required(batch.target.human, "the person"), required(batch.target.object, "the object")
    pelvis = human.joints[:, 0]
    factor = space.factor(pelvis[:, 2])[:, None]
    plane = F.pad(space.depth[:, None], (2, 0))
    return FieldTruth(
        fields.points * factor[..., None],
        fields.distance.mT * factor[..., None],
        fields.part,
        obj.R.mT,
        torch.stack([pelvis * factor - plane, (obj.t - pelvis) * factor], dim=1),
    )
