"""Poses as a crop shows them: rotation against the viewing ray, and the scale-invariant translation (SITE).

An object that moves sideways turns in the image though its rotation stays. Allocentric rotations take that
out (GDR-Net, sec. 3.2); SITE says where in a crop the object's origin is, and how far (CDPN, sec. 3.3).
"""

import torch
from jaxtyping import Float
from torch import Tensor

from rhobin.geometry.camera import project, unproject
from rhobin.geometry.rotation import skew, unit


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
    t: Float[Tensor, "*B 3"], K_crop: Float[Tensor, "*B 3 3"], size: int
) -> Float[Tensor, "*B 3"]:
    """Scale-invariant translation.

    Args:
        t: the object's origin in the camera's frame, metres.
        K_crop: intrinsics of the crop, pixels.
        size: width of the crop, pixels.

    Returns:
        Where the origin is, in crop widths from the crop's centre, and its depth over the focal length in
        crop widths: the same for any resolution of image and crop.
    """
    centre = (torch.as_tensor(project(t[..., None, :], K_crop))[..., 0, :] + 0.5) / size - 0.5
    return torch.cat((centre, (t[..., 2] / K_crop[..., 0, 0])[..., None] * size), dim=-1)


def decode_site(
    site: Float[Tensor, "*B 3"], K_crop: Float[Tensor, "*B 3 3"], size: int
) -> Float[Tensor, "*B 3"]:
    """Undo `encode_site`: translations in metres, camera frame."""
    pixels = (site[..., :2] + 0.5) * size - 0.5
    depth = site[..., 2] * K_crop[..., 0, 0] / size
    return unproject(pixels[..., None, :], depth[..., None], K_crop)[..., 0, :]


def _from_axis(t: Float[Tensor, "*B 3"]) -> Float[Tensor, "*B 3 3"]:
    """The smallest rotation from the optical axis to a viewing ray in front of the camera, in closed form."""
    ray = unit(t)
    x, y, z = ray.unbind(-1)
    cross = skew(torch.stack((-y, x, torch.zeros_like(z)), dim=-1))
    identity = torch.eye(3, dtype=t.dtype, device=t.device)
    return identity + cross + cross @ cross / (1 + z)[..., None, None]
