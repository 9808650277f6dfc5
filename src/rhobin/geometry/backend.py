"""Nearest neighbours and drawn meshes: pytorch3d on CUDA, k-d trees and Embree elsewhere."""

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Float
from scipy.spatial import cKDTree
from torch import Tensor

from rhobin.geometry.raycast import Hits, Mesh, Scene, camera_rays

BackendName = Literal["pytorch3d", "cpu"]
LEAF = 32
"""Points in a leaf of a search tree; with midpoint splits a seventh faster than scipy's defaults."""
NEAREST_DEPTH = 0.01  # metres; pytorch3d cuts triangles that reach behind the camera there


@dataclass(frozen=True)
class Backend:
    """Which implementation serves, and why."""

    name: BackendName
    reason: str


@cache
def backend() -> Backend:
    """Choose the implementation for this process, once."""
    if not torch.cuda.is_available():
        return Backend("cpu", "no CUDA device; Embree and k-d trees are faster on a CPU")
    if importlib.util.find_spec("pytorch3d") is None:
        return Backend("cpu", "CUDA found but not pytorch3d; install it with: pip install 'rhobin[p3d]'")
    return Backend("pytorch3d", f"CUDA device {torch.cuda.get_device_name()} and pytorch3d found")


def nearest_distances(
    points: Float[np.ndarray, "N 3"], others: Float[np.ndarray, "M 3"], using: BackendName | None = None
) -> Float[np.ndarray, " N"]:
    """Distance from each point to the nearest of the others.

    Args:
        points: (N, 3) points.
        others: (M, 3) candidates, in the same unit and frame.
        using: implementation; the process's own by default.

    Returns:
        Unsquared distances (N,), in the unit of the points; pytorch3d finds them in single precision.
    """
    if (using or backend().name) == "cpu":
        return cKDTree(others, leafsize=LEAF, balanced_tree=False).query(points)[0]
    from pytorch3d.ops import knn_points

    centre = others.mean(axis=0)  # small numbers keep their digits
    a, b = (torch.from_numpy(cloud - centre).float()[None].to(_device()) for cloud in (points, others))
    return knn_points(a, b, K=1).dists[0, :, 0].sqrt().double().cpu().numpy()


def rasterise(
    meshes: Sequence[Mesh],
    K: Float[np.ndarray, "3 3"],
    width: int,
    height: int,
    using: BackendName | None = None,
) -> Hits:
    """Find what each pixel of a camera shows first.

    Args:
        meshes: pairs of vertices (V, 3), in the OpenCV camera frame, metres, and triangles (F, 3).
        K: (3, 3) intrinsics in pixels; the centre of the first pixel is (0, 0).
        width: of the image in pixels.
        height: of the image in pixels.
        using: implementation; the process's own by default.

    Returns:
        The hits of height * width pixel centres, row by row; `distance` is the depth in metres.
    """
    if (using or backend().name) == "cpu":
        rays = camera_rays(K, width, height).reshape(-1, 3)
        return Scene(meshes).cast(np.zeros(3, dtype=np.float32), rays)
    from pytorch3d.renderer import MeshRasterizer, RasterizationSettings
    from pytorch3d.structures import join_meshes_as_scene

    scene = join_meshes_as_scene(_pytorch3d_meshes(meshes))
    settings = RasterizationSettings(
        image_size=(height, width),
        perspective_correct=True,
        z_clip_value=NEAREST_DEPTH,
        max_faces_per_bin=sum(len(faces) for _, faces in meshes),
    )
    drawn = MeshRasterizer(cameras=_pytorch3d_camera(K, width, height), raster_settings=settings)(scene)
    face, depth = drawn.pix_to_face.flatten(), drawn.zbuf.flatten()
    return _hits(face, depth, drawn.bary_coords.reshape(-1, 3), [len(faces) for _, faces in meshes])


def _device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def _pytorch3d_meshes(meshes: Sequence[Mesh]) -> Any:
    """pytorch3d's axes point left and up."""
    from pytorch3d.structures import Meshes

    verts = [torch.from_numpy(verts * [-1, -1, 1]).float().to(_device()) for verts, _ in meshes]
    return Meshes(verts, [torch.from_numpy(faces.astype(np.int64)).to(_device()) for _, faces in meshes])


def _pytorch3d_camera(K: np.ndarray, width: int, height: int) -> Any:
    """pytorch3d counts pixels from the first one's corner."""
    from pytorch3d.renderer import PerspectiveCameras

    return PerspectiveCameras(
        focal_length=torch.tensor([[K[0, 0], K[1, 1]]], dtype=torch.float32),
        principal_point=torch.tensor([[K[0, 2] + 0.5, K[1, 2] + 0.5]], dtype=torch.float32),
        image_size=[[height, width]],
        in_ndc=False,
        device=_device(),
    )


def _hits(face: Tensor, depth: Tensor, weights: Tensor, counts: Sequence[int]) -> Hits:
    """Hits from triangle indices that count through all meshes; -1 where nothing is seen."""
    index = face.cpu().numpy()
    seen, ends = index >= 0, np.cumsum(counts)
    mesh = np.searchsorted(ends, index, side="right")
    first = np.append(ends - counts, 0)
    u, v = weights[:, 1:].cpu().numpy().T
    return Hits(
        geom_id=np.where(seen, mesh, -1).astype(np.int32),
        prim_id=np.where(seen, index - first[mesh], -1).astype(np.int32),
        u=u,
        v=v,
        distance=np.where(seen, depth.cpu().numpy(), np.float32(np.inf)),
    )
