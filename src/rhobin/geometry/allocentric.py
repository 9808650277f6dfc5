"""Poses as a crop shows them: rotation against the viewing ray, and the scale-invariant translation (SITE).

An object that moves sideways turns in the image though its rotation stays. Allocentric rotations take that
out (GDR-Net, sec. 3.2); SITE says where in a crop the object's origin is, and how far (CDPN, sec. 3.3).
"""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from rhobin.geometry.camera import project, unproject
from rhobin.geometry.rotation import skew, unit


class SiteFrame(NamedTuple):
    """What a scale-invariant translation is told in.

    Attributes:
        middle: (B, 2) pixel that it counts from.
        box: (B, 2) width and height that it counts in, pixels.
        depth: (B,) metres that it counts depth in.
    """

    middle: Float[Tensor, "*B 2"]
    box: Float[Tensor, "*B 2"]
    depth: Float[Tensor, "*B"]


def crop_frame(K_crop: Float[Tensor, "*B 3 3"], size: int) -> SiteFrame:
    """Place in crop widths, and depth as the metres that a crop is wide there: depth over focal length.

    The same for any resolution of image and crop.

    Args:
        K_crop: intrinsics of the crop, pixels.
        size: width of the crop, pixels.
    """
    whole = torch.full_like(K_crop[..., 0, :2], size)
    return SiteFrame((whole - 1) / 2, whole, K_crop[..., 0, 0] / size)


def to_allocentric(R: Float[Tensor, "*B 3 3"], t: Float[Tensor, "*B 3"]) -> Float[Tensor, "*B 3 3"]:
    """Rotation to the camera's frame, turned as if the viewing ray were the optical axis.

    Args:
        R: rotations, object to camera.
        t: the object's origin in the camera's frame, metres.
    """
    return _from_axis(t).mT @ R


def to_egocentric(R: Float[Tensor, "*B 3 3"], t: Float[Tensor, "*B 3"]) -> Float[Tensor, "*B 3 3"]:
    """Undo `to_allocentric`."""
    return _from_axis(t) @ R


def encode_site(
    t: Float[Tensor, "*B 3"], K: Float[Tensor, "*B 3 3"], frame: SiteFrame
) -> Float[Tensor, "*B 3"]:
    """Scale-invariant translation.

    Args:
        t: the object's origin in the camera's frame, metres.
        K: intrinsics, in the pixels of the frame.
        frame: what the translation is told in.

    Returns:
        Where the origin is, in boxes from the middle, and its depth in the frame's unit.
    """
    place = (torch.as_tensor(project(t[..., None, :], K))[..., 0, :] - frame.middle) / frame.box
    return torch.cat((place, (t[..., 2] / frame.depth)[..., None]), dim=-1)


def decode_site(
    site: Float[Tensor, "*B 3"], K: Float[Tensor, "*B 3 3"], frame: SiteFrame
) -> Float[Tensor, "*B 3"]:
    """Undo `encode_site`: translations in metres, camera frame."""
    pixels = site[..., :2] * frame.box + frame.middle
    depth = site[..., 2] * frame.depth
    return unproject(pixels[..., None, :], depth[..., None], K)[..., 0, :]


def _from_axis(t: Float[Tensor, "*B 3"]) -> Float[Tensor, "*B 3 3"]:
    """The smallest rotation from the optical axis to a viewing ray in front of the camera, in closed form."""
    ray = unit(t)
    x, y, z = ray.unbind(-1)
    cross = skew(torch.stack((-y, x, torch.zeros_like(z)), dim=-1))
    identity = torch.eye(3, dtype=t.dtype, device=t.device)
    return identity + cross + cross @ cross / (1 + z)[..., None, None]
