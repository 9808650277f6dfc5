"""What a scene has to fulfil before it can be written."""

from __future__ import annotations

import numpy as np

MOST_SKEW = 1e-3


def check_times(times: np.ndarray) -> None:
    """Refuse times that glTF cannot hold.

    Raises:
        ValueError: they are negative, not finite, or do not increase in 32 bits.
    """
    stored = np.asarray(times, np.float32)
    rising = (
        stored.ndim == 1 and len(stored) > 0 and np.isfinite(stored).all() and (np.diff(stored) > 0).all()
    )
    if not rising or stored[0] < 0:
        raise ValueError(
            f"times: expected increasing seconds from 0 on, one for each frame, found {times!r}; "
            "pass the frame's number over the frame rate"
        )


def check_frames(name: str, frames: np.ndarray, n_poses: int, n_frames: int) -> None:
    """Refuse poses that are not told for increasing frames of the video.

    Raises:
        ValueError: names the part, what was found and what was expected.
    """
    if len(frames) != n_poses or n_poses == 0:
        raise ValueError(
            f"{name}: expected one pose for each of its {len(frames)} frames, found {n_poses}; pass one pose "
            "of a photograph, or `times` of a video, and `frames` where some of them have no prediction"
        )
    if (np.diff(frames) <= 0).any() or frames[0] < 0 or frames[-1] >= n_frames:
        raise ValueError(
            f"{name}.frames: expected increasing places among the {n_frames} times, found {frames.tolist()}"
        )


def check_arrays(part: str, **arrays: tuple[np.ndarray, tuple[int, ...]]) -> None:
    """Refuse arrays that do not have the shape told beside them, and numbers that are not finite.

    Raises:
        ValueError: names the part and the array.
    """
    for key, (array, shape) in arrays.items():
        if np.shape(array) != shape:
            raise ValueError(f"{part}.{key}: expected shape {shape}, found {np.shape(array)}")
        if not np.isfinite(array).all():
            raise ValueError(f"{part}.{key}: expected finite numbers, found nan or inf; leave that frame out")


def check_rotations(name: str, rotations: np.ndarray) -> None:
    """Refuse matrices that are no rotations: a node of glTF cannot shear or mirror.

    Raises:
        ValueError: names the array.
    """
    R = np.asarray(rotations, np.float64)
    skew = float(np.abs(R @ np.swapaxes(R, -1, -2) - np.eye(3)).max())
    if skew > MOST_SKEW or (np.linalg.det(R) < 0).any():
        raise ValueError(
            f"{name}: expected rotation matrices, found R Rᵀ off the identity by {skew:.2g} or a mirror "
            "image; project them with rhobin.geometry.rotation.project_to_so3"
        )
