"""Where InterCap keeps its files, and what its numbers mean (StackFLOW's metadata; InterCap's repository)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from rhobin.behave.calibration import check_lens, check_placement, distortion_of, read_calibration
from rhobin.behave.numbers import as_floats
from rhobin.types import Camera

OBJECT_FILES = {
    "suitcase1": "01.ply",
    "skate": "02.ply",
    "sports": "03.ply",
    "umbrella": "04.ply",
    "tennis": "05.ply",
    "suitcase2": "06.ply",
    "chair1": "07.ply",
    "bottle": "08.ply",
    "cup": "09.ply",
    "chair2": "10.ply",
}
CAMERAS = (1, 2, 3, 4, 5, 6)
WIDTH, HEIGHT = 1920, 1080
SUBJECTS = {"train": ("01", "02", "03", "04", "05", "06", "07", "08"), "test": ("09", "10")}  # VisTracker
FEMALE = ("03", "06", "07", "08")
FITS = (("Res_tuned", "res_tuned.pkl"), ("Res", "res_2.pkl"), ("Res", "res.pkl"))
"""Where a sequence's parameters may be, in the order to try: StackFLOW's tuned ones come first."""
IMAGES, MASKS = "RGBD_Images", "mask"


def object_of(number: str) -> str | None:
    """Name of the object in folder "01" to "10"."""
    return next((name for name, file in OBJECT_FILES.items() if file == f"{number}.ply"), None)


def gender_of(subject: str) -> str:
    """Gender of subject "01" to "10"."""
    return "female" if subject in FEMALE else "male"


def calibration_file(root: Path, camera: int) -> Path:
    """Lens and place of camera 1 to 6; camera 1 is the world."""
    return root / "Data" / "calibration_third" / ("Color.json" if camera == 1 else f"Color_{camera}.json")


def view_patterns(sequence: str, camera: int, frame: str) -> tuple[tuple[str, ...], ...]:
    """Candidate paths of a view's colour, person mask and object mask below the root.

    The release has no masks; they lie where StackFLOW's script writes those of the person, and those of the
    object beside them.
    """
    place = f"{sequence}/Frames_Cam{camera}"
    color = tuple(f"{IMAGES}/{place}/color/{frame}.{suffix}" for suffix in ("jpg", "png"))
    masks = (
        tuple(f"{MASKS}/{place}/mask/{frame}_{what}.{suffix}" for suffix in ("png", "jpg"))
        for what in ("person", "object")
    )
    return color, *masks


def read_intercap_camera(root: Path, camera: int) -> Camera:
    """Read camera 1 to 6.

    The files hold `c`, `f` (pixels), `k` (distortion in OpenCV's order), and world to camera as rotation
    vector `R` and translation `T`.

    Raises:
        FileNotFoundError: when the file is missing.
        ValueError: when it holds no camera; the message names it.
    """
    path = calibration_file(root, camera)
    content = read_calibration(path)
    try:
        (fx, fy), (cx, cy) = (map(float, content[key]) for key in ("f", "c"))
        rotvec, shift = (as_floats(content[key]).reshape(3) for key in ("R", "T"))
        coefficients = as_floats(content.get("k") or [])
    except (KeyError, OverflowError, TypeError, ValueError) as error:
        raise ValueError(f"{path}: expected c (2), f (2), R (3), T (3): {error!r}") from error
    K = np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]])
    check_lens(path, K, WIDTH, HEIGHT)
    R = Rotation.from_rotvec(rotvec).as_matrix() if np.isfinite(rotvec).all() else np.full((3, 3), np.nan)
    check_placement(path, R, shift)
    return Camera(K, R.T, -R.T @ shift, WIDTH, HEIGHT, distortion_of(path, coefficients))
