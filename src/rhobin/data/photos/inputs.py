"""What a user names to predict: photographs, folders of them, videos."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

IMAGES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")
DRAWN = ".overlay.jpg"
"""What rhobin drew itself is no photograph."""
VIDEOS = (".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg", ".wmv")


@dataclass(frozen=True)
class Inputs:
    """What was named.

    Attributes:
        images: photographs in order, those of a folder sorted by name.
        videos: in order.
        ignored: number of other files in the folders.
        faults: a line for each folder without a photograph.
    """

    images: tuple[Path, ...]
    videos: tuple[Path, ...]
    ignored: int
    faults: tuple[str, ...]

    @property
    def count(self) -> int:
        """Photographs, videos and folders that cannot be used."""
        return len(self.images) + len(self.videos) + len(self.faults)


def list_inputs(named: Sequence[Path]) -> Inputs:
    """Photographs and videos by their endings; of a folder, the photographs directly in it.

    Args:
        named: files and folders. A file of an unknown ending counts as a photograph.
    """
    images: list[Path] = []
    videos: list[Path] = []
    faults, ignored = [], 0
    for path in named:
        if not path.is_dir():
            (videos if path.suffix.lower() in VIDEOS else images).append(path)
            continue
        files = [file for file in sorted(path.iterdir()) if file.is_file()]
        found = [f for f in files if f.suffix.lower() in IMAGES and not f.name.endswith(DRAWN)]
        images += found
        ignored += len(files) - len(found)
        if not found:
            faults.append(
                f"{path}: a folder with {len(files)} files and no image; expected {', '.join(IMAGES)} in it. "
                "Name the folder that holds them"
            )
    return Inputs(tuple(images), tuple(videos), ignored, tuple(faults))
