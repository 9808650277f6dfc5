"""What a network drew of some views, beside the truth: plain arrays, and their file in a run folder."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Bool, Float, UInt8, UInt16

from rhobin.files import write_bytes
from rhobin.scoring.store import AGAIN, StoreError

DRAWINGS = "drawings.npz"
TRUE, DRAWN = 0, 1
"""Places in the arrays of a `DrawnView`."""


@dataclass(frozen=True)
class DrawnView:
    """One view; the first axis of most arrays of its kinds holds the truth, then what the network drew.

    Attributes:
        sequence: sequence name.
        frame: frame name.
        camera: kinect index.
        object_name: name of its object.
        label: why it is shown.
        image: (H, W, 3) the crop, RGB.
        K: (3, 3) intrinsics of the crop.
    """

    sequence: str
    frame: str
    camera: int
    object_name: str
    label: str
    image: UInt8[np.ndarray, "H W 3"]
    K: Float[np.ndarray, "3 3"]
    kind: ClassVar[str]


@dataclass(frozen=True)
class ObjectView(DrawnView):
    """What a network drew of an object.

    Attributes:
        R: (2, 3, 3) rotation, template to camera; the true one in the frame that the maps are told in.
        t: (2, 3) translation, metres.
        nocs: (2, h, w, 3) place in the template's box; 255 for its upper end.
        region: (2, h, w) surface region; 0 where the object is not.
        amodal: (2, h, w) where the object is.
        visible: (2, h, w) where the image shows it.
        scores: (2,) the discriminator's, higher is more real; NaN without one.
    """

    R: Float[np.ndarray, "2 3 3"]
    t: Float[np.ndarray, "2 3"]
    nocs: UInt8[np.ndarray, "2 h w 3"]
    region: UInt16[np.ndarray, "2 h w"]
    amodal: Bool[np.ndarray, "2 h w"]
    visible: Bool[np.ndarray, "2 h w"]
    scores: Float[np.ndarray, " 2"]
    kind: ClassVar[str] = "object"


@dataclass(frozen=True)
class PersonView(DrawnView):
    """What a network drew of a person's centre and joints.

    Attributes:
        joints: (2, 29, 3) joints in the crop's camera, metres; the network's before a body is fitted.
        front: (2, h, w) heatmap of the centre; 255 for 1.
        bird: (2, D, w) heatmap of the centre seen from above, over depth bin and column; 255 for 1.
        place: (2, 3) depth bin, row and column of the centre, fractional cells; the true one NaN outside.
        depths: (D,) depth at the centre of each bin, metres, nearest first.
    """

    joints: Float[np.ndarray, "2 29 3"]
    front: UInt8[np.ndarray, "2 h w"]
    bird: UInt8[np.ndarray, "2 D w"]
    place: Float[np.ndarray, "2 3"]
    depths: Float[np.ndarray, " D"]
    kind: ClassVar[str] = "person"


KINDS: tuple[type[DrawnView], ...] = (ObjectView, PersonView)


def write_views(folder: Path, views: Sequence[DrawnView]) -> str | None:
    """Write ``drawings.npz`` of a run; without views, remove it.

    Args:
        folder: the run folder.
        views: of one or several kinds, those of a kind with crops and maps of one size.

    Returns:
        The file's SHA-256; None without views.
    """
    if not views:
        (folder / DRAWINGS).unlink(missing_ok=True)
        return None
    packed = io.BytesIO()
    arrays: dict[str, Any] = {}
    for kind in KINDS:
        members = [view for view in views if isinstance(view, kind)]
        for field in fields(kind) if members else ():
            arrays[f"{kind.kind}.{field.name}"] = np.stack([getattr(view, field.name) for view in members])
    np.savez_compressed(packed, **arrays)
    write_bytes(folder / DRAWINGS, packed.getvalue())
    return hashlib.sha256(packed.getvalue()).hexdigest()


def read_views(folder: Path, expected: str | None) -> list[DrawnView]:
    """Read ``drawings.npz`` of a run.

    Args:
        folder: the run folder.
        expected: its SHA-256 by the run's scores; None where they name none.

    Returns:
        The views by kind; none without a hash.

    Raises:
        FileNotFoundError: there is no such file.
        StoreError: it is another file, or an older version's.
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
        found = [view for kind in KINDS for view in _views(kind, archive)]
    if not found:
        raise StoreError(f"{path}: expected views of objects or of people, found none. {AGAIN}")
    return found


def _views(kind: type[DrawnView], archive: Mapping[str, np.ndarray]) -> list[DrawnView]:
    names = [f"{kind.kind}.{field.name}" for field in fields(kind)]
    if names[0] not in archive:
        return []
    columns = [archive[name] for name in names]
    return [
        kind(*(row.item() if row.ndim == 0 else row for row in rows)) for rows in zip(*columns, strict=True)
    ]
