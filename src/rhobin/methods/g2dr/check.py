"""What RANSAC-PnP on the predicted coordinates says of the predicted pose."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from rhobin.methods.g2dr.decode import drawn_maps
from rhobin.methods.g2dr.net import G2drOutput
from rhobin.objects.pnp_check import pnp_check
from rhobin.objects.template import Template


def checked(
    output: G2drOutput,
    R: Float[Tensor, "B 3 3"],
    t: Float[Tensor, "B 3"],
    box: Float[Tensor, "B 2 3"],
    K: Float[Tensor, "B 3 3"],
    templates: Sequence[Template],
) -> dict[str, Tensor]:
    """Extras (B,) of a prediction: `confidence`, `pnp_inliers`, `pnp_turn_deg`, `pnp_shift_mm`.

    Args:
        output: of the network; coordinates of the pixels that it calls visible are believed.
        R: predicted rotation, template to camera.
        t: predicted translation, metres.
        box: centre and extent that coordinates are normalised by, metres.
        K: intrinsics of the maps.
        templates: the object of each view.
    """
    maps = drawn_maps(output, box, K)
    nocs, visible, box_, K_, R_, t_ = (
        part.detach().double().cpu().numpy() for part in (maps.nocs, maps.visible, box, K, R, t)
    )
    check = pnp_check(nocs, visible > 0, box_, K_, R_, t_, templates)
    values: dict[str, np.ndarray] = {
        "confidence": check.confidence,
        "pnp_inliers": check.inliers,
        "pnp_turn_deg": check.turn_deg,
        "pnp_shift_mm": check.shift_mm,
    }
    return {name: torch.as_tensor(value, dtype=torch.float32) for name, value in values.items()}
