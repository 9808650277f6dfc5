"""Which poses an object is rendered in, and the square camera that frames each."""

from __future__ import annotations

import zlib
from functools import lru_cache

import numpy as np
from scipy.spatial.transform import Rotation

from rhobin.behave.layout import CHALLENGE_LENS, CHALLENGE_SIZE
from rhobin.behave.renders import PosedViews
from rhobin.geometry.camera import crop_intrinsics, project
from rhobin.objects.template import Template

POSES = ("uniform", "euler")
EULER_STEPS = 20
FRAME = (640, 480)
"""Width and height of the frame in which objects are placed, pixels: kinect 1's, made smaller."""
DEPTH = (1.0, 5.0)
NEAREST = 0.3
"""Metres that are kept between the camera and an object's nearest vertex."""
MARGIN = 0.1
"""Share of the frame at each side that the origins of objects keep free."""
EXPAND = 1.5
"""Width of a picture in longer sides of the object's box, as the crop of G2DR."""


def stream(seed: int, name: str, index: int, what: int) -> np.random.Generator:
    """Random numbers of one pose of one object: nothing else decides them."""
    return np.random.default_rng([seed, zlib.crc32(name.encode()), index, what])


def posed_views(template: Template, law: str, seed: int, size: int, indices: range) -> PosedViews:
    """Poses of an object and their cameras.

    Args:
        template: the object.
        law: of the rotation: "uniform" over SO(3), or "euler", a grid of 20 angles about each of three axes.
        seed: of the draws.
        size: width and height of the pictures, pixels.
        indices: which poses.
    """
    poses = [_pose(template, law, seed, index) for index in indices]
    R, t = np.stack([R for R, _ in poses]), np.stack([t for _, t in poses])
    K = np.stack([_framing(template.verts @ R.T + t, size) for R, t in poses])
    return PosedViews(np.array(indices, np.int64), R, t, K)


def _pose(template: Template, law: str, seed: int, index: int) -> tuple[np.ndarray, np.ndarray]:
    rng = stream(seed, template.name, index, 0)
    turned = Rotation.from_quat(rng.standard_normal(4)).as_matrix()
    R = turned if law == "uniform" else euler_grid(index)
    radius = float(np.linalg.norm(template.verts, axis=1).max())
    depth = max(rng.uniform(*DEPTH), NEAREST + radius)
    pixel = rng.uniform(MARGIN, 1 - MARGIN, 2) * FRAME - 0.5
    return R, np.linalg.solve(frame_intrinsics(), [*pixel, 1.0]) * depth


def euler_grid(index: int) -> np.ndarray:
    """Rotation (3, 3) of a place in the Euler grid, whose 8000 places come in a fixed random order."""
    places = EULER_STEPS**3
    place = int(_order(places)[index % places])
    steps = np.unravel_index(place, (EULER_STEPS,) * 3)
    return Rotation.from_euler("xyz", np.array(steps) * (2 * np.pi / EULER_STEPS)).as_matrix()


@lru_cache(maxsize=1)
def _order(places: int) -> np.ndarray:
    return np.random.default_rng(8000).permutation(places)


def frame_intrinsics() -> np.ndarray:
    """Intrinsics (3, 3) of kinect 1, its image made as small as `FRAME`."""
    fx, fy, cx, cy = np.array(CHALLENGE_LENS) * (FRAME[0] / CHALLENGE_SIZE[0])
    return np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]])


def _framing(points: np.ndarray, size: int) -> np.ndarray:
    """Intrinsics of the square about an object's points (V, 3) in the camera frame."""
    K = frame_intrinsics()
    pixels = np.asarray(project(points, K))
    low, high = pixels.min(axis=0), pixels.max(axis=0)
    return crop_intrinsics(K, (low + high) / 2, float(EXPAND * (high - low).max()), size)
