"""What a network drew of some views, beside the truth: plain arrays, and their file in a run folder."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, UInt8, UInt16

from rhobin.files import write_bytes
from rhobin.scoring.store import AGAIN, StoreError

DRAWINGS = "drawings.npz"
TRUE, DRAWN = 0, 1
"""Places in the arrays of a `DrawnView`."""


@dataclass(frozen=True)
class DrawnView:
    """One view; the first axis of most arrays holds the truth, then what the network drew.

    Attributes:
        sequence: sequence name.
        frame: frame name.
        camera: kinect index.
        object_name: name of its object.
        label: why it is shown.
        image: (H, W, 3) the crop, RGB.
        K: (3, 3) intrinsics of the crop.
        R: (2, 3, 3) rotation, template to camera; the true one in the frame that the maps are told in.
        t: (2, 3) translation, metres.
        nocs: (2, h, w, 3) place in the template's box; 255 for its upper end.
        region: (2, h, w) surface region; 0 where the object is not.
        amodal: (2, h, w) where the object is.
        visible: (2, h, w) where the image shows it.
        scores: (2,) the discriminator's, higher is more real; NaN without one.
    """

    sequence: str
    frame: str
    camera: int
    object_name: str
    label: str
    image: UInt8[np.ndarray, "H W 3"]
    K: Float[np.ndarray, "3 3"]
    R: Float[np.ndarray, "2 3 3"]
    t: Float[np.ndarray, "2 3"]
    nocs: UInt8[np.ndarray, "2 h w 3"]
    region: UInt16[np.ndarray, "2 h w"]
    amodal: Bool[np.ndarray, "2 h w"]
    visible: Bool[np.ndarray, "2 h w"]
    scores: Float[np.ndarray, " 2"]


def write_views(folder: Path, views: Sequence[DrawnView]) -> str | None:
    """Write ``drawings.npz`` of a run; without views, remove it.

    Args:
        folder: the run folder.
        views: crops and maps of one size.

    Returns:
        The file's SHA-256; None without views.
    """
    if not views:
        (folder / DRAWINGS).unlink(missing_ok=True)
        return None
    packed = io.BytesIO()
    names = [field.name for field in fields(DrawnView)]
    stacked: dict[str, Any] = {name: np.stack([getattr(view, name) for view in views]) for name in names}
    np.savez_compressed(packed, **stacked)
    write_bytes(folder / DRAWINGS, packed.getvalue())
    return hashlib.sha256(packed.getvalue()).hexdigest()


def read_views(folder: Path, expected: str | None) -> list[DrawnView]:
    """Read ``drawings.npz`` of a run.

    Args:
        folder: the run folder.
        expected: its SHA-256 by the run's scores; None where they name none.

    Returns:
        The views; none without a hash.

    Raises:
        FileNotFoundError: there is no such file.
        StoreError: it is another file.
    """
    if expected is None:
        return []
    path = folder / DRAWINGS
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing, but the run's scores name it. {AGAIN}")
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != expected:
        raise StoreError(f"{path} is not the file that the run's scores name (checksums differ). {AGAIN}")
    with np.load(io.BytesIO(content), allow_pickle=False) as archive:
        columns = [archive[field.name] for field in fields(DrawnView)]
    return [
        DrawnView(*(row.item() if row.ndim == 0 else row for row in rows))
        for rows in zip(*columns, strict=True)
    ]
