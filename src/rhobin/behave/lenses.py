"""All lenses of a dataset root, whatever its layout."""

from __future__ import annotations

from pathlib import Path

from rhobin.behave.calibration import read_lens
from rhobin.behave.layout import KINECTS, intrinsics_file
from rhobin.behave.readers.intercap_files import CAMERAS, calibration_file, read_intercap_camera
from rhobin.types import Camera


def read_lenses(root: Path) -> dict[str, Camera]:
    """Read the colour cameras of a BEHAVE or InterCap root by name.

    Returns:
        "kinect 0" to "kinect 3", or "camera 1" to "camera 6".

    Raises:
        FileNotFoundError: the root has no calibration, or not all of it.
        ValueError: a file holds no lens.
    """
    if intrinsics_file(root, 0).parents[1].is_dir():
        return {f"kinect {kinect}": read_lens(intrinsics_file(root, kinect)) for kinect in KINECTS}
    if calibration_file(root, 1).parent.is_dir():
        return {f"camera {number}": read_intercap_camera(root, number) for number in CAMERAS}
    raise FileNotFoundError(
        f"no cameras at {root}: expected {intrinsics_file(root, 0).parents[1]} (BEHAVE) "
        f"or {calibration_file(root, 1).parent} (InterCap)"
    )
