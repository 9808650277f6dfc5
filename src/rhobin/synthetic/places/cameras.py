"""Four calibrated colour cameras around a room, as in BEHAVE.

The room frame is y up with the floor at y = 0. The world of a recording day is the frame of kinect 1's
colour camera, so it is not aligned with gravity.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rhobin.types import Camera

SENSOR_WIDTH = 2048
"""Width in pixels at which the intrinsics are given."""

INTRINSICS = (
    (976.212, 976.047, 1017.958, 787.313),
    (979.784, 979.840, 1018.952, 779.486),
    (974.337, 974.337, 1020.858, 778.046),
    (973.389, 973.331, 1023.284, 782.411),
)
"""fx, fy, cx, cy of each kinect at 2048x1536; kinect 1 is BEHAVE's (challenge configuration)."""

REFERENCE_KINECT = 1


@dataclass(frozen=True)
class Rig:
    """The cameras of one recording day.

    Attributes:
        date: recording day, for example ``Date03``.
        cameras: one camera per kinect, camera-to-world.
        R: (3, 3) rotation of the room-to-world transform ``X_world = R X_room + t``.
        t: (3,) translation of the same transform, metres.
    """

    date: str
    cameras: tuple[Camera, ...]
    R: np.ndarray
    t: np.ndarray

    def in_room(self, kinect: int) -> Camera:
        """The camera of `kinect` placed in the room frame instead of the world."""
        camera = self.cameras[kinect]
        R = self.R.T @ camera.R
        t = self.R.T @ (camera.t - self.t)
        return Camera(camera.K, R, t, camera.width, camera.height)


def date_number(date: str) -> int:
    """The number of a recording day: ``Date03`` gives 3."""
    if not date.startswith("Date") or not date[4:].isdigit():
        raise ValueError(f"expected a recording day such as 'Date03', found {date!r}")
    return int(date[4:])


def scaled_intrinsics(kinect: int, width: int) -> np.ndarray:
    """Intrinsics of a kinect for images `width` pixels wide.

    Args:
        kinect: 0 to 3.
        width: image width in pixels.

    Returns:
        (3, 3) K in pixels; the centre of the first pixel is (0, 0).
    """
    scale = width / SENSOR_WIDTH
    fx, fy, cx, cy = INTRINSICS[kinect]
    centre = (np.array([cx, cy]) + 0.5) * scale - 0.5
    return np.array([[fx * scale, 0, centre[0]], [0, fy * scale, centre[1]], [0, 0, 1.0]])


def look_at(position: np.ndarray, target: np.ndarray, roll: float) -> np.ndarray:
    """Rotation camera to room of a camera at `position` looking at `target`, rolled about its axis.

    Args:
        position: (3,) metres, room frame (y up).
        target: (3,) metres, room frame.
        roll: radians about the viewing direction.

    Returns:
        (3, 3) whose columns are the camera's x (right), y (down) and z (forward) axes.
    """
    forward = (target - position) / np.linalg.norm(target - position)
    right = np.cross(forward, [0.0, 1.0, 0.0])
    right /= np.linalg.norm(right)
    down = np.cross(forward, right)
    cos, sin = np.cos(roll), np.sin(roll)
    return np.stack([cos * right + sin * down, cos * down - sin * right, forward], axis=1)


def _pose(kinect: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    azimuth = np.deg2rad(45 + 90 * kinect + rng.uniform(-9, 9))
    distance, height = rng.uniform(2.35, 2.75), rng.uniform(1.35, 1.95)
    position = np.array([distance * np.sin(azimuth), height, distance * np.cos(azimuth)])
    target = np.array([rng.uniform(-0.12, 0.12), rng.uniform(0.75, 0.95), rng.uniform(-0.12, 0.12)])
    return look_at(position, target, np.deg2rad(rng.uniform(-3, 3))), position


def camera_rig(date: str, width: int = 640) -> Rig:
    """The four cameras of a recording day; the same day always gives the same rig.

    Args:
        date: recording day, ``Date01`` and so on.
        width: image width in pixels, a multiple of 4 (images are 4:3).

    Returns:
        The rig; kinect 1 has the identity as its pose.

    Raises:
        ValueError: the width is not a positive multiple of 4, or the day is not named ``DateNN``.
    """
    if width < 64 or width % 4:
        raise ValueError(f"expected an image width of at least 64 pixels and a multiple of 4, found {width}")
    rng = np.random.default_rng([51, date_number(date)])
    poses = [_pose(k, rng) for k in range(4)]
    R_ref, t_ref = poses[REFERENCE_KINECT]
    cameras = []
    for k, (R, t) in enumerate(poses):
        R_world, t_world = R_ref.T @ R, R_ref.T @ (t - t_ref)
        if k == REFERENCE_KINECT:
            R_world, t_world = np.eye(3), np.zeros(3)
        cameras.append(Camera(scaled_intrinsics(k, width), R_world, t_world, width, width * 3 // 4))
    return Rig(date, tuple(cameras), R_ref.T, -R_ref.T @ t_ref)
