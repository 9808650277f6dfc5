"""Testing at several scales and in the mirror: what each look says, told in the crop as it was."""

import torch
import torch.nn.functional as F

from rhobin.body.joints import MIRROR29
from rhobin.body.transform import flip_twist, flip_weight
from rhobin.methods.bev_hybrik.decode import BodyParts
from rhobin.methods.variants import Variant


def in_crop(parts: BodyParts, variant: Variant, width: int) -> BodyParts:
    """What a variant of a crop says, as if it had been said of the crop.

    Twists become unit vectors, whose mean is their mean direction. Depths are metres already.

    Args:
        parts: of the variant; of the mirrored person where it is mirrored.
        variant: how the network looked.
        width: of the crop, pixels.
    """
    uvd, sigma, twist = parts.uvd, parts.sigma, F.normalize(parts.twist, dim=-1)
    if variant.mirrored:
        uvd, sigma, twist = uvd[:, list(MIRROR29)], flip_weight(sigma), flip_twist(twist)
    uv = variant.to_crop(uvd[..., :2], width)
    return parts._replace(uvd=torch.cat([uv, uvd[..., 2:]], dim=-1), sigma=sigma * variant.scale, twist=twist)
