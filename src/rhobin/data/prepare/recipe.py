"""What a prepared root looks like: how views are stored, and where."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

FORMAT = 5
PREPARED = "prepared.json"
UNFINISHED = "unfinished.json"
"""What stands in place of `prepared.json` until all sequences are complete."""
MANIFEST = "manifest.json"
TEMPLATES = "templates.npz"
AROUND = ("union", "person", "object")
BESIDE = ("ref.pkl", "synth.json", "renders.json", "split.json")
"""Small files of a raw root that scoring and reports read."""

STORED = np.dtype(
    [
        ("reason", "S32"),
        ("bad_file", "i8"),
        ("size", "i8", (2,)),
        ("boxes", "i8", (2, 4)),
        ("patch", "i8", (4,)),
        ("stored", "i8", (2,)),
        ("color", "i8", (3,)),
        ("masks", "i8", (3,)),
    ]
)
"""One view as it is stored.

`reason` is a key of `rhobin.behave.skips.REASONS` for a view that could not be used, with `bad_file` (0 to 2)
the file at fault, else empty. `size`: width and height of the full image. `boxes`: x, y, width, height of
person and object. `patch`: left, top, right, bottom of what is stored, in the full image. `stored`: width and
height of it. `color`, `masks`: offset in their file, length, CRC-32.
"""


@dataclass(frozen=True)
class Recipe:
    """How views are stored.

    Attributes:
        around: whose box the stored square surrounds: "union" of person and object, "person" or "object".
        margin: side of the square as a factor on the longer side of that box.
        size: pixels across the whole square at most, of which the image's border may clip a part; with an
            infinite margin, across the longer side of the image.
        quality: of JPEG.
        shards: whether a sequence is one tar file instead of a folder.
    """

    around: str = "union"
    margin: float = 3.1
    size: int = 768
    quality: int = 95
    shards: bool = False

    def scale(self, box: np.ndarray, image: tuple[int, int]) -> float:
        """Stored pixels for a pixel of an image of that size, from the box (4,) that the square surrounds."""
        width = max(image) if np.isinf(self.margin) else self.margin * max(box[2:].tolist())
        return min(1.0, self.size / width)

    def __post_init__(self):
        if self.around not in AROUND:
            raise ValueError(f"--around is {self.around!r}; expected one of {', '.join(AROUND)}")
        if self.margin < 1:
            raise ValueError(f"--margin is {self.margin}; expected at least 1, the box itself")
        if self.size < 16:
            raise ValueError(f"--size is {self.size}; expected at least 16 pixels")
        if not 1 <= self.quality <= 100:
            raise ValueError(f"--quality is {self.quality}; expected 1 to 100")


def view_stem(frame: str, kinect: int) -> str:
    """Name of a view's files without suffix; no dots, since WebDataset ends a sample's key at the first."""
    return f"{frame.replace('.', '_')}_k{kinect}"


def sequence_store(split: str, sequence: str, shards: bool) -> str:
    """The folder or tar file of a sequence, relative to the prepared root."""
    return f"shards/{split}/{sequence}.tar" if shards else f"views/{split}/{sequence}"


def record_file(root: Path, split: str, sequence: str) -> Path:
    """The record whose presence says that a sequence is complete."""
    return root / "records" / split / f"{sequence}.json"
