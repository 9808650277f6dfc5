"""What detection files a raw root ships beside its images, and which of them are missing or malformed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rhobin.behave.detect import detect_layout
from rhobin.behave.layout import COLORS, KINECTS, is_frame_name
from rhobin.behave.readers.frankmocap import mocap_file, read_mocap
from rhobin.behave.readers.openpose import keypoints_file, read_keypoints

FRAMES = ("sequences/*/*/", "sequences/*/*/*/", "Date*_Sub*_*/*/")
"""Where folders of frames may stand: see `rhobin.behave.layout.sequence_folder`."""


@dataclass
class DetectionFiles:
    """The files of one detector, one expected for each view.

    Attributes:
        views: views with a colour image.
        frames: frames with a view.
        whole_frames: frames of which every view has a file that could be read.
        found: views in which the detector found a person.
        nobody: files that say, by zeros alone, that it found none.
        missing: files that are not there, in order.
        malformed: files that could not be read and what is wrong with each; the message names the file.
    """

    views: int = 0
    frames: int = 0
    whole_frames: int = 0
    found: int = 0
    nobody: int = 0
    missing: list[Path] = field(default_factory=list)
    malformed: dict[Path, str] = field(default_factory=dict)

    def add_frame(self, files: list[Path], has_person: Callable[[Path], bool]) -> None:
        """Read the files of one frame and count them."""
        readable = [self._add(file, has_person) for file in files]
        self.views += len(files)
        self.frames += 1
        self.whole_frames += all(readable)

    def _add(self, file: Path, has_person: Callable[[Path], bool]) -> bool:
        try:
            found = has_person(file)
        except FileNotFoundError:
            self.missing.append(file)
            return False
        except ValueError as error:
            self.malformed[file] = str(error)
            return False
        self.found += found
        self.nobody += not found
        return True


def check_detections(root: Path) -> Mapping[str, DetectionFiles]:
    """Read every detection file that a raw root should have.

    Args:
        root: dataset root in the layout of the raw release.

    Returns:
        Counts and findings by detector: OpenPose's keypoints and FrankMocap's guesses.

    Raises:
        FileNotFoundError: the root is not of the raw layout, or has no frame with a colour image.
    """
    detect_layout(root, "raw")
    openpose, frankmocap = DetectionFiles(), DetectionFiles()
    for frame, kinects in _views(root):
        openpose.add_frame(
            [keypoints_file(frame, kinect) for kinect in kinects], lambda file: read_keypoints(file).found
        )
        frankmocap.add_frame(
            [mocap_file(frame, kinect) for kinect in kinects], lambda file: not read_mocap(file).missing
        )
    if not openpose.frames:
        raise FileNotFoundError(
            f"expected frames with colour images such as {root}/sequences/<sequence>/t0003.000/k1.color.jpg, "
            "found none; unpack the release as data/README.md shows"
        )
    return {"OpenPose": openpose, "FrankMocap": frankmocap}


def _views(root: Path) -> Iterator[tuple[Path, list[int]]]:
    """Frame folders in order, and the Kinects whose colour image each has."""
    places = (place for pattern in FRAMES for place in root.glob(pattern))
    for frame in sorted(path for path in places if is_frame_name(path.name)):
        names = {path.name for path in frame.iterdir()}
        kinects = [kinect for kinect in KINECTS if names & {f"k{kinect}.{color}" for color in COLORS}]
        if kinects:
            yield frame, kinects
