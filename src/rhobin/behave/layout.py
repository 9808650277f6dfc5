"""Where the raw (1 fps) BEHAVE release keeps its files, and what its names mean."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from glob import escape
from pathlib import Path

from rhobin.behave.exceptions import OBJECT_FOLDER, known_exceptions

KINECTS = (0, 1, 2, 3)
TEST_KINECT = 1
SYNTHETIC = "synth.json"
"""What only synthetic roots hold: the recipe that made them."""
RENDERS = "renders.json"
"""What only roots of rendered objects hold: the settings that made them."""
PERSON_FIT = "fit02"
OBJECT_FIT = "fit01"
OBJECT_MASKS = ("obj_rend_mask.png", "obj_rend_mask.jpg", "obj_mask.png", "obj_mask.jpg")
PERSON_MASKS = ("person_mask.png", "person_mask.jpg")
"""Masks in the order to try: a PNG has lost nothing (decision 0149)."""
COLORS = ("color.jpg", "color.png")
DEPTH = "depth.png"
REGISTER_URL = "https://virtualhumans.mpi-inf.mpg.de/behave/license.html"

CHALLENGE_LENS = (979.784, 979.840, 1018.952, 779.486)
"""fx, fy, cx, cy of kinect 1 as the challenges' evaluators have it, pixels of a `CHALLENGE_SIZE` image."""
CHALLENGE_SIZE = (2048, 1536)

_MALE, _FEMALE = range(1, 6), range(6, 9)
SUBJECTS = range(1, 9)
_SEQUENCE = re.compile(r"^(Date\d{2})_Sub(\d{2})_([a-z]+)(?:_(.+))?$")
_LONGEST = 255
_LEFT_BY_SYSTEMS = ("__MACOSX", "Thumbs.db", "desktop.ini")
_FRAME = re.compile(r"^t\d{4,}\.\d{3}$")


@dataclass(frozen=True)
class SequenceName:
    """A sequence folder's name taken apart: `Date03_Sub04_chairwood_sit`.

    Attributes:
        name: the folder name itself.
        date: recording day, which is also the room and the camera set-up: "Date03".
        subject: subject number.
        object_name: object as spelt in the name.
        action: what follows the object, "" when nothing does.
    """

    name: str
    date: str
    subject: int
    object_name: str
    action: str


def parse_sequence(name: str) -> SequenceName:
    """Take a sequence folder's name apart.

    Raises:
        ValueError: when the name is not `DateXX_SubYY_object[_action]`.
    """
    match = _SEQUENCE.match(name)
    if match is None:
        raise ValueError(f"sequence name {name!r} is not of the form DateXX_SubYY_object[_action]")
    date, subject, object_name, action = match.groups()
    return SequenceName(name, date, int(subject), object_name, action or "")


def subject_gender(subject: int) -> str:
    """Gender of a BEHAVE subject: 1 to 5 male, 6 to 8 female."""
    if subject in _MALE:
        return "male"
    if subject in _FEMALE:
        return "female"
    raise ValueError(f"BEHAVE has subjects 1 to 8, not {subject}")


def left_by_system(name: str) -> bool:
    """Whether an operating system left a file or folder: `._a.jpg`, `.DS_Store`, `__MACOSX`, `Thumbs.db`."""
    return name.startswith(".") or name in _LEFT_BY_SYSTEMS


def sequence_folder(root: Path, name: str, below: str = "sequences") -> Path:
    """Where a root keeps a sequence.

    Archives differ in what they hold: a sequence stands in the folder `below`, one folder deeper (as where an
    archive was unpacked into a folder of its own name), or in the root itself. The first that exists is
    taken; the usual place where none does.
    """
    usual = root / below / name
    if usual.is_dir():
        return usual
    deeper = sorted((root / below).glob(f"*/{escape(name)}"))
    places = [*(place for place in deeper if not left_by_system(place.parent.name)), root / name]
    return next((place for place in places if place.is_dir()), usual)


def file_sizes(folder: Path) -> dict[str, int]:
    """Sizes of what a folder holds by name, without links that lead nowhere; empty where it is no folder."""
    if not folder.is_dir():
        return {}
    with os.scandir(folder) as entries:
        return {
            entry.name: entry.stat().st_size
            for entry in entries
            if (entry.is_file() or entry.is_dir()) and not left_by_system(entry.name)
        }


def is_folder_name(name: str) -> bool:
    """Whether a name is one folder's or file's, and no path that leads elsewhere."""
    if name in ("", ".", "..") or "/" in name or "\\" in name:
        return False
    return name.isprintable() and len(name.encode()) <= _LONGEST


def frame_name(seconds: float) -> str:
    """Folder name of the frame at `seconds`: 3.0 -> "t0003.000"."""
    return f"t{seconds:08.3f}"


def is_frame_name(name: str) -> bool:
    """Whether a folder name is that of a frame."""
    return _FRAME.match(name) is not None


def object_dirs(object_name: str) -> tuple[str, ...]:
    """Names an object's folder and fit files may have inside a frame, in the order to try.

    The release names some objects by their detector class: every chair is `chair`, every ball is
    `sports ball` (with a space).
    """
    for part, folder in known_exceptions()[OBJECT_FOLDER]["folders"].items():
        if part in object_name:
            return (folder, object_name)
    return (object_name,)


def person_fit_file(frame_dir: Path, suffix: str = "pkl") -> Path:
    """Where a frame keeps the fitted body parameters (`pkl`) or mesh (`ply`)."""
    return frame_dir / "person" / PERSON_FIT / f"person_fit.{suffix}"


def object_fit_file(frame_dir: Path, object_dir: str, suffix: str = "pkl") -> Path:
    """Where a frame keeps the fitted object parameters or mesh, given the object's folder name."""
    return frame_dir / object_dir / OBJECT_FIT / f"{object_dir}_fit.{suffix}"


def camera_file(root: Path, date: str, kinect: int) -> Path:
    """Extrinsics of one Kinect on one date."""
    return root / "calibs" / date / "config" / str(kinect) / "config.json"


def intrinsics_file(root: Path, kinect: int) -> Path:
    """Intrinsics of one Kinect, the same on every date."""
    return root / "calibs" / "intrinsics" / str(kinect) / "calibration.json"


def table_file(root: Path, kinect: int) -> Path:
    """Where each pixel of one Kinect looks, as the official tools read it: (H, W, 2) x and y at depth one."""
    return intrinsics_file(root, kinect).with_name("pointcloud_table.npy")


def depth_file(frame_dir: Path, kinect: int) -> Path:
    """Depth image of one Kinect: 16 bits, millimetres, registered to its colour image."""
    return frame_dir / f"k{kinect}.{DEPTH}"
