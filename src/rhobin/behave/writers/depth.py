"""Depth images as the raw release has them, and the tables by which the official tools read them."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float, Float32

from rhobin.behave.layout import KINECTS, depth_file, table_file
from rhobin.files import write_bytes
from rhobin.geometry.distortion import undistort
from rhobin.types import Camera

_UNIT, _LARGEST = 1000, np.iinfo(np.uint16).max  # millimetres


def write_depth(frame_dir: Path, kinect: int, depth: Float[np.ndarray, "H W"]) -> None:
    """Write `k<kinect>.depth.png`: 16 bits, millimetres along the optical axis, 0 where nothing was measured.

    Args:
        frame_dir: the frame's folder.
        kinect: the Kinect's number.
        depth: metres along the optical axis, registered to the colour image; what is not finite, not in front
            of the camera or beyond 65.5 m becomes 0.
    """
    steps = np.rint(np.asarray(depth, np.float64) * _UNIT)
    known = (steps > 0) & (steps <= _LARGEST)
    code = cv2.imencode(".png", np.where(known, steps, 0).astype(np.uint16))[1]
    write_bytes(depth_file(frame_dir, kinect), code.tobytes())


def pointcloud_table(camera: Camera) -> Float32[np.ndarray, "H W 2"]:
    """What each pixel sees, as x and y at depth one; NaN where the lens shows nothing."""
    columns, rows = np.meshgrid(np.arange(camera.width), np.arange(camera.height))
    rays = (np.stack([columns, rows], axis=-1) - camera.K[:2, 2]) / camera.K[[0, 1], [0, 1]]
    seen = rays if camera.distortion is None else undistort(rays, camera.distortion)
    return seen.astype(np.float32)


def write_tables(root: Path, cameras: Iterable[Camera]) -> None:
    """Write `calibs/intrinsics/<kinect>/pointcloud_table.npy` of all Kinects, in their order."""
    for kinect, camera in enumerate(cameras):
        path = table_file(root, kinect)
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, pointcloud_table(camera))


def copy_tables(source: Path, target: Path) -> None:
    """Copy to another root the tables that a root has."""
    for path in (table_file(source, kinect) for kinect in KINECTS):
        if path.is_file():
            copy = target / path.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)


def copy_backgrounds(source: Path, target: Path) -> None:
    """Copy to another root the empty rooms that a root has, for the dates that the other has cameras of."""
    for path in source.glob("calibs/*/background"):
        copy = target / path.relative_to(source)
        if copy.parent.is_dir():
            shutil.copytree(path, copy, dirs_exist_ok=True)
