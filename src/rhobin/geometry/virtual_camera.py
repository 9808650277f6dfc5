"""HybrIK's virtual camera: one scale stands for depth, whatever camera took the picture.

For comparing with published numbers and weights only, with the reference's own rules. Our methods know the
camera and use `rhobin.geometry.camera.solve_translation` (docs/decisions/0136).

Heatmap coordinates (u, v, d) are those of `rhobin.nets.heatmap`. A crop is seen at a focal length of 1,000
pixels of 256, so a person who fills it stands where the scale says: at ``FOCAL / scale`` metres.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from rhobin.geometry.precision import full_precision

FOCAL = 1000 / 256  # crop widths
DEPTH_RANGE = 2.2  # metres that d spans
INITIAL_SCALE = 0.9  # added to the network's output


def box_offset(box: Float[Tensor, "B 4"], image_centre: Float[Tensor, "B 2"]) -> Float[Tensor, "B 2"]:
    """How far a box lies from the middle of its image, in widths and heights of the box.

    Args:
        box: (B, 4) left, top, right, bottom in pixels.
        image_centre: (B, 2) pixels.
    """
    first, last = box[:, :2], box[:, 2:]
    return ((first + last) / 2 - image_centre) / (last - first)


@full_precision
def back_project(
    uvd: Float[Tensor, "B N 3"], scale: Float[Tensor, " B"], offset: Float[Tensor, "B 2"] | None = None
) -> Float[Tensor, "B N 3"]:
    """Points behind heatmap coordinates, metres, frame of the virtual camera.

    Args:
        uvd: (B, N, 3) heatmap coordinates, d counted from the depth that the scale stands for.
        scale: (B,) positive.
        offset: (B, 2) place of the crop in its image, from `box_offset`; None for the middle, as in
            HybrIK's training.

    Returns:
        (B, N, 3) points; those of HybrIK's output are counted from the first one, in units of `DEPTH_RANGE`.
    """
    depth = DEPTH_RANGE * uvd[..., 2:] + (FOCAL / scale)[:, None, None]
    return torch.cat((_rays(uvd, offset) * depth, depth), dim=-1)


@full_precision
def solve_scale(
    posed: Float[Tensor, "B N 3"],
    uvd: Float[Tensor, "B N 3"],
    scale: Float[Tensor, " B"],
    sigma: Float[Tensor, "B N"],
    offset: Float[Tensor, "B 2"] | None = None,
) -> Float[Tensor, " B"]:
    """The scale at which a posed body lies on its joints' rays, as HybrIK solves for it at test time.

    Weighted least squares in one unknown. Across the image the pelvis stays where the first scale put it
    (`solve_translation` moves it too), and a weight ``max(0, 1 - 10 sigma)`` counts twice, in both sides of
    the equations.

    Args:
        posed: (B, N, 3) joints of the body that inverse kinematics made, the pelvis first, metres.
        uvd: (B, N, 3) heatmap coordinates of the same joints.
        scale: (B,) the first scale.
        sigma: (B, N) uncertainty of each joint.
        offset: (B, 2) as in `back_project`.

    Returns:
        (B,) scales; the first ones of the whole batch where all weights of one body vanish.
    """
    weight = (1 - 10 * sigma).clamp_min(0).square()[..., None]
    rays = _rays(uvd, offset)
    across = posed[..., :2] - posed[:, :1, :2] + back_project(uvd[:, :1], scale, offset)[..., :2]
    depth = posed[..., 2:] - posed[:, :1, 2:] + DEPTH_RANGE * uvd[:, :1, 2:]
    square = (weight * rays * rays).sum((1, 2))
    distance = (weight * rays * (across - rays * depth)).sum((1, 2)) / square
    return torch.where((square > 0).all(), FOCAL / distance, scale)


def _rays(uvd: Tensor, offset: Tensor | None) -> Tensor:
    """(B, N, 2) points at depth one."""
    return (uvd[..., :2] if offset is None else uvd[..., :2] + offset[:, None]) / FOCAL
