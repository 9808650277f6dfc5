"""How far a lens moves what a pinhole projects: the error of ignoring distortion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from rhobin.geometry.distortion import undistort_pixels
from rhobin.types import Camera

RINGS = 5
DEPTH_M = 2.5  # where BEHAVE's people stand
_STEP = 16
_PANEL, _BAR, _ARROWS, _GAP = 480, 40, 15, 8


@dataclass(frozen=True)
class Ring:
    """The error of a pinhole over a ring of an image.

    Attributes:
        start: inner radius as a share of the way from the image's centre to its corner.
        end: outer radius.
        mean_px: mean distance between a pixel and where a pinhole has what it shows.
        max_px: largest such distance.
        mean_mm: the same at `DEPTH_M`, across the line of sight.
        max_mm: largest.
    """

    start: float
    end: float
    mean_px: float
    max_px: float
    mean_mm: float
    max_mm: float


def lens_rings(camera: Camera) -> list[Ring]:
    """The error of ignoring a camera's lens, in rings about the middle of its image, then over all of it."""
    pixels = _grid(camera, _STEP)
    moved = _shift(camera, pixels)
    distance = np.linalg.norm(moved, axis=-1)
    metres = np.linalg.norm(moved / camera.K[[0, 1], [0, 1]], axis=-1) * DEPTH_M
    middle = np.array([camera.width - 1, camera.height - 1]) / 2
    radius = np.linalg.norm(pixels - middle, axis=-1) / np.linalg.norm(middle)
    edges = [(ring / RINGS, (ring + 1) / RINGS) for ring in range(RINGS)] + [(0.0, 1.0)]
    rings = []
    for start, end in edges:
        inside = (radius >= start) & ((radius < end) | (end == 1))
        px, mm = distance[inside], metres[inside] * 1000
        rings.append(Ring(start, end, *(float(f(v)) for v in (px, mm) for f in (np.mean, np.max))))
    return rings


def lens_picture(cameras: Mapping[str, Camera]) -> np.ndarray:
    """Draw the error over each image, to one scale: brightness, and arrows whose longest spans the grid.

    Args:
        cameras: by the name to write above them.

    Returns:
        (h, w, 3) BGR uint8, one panel for each camera.
    """
    shifts = {name: _shift(camera, _grid(camera, _STEP)) for name, camera in cameras.items()}
    top = max(float(np.linalg.norm(shift, axis=-1).max()) for shift in shifts.values())
    panels = [_panel(name, cameras[name], shift, top or 1.0) for name, shift in shifts.items()]
    bordered = [
        cv2.copyMakeBorder(panel, 0, 0, 0, _GAP, cv2.BORDER_CONSTANT, value=(255, 255, 255))
        for panel in panels
    ]
    return np.concatenate(bordered, axis=1)[:, :-_GAP]


def _panel(name: str, camera: Camera, shift: np.ndarray, top: float) -> np.ndarray:
    size = (_PANEL, round(_PANEL * camera.height / camera.width))
    strength = np.linalg.norm(shift, axis=-1)
    grey = cv2.resize((strength / top * 255).round().astype(np.uint8), size, interpolation=cv2.INTER_CUBIC)
    panel = cv2.applyColorMap(grey, cv2.COLORMAP_VIRIDIS)
    scale, enlarged = _PANEL / camera.width, camera.width / _ARROWS / top
    for pixel in _grid(camera, camera.width // _ARROWS).reshape(-1, 2):
        tip = pixel + enlarged * _shift(camera, pixel[None])[0]
        start, end = (np.round(point * scale).astype(int).tolist() for point in (pixel, tip))
        cv2.arrowedLine(panel, start, end, (255, 255, 255), 1, cv2.LINE_AA, tipLength=0.3)
    title = np.full((_BAR, _PANEL, 3), 255, np.uint8)
    text = f"{name}: up to {strength.max():.1f} px"
    cv2.putText(title, text, (8, 26), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (30, 30, 30), 1, cv2.LINE_AA)
    return np.concatenate([title, panel])


def _grid(camera: Camera, step: int) -> np.ndarray:
    columns, rows = np.meshgrid(np.arange(0.0, camera.width, step), np.arange(0.0, camera.height, step))
    return np.stack([columns, rows], axis=-1)


def _shift(camera: Camera, pixels: np.ndarray) -> np.ndarray:
    """From each pixel to where a pinhole has what the pixel shows."""
    if camera.distortion is None:
        return np.zeros_like(pixels)
    return undistort_pixels(pixels, camera.K, camera.distortion) - pixels


def write_picture(path: Path, picture: np.ndarray) -> None:
    """Write a picture (h, w, 3) BGR in the format that the file's name asks for.

    Raises:
        ValueError: OpenCV knows no such format.
        OSError: the file cannot be written.
    """
    try:
        done, code = cv2.imencode(path.suffix, picture)
    except cv2.error:
        done = False
    if not done:
        raise ValueError(f"{path}: expected a name that ends in .png or .jpg")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(code.tobytes())
