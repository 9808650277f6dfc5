"""From G2DR's output to a pose in the camera frame."""

import torch
from jaxtyping import Float
from torch import Tensor

from rhobin.geometry.allocentric import SiteFrame, crop_frame, decode_site, to_egocentric
from rhobin.geometry.precision import full_precision
from rhobin.geometry.rot6d import rot6d_to_rotmat
from rhobin.methods.g2dr.net import G2drOutput
from rhobin.types import Batch, ObjectMaps

SITES = ("focal", "gdr")
GDR_WIDTH, GDR_MAP = 640, 64  # pixels of GDR-Net's images and maps
NEAREST = 0.05  # of the unit of depth


def site_frame(batch: Batch, size: int, form: str) -> SiteFrame:
    """What the network's translation is told in.

    Args:
        batch: the crops.
        size: width of a crop, pixels.
        form: "focal", see `crop_frame`; or "gdr", GDR-Net's: in widths and heights of the box that the
            crop was cut about, and depth in 64 over the crop's side in pixels of an image 640
            wide, which leaves the focal length to be learnt.
    """
    if form == "focal":
        return crop_frame(batch.K_crop, size)
    box, side = batch.window[:, :2], batch.window[:, 2]
    middle = torch.full_like(box, (size - 1) / 2)
    return SiteFrame(middle, box / side[:, None] * size, GDR_MAP / (GDR_WIDTH * side))


@full_precision
def decode_pose(
    output: G2drOutput, K_crop: Float[Tensor, "B 3 3"], frame: SiteFrame
) -> tuple[Float[Tensor, "B 3 3"], Float[Tensor, "B 3"]]:
    """Rotation (B, 3, 3) and translation (B, 3) in metres, camera frame.

    The rotation is allocentric and turned to the camera in closed form by the predicted ray, so the
    translation also learns from it.

    Args:
        output: of the network.
        K_crop: (B, 3, 3) intrinsics of the crops, pixels.
        frame: what the translation is told in.
    """
    site = torch.cat([output.site[:, :2], output.site[:, 2:].clamp(min=NEAREST)], dim=1)
    t = decode_site(site, K_crop, frame)
    return to_egocentric(rot6d_to_rotmat(output.rot6d), t), t


def drawn_maps(output: G2drOutput, box: Float[Tensor, "B 2 3"], K: Float[Tensor, "B 3 3"]) -> ObjectMaps:
    """What the network drew, as the truth is told, but for the coordinates: kept outside the object too.

    Args:
        output: of the network; without an amodal mask the visible one stands for it.
        box: (B, 2, 3) centre and extent that coordinates are normalised by, metres.
        K: (B, 3, 3) intrinsics of the maps.
    """
    visible = output.visible >= 0.5
    amodal = visible if output.amodal is None else output.amodal >= 0.5
    return ObjectMaps(
        nocs=output.nocs,
        region=output.region.argmax(dim=1) * amodal,
        amodal=amodal.to(output.nocs),
        visible=visible.to(output.nocs),
        box=box,
        K=K,
    )


@full_precision
def map_intrinsics(K_crop: Float[Tensor, "B 3 3"], stride: int) -> Float[Tensor, "B 3 3"]:
    """Intrinsics of the maps, whose pixels are `stride` of the crop's wide."""
    shrink = K_crop.new_tensor(
        [[1 / stride, 0, 0.5 / stride - 0.5], [0, 1 / stride, 0.5 / stride - 0.5], [0, 0, 1]]
    )
    return shrink @ K_crop


@full_precision
def map_rays(K: Float[Tensor, "B 3 3"], size: int) -> Float[Tensor, "B 2 h w"]:
    """X / z and y / z of the ray through each of size x size pixels, (B, 2, size, size)."""
    pixels = torch.arange(size, device=K.device, dtype=K.dtype)
    y, x = torch.meshgrid(pixels, pixels, indexing="ij")
    grid = torch.stack([x, y, torch.ones_like(x)]).flatten(1)
    rays = torch.linalg.inv(K) @ grid
    return (rays[:, :2] / rays[:, 2:]).unflatten(-1, (size, size))
