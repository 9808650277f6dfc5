"""Masks of photographs from `--masks`: a file, a folder of files, or Mask R-CNN."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from rhobin.behave.video import split_frame
from rhobin.data.photos.chosen import Box, FoundMask
from rhobin.data.photos.instances import choose_masks, find_instances
from rhobin.data.photos.mask_files import MASK_SUFFIXES, read_masks
from rhobin.data.photos.mask_network import mask_network
from rhobin.data.photos.photo import Photo, PhotoError
from rhobin.data.photos.pointer import PARTS, READ

AUTO = "auto"
"""What stands for a network in place of a file."""

Finder = Callable[[Photo], dict[str, FoundMask]]
"""Masks of a photograph by part; raises PhotoError where a part that is needed is not there."""


def mask_finder(
    place: str,
    parts: Sequence[str],
    box: Box | None = None,
    asked: str | None = None,
    weights: Path | None = None,
    device: str = "cpu",
) -> Finder:
    """How to find the masks of photographs.

    Args:
        place: `AUTO`, a file of `MASK_SUFFIXES`, or a folder with NAME.json or NAME.npz for each NAME.jpg, or
            VIDEO/000000.npz for each frame of a video.
        parts: what the network predicts: `model.reads.parts`; these masks have to be there.
        box: the person is the one that overlaps most with it; x, y, width, height.
        asked: name of the object.
        weights: of Mask R-CNN, see `mask_network`.
        device: where Mask R-CNN runs.

    Raises:
        PhotoError: there is no such file, or Mask R-CNN has no weights.
    """
    need = [READ[part] for part in parts]
    also = [part for part in PARTS if part not in need]
    if place == AUTO:
        network = mask_network(weights, device)
        return lambda photo: choose_masks(find_instances(photo, network), photo, need, also, box, asked)
    if weights is not None:
        raise PhotoError(f"--mask-weights {weights}: read with --masks {AUTO} alone. Leave it out")
    if not Path(place).exists():
        raise PhotoError(
            f"--masks {place}: no such file; expected {AUTO}, a file or a folder. Check the path"
        )
    return lambda photo: read_masks(_beside(photo, Path(place)), photo, need, also, box, asked)


def _beside(photo: Photo, place: Path) -> Path:
    """The file itself, or the one in a folder that has the photograph's name, or the number of the frame."""
    if not place.is_dir():
        return place
    frame = split_frame(photo.file)
    name = f"{frame[0].stem}/{frame[1]:06d}" if frame else photo.file.stem
    wanted = [place / f"{name}{suffix}" for suffix in MASK_SUFFIXES]
    found = [file for file in wanted if file.is_file()]
    if len(found) != 1:
        names = " and ".join(file.name for file in found) or "neither"
        expected = " or ".join(file.name for file in wanted)
        raise PhotoError(f"{photo.file}: found {names} in {place}; expected {expected}, one of them. Add it")
    return found[0]
