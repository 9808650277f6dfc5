"""What a user says of where the person and the object of a photograph are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rhobin.data.photos.photo import PhotoError

PARTS = ("person", "object")
"""Order of the masks of a view."""
READ = {"human": "person", "object": "object"}
"""Which of them `model.reads.parts` means."""
OPTIONS = {"person": ("--mask", "--box"), "object": ("--object-mask", "--object-box")}

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Told:
    """Where one part is: a mask, or a box, or nothing.

    Attributes:
        box: (x, y, width, height), pixels of the upright image.
        mask: a file whose bright pixels are the part, or such pixels (H, W) themselves, bool or uint8.
        name: what to call a mask that is no file.
    """

    box: Box | None = None
    mask: Path | np.ndarray | None = None
    name: str = ""

    def __bool__(self) -> bool:
        return self.box is not None or self.mask is not None

    @property
    def mask_name(self) -> str:
        """The mask in words."""
        return str(self.mask) if isinstance(self.mask, Path) else self.name


@dataclass(frozen=True)
class Pointer:
    """What a user says of a photograph.

    Attributes:
        person: where the person is.
        object: where the object is.
    """

    person: Told = Told()
    object: Told = Told()

    def __getitem__(self, part: int) -> Told:
        return (self.person, self.object)[part]


def require_told(where: str, parts: Sequence[str], person: object, obj: object) -> None:
    """Refuse a photograph of which a part that the network predicts is not pointed at.

    Args:
        where: the photograph or the run, for the message.
        parts: what the network predicts: `model.reads.parts`.
        person: true where the person is pointed at.
        obj: the same of the object.

    Raises:
        PhotoError: with the options to give.
    """
    predicted = [READ[part] for part in parts]
    for part, told in zip(PARTS, (person, obj), strict=True):
        if part in predicted and not told:
            mask, box = OPTIONS[part]
            raise PhotoError(
                f"{where}: no {part} is pointed at, and this network predicts the "
                f"{' and the '.join(predicted)}; give {mask} FILE or {box} X,Y,WIDTH,HEIGHT"
            )
