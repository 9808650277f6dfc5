"""Nearest neighbours and rasterisation: pytorch3d on CUDA, k-d trees and Embree elsewhere."""

import importlib.util
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float, Int64
from scipy.spatial import cKDTree
from torch import Tensor

from rhobin.geometry.raycast import Scene, camera_rays

BackendName = Literal["pytorch3d", "embree"]


@dataclass(frozen=True)
class Backend:
    """Which implementation serves, and why."""

    name: BackendName
    reason: str


@cache
def backend() -> Backend:
    """Choose the implementation for this process, once."""
    if not torch.cuda.is_available():
        return Backend("embree", "no CUDA device; Embree and k-d trees are faster on a CPU")
    if importlib.util.find_spec("pytorch3d") is None:
        return Backend("embree", "CUDA found but not pytorch3d; install it with: pip install 'rhobin[p3d]'")
    return Backend("pytorch3d", f"CUDA device {torch.cuda.get_device_name()} and pytorch3d found")


def nearest(
    points: Float[Tensor, "B N 3"], others: Float[Tensor, "B M 3"], using: BackendName | None = None
) -> tuple[Float[Tensor, "B N"], Int64[Tensor, "B N"]]:
    """Find the nearest of the other points for each point.

    Args:
        points: (B, N, 3) points.
        others: (B, M, 3) candidates.
        using: implementation; the process's own by default.

    Returns:
        Distance (B, N), unsquared, and index into `others` (B, N). Without gradient.
    """
    if (using or backend().name) == "pytorch3d":
        from pytorch3d.ops import knn_points

        found = knn_points(points.detach(), others.detach(), K=1)
        return found.dists[..., 0].sqrt(), found.idx[..., 0]
    answers = [
        cKDTree(b).query(a)
        for a, b in zip(points.detach().cpu().numpy(), others.detach().cpu().numpy(), strict=True)
    ]
    distance = torch.from_numpy(np.stack([d for d, _ in answers])).to(points)
    index = torch.from_numpy(np.stack([i for _, i in answers]).astype(np.int64)).to(points.device)
    return distance, index


def rasterise(
    verts: Float[Tensor, "V 3"],
    faces: Int64[Tensor, "F 3"],
    K: Float[Tensor, "3 3"],
    width: int,
    height: int,
    using: BackendName | None = None,
) -> tuple[Float[Tensor, "H W"], Int64[Tensor, "H W"]]:
    """Render the depth and the visible triangles of a mesh.

    Args:
        verts: (V, 3) vertices in the OpenCV camera frame, metres.
        faces: (F, 3) triangles.
        K: (3, 3) intrinsics in pixels; the centre of the first pixel is (0, 0).
        width: of the image in pixels.
        height: of the image in pixels.
        using: implementation; the process's own by default.

    Returns:
        Depth (H, W) in metres, inf where nothing is seen, and triangle index (H, W), -1 there.
    """
    draw = _draw_pytorch3d if (using or backend().name) == "pytorch3d" else _draw_embree
    return draw(verts.detach(), faces, K.detach(), width, height)


def _draw_embree(verts: Tensor, faces: Tensor, K: Tensor, width: int, height: int) -> tuple[Tensor, Tensor]:
    rays = camera_rays(K.cpu().numpy(), width, height).reshape(-1, 3)
    hits = Scene([(verts.cpu().numpy(), faces.cpu().numpy())]).cast(np.zeros(3, dtype=np.float32), rays)
    depth = torch.from_numpy(hits.distance).reshape(height, width).to(verts)
    index = torch.from_numpy(hits.prim_id.astype(np.int64)).reshape(height, width).to(verts.device)
    return depth, index


def _draw_pytorch3d(
    verts: Tensor, faces: Tensor, K: Tensor, width: int, height: int
) -> tuple[Tensor, Tensor]:
    from pytorch3d.renderer import MeshRasterizer, PerspectiveCameras, RasterizationSettings
    from pytorch3d.structures import Meshes

    left_up = torch.tensor([-1.0, -1.0, 1.0], dtype=torch.float32, device=verts.device)
    camera = PerspectiveCameras(
        focal_length=K[[0, 1], [0, 1]][None].float(),
        principal_point=K[:2, 2][None].float() + 0.5,
        image_size=[[height, width]],
        in_ndc=False,
        device=verts.device,
    )
    settings = RasterizationSettings(
        image_size=(height, width), blur_radius=0.0, faces_per_pixel=1, perspective_correct=True
    )
    meshes = Meshes([verts.float() * left_up], [faces])
    drawn = MeshRasterizer(cameras=camera, raster_settings=settings)(meshes)
    index, depth = drawn.pix_to_face[0, ..., 0], drawn.zbuf[0, ..., 0]
    return torch.where(index >= 0, depth, torch.inf).to(verts), index
