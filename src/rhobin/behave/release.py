"""The record that every layout of the data is read into: flat arrays, one row per frame, one per view."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from rhobin.behave.layout import CHALLENGE_LENS, CHALLENGE_SIZE
from rhobin.behave.skips import Skip
from rhobin.geometry.camera import resize_intrinsics
from rhobin.objects.template import Template
from rhobin.types import Camera

ViewFiles = tuple[Path, Path | None, Path | None]
"""Colour, person mask and object mask; None where a view shows nobody, or no object."""


@dataclass(frozen=True)
class Frames:
    """Parameters of F frames in the world frame, metres and radians.

    The world is kinect 1's camera; layouts that tell no camera's place have a world for each image, which is
    its own camera.

    Attributes:
        sequence: (F,) index into the release's sequences.
        name: (F,) frame names.
        pose: (F, 156) SMPL-H axis-angle, absolute hands.
        betas: (F, 10).
        trans: (F, 3).
        obj_angle: (F, 3) rotation vector, centred template to world; NaN where it is not known, as in hidden
            test sets.
        obj_trans: (F, 3); the same.
        gender: (F,) index into `GENDERS`; neutral for nobody.
        object_id: (F,) index into the object names (`rhobin.objects.names.names_by_id`); -1 for no object.
        visible: (F,) visible fraction of the object in the test Kinect; NaN where the layout does not say.
        has_body: (F,) bool, False where there are no SMPL-H parameters: theirs mean nothing then.
        has_object: (F,) bool, False where there is no object pose: its numbers mean nothing then.
    """

    sequence: np.ndarray
    name: np.ndarray
    pose: np.ndarray
    betas: np.ndarray
    trans: np.ndarray
    obj_angle: np.ndarray
    obj_trans: np.ndarray
    gender: np.ndarray
    object_id: np.ndarray
    visible: np.ndarray
    has_body: np.ndarray
    has_object: np.ndarray


@dataclass(frozen=True)
class Views:
    """N images: which frame each shows, by which Kinect and camera, and its three files.

    Attributes:
        frame: (N,) row in `Frames`.
        kinect: (N,) Kinect number.
        camera: (N,) index into the release's cameras.
        files: (N, 3) posix paths of colour, person mask, object mask, relative to the release's root;
            `clip.mp4#12` is frame 12 of a video; "" for the mask of a part that is not shown.
        shown: (N, 2) bool, whether a view shows a person, and an object.
    """

    frame: np.ndarray
    kinect: np.ndarray
    camera: np.ndarray
    files: np.ndarray
    shown: np.ndarray


@dataclass(frozen=True)
class Release:
    """What one split of a release holds after reading.

    Attributes:
        root: dataset root.
        split: "train", "val" or "test".
        layout: which release's rules the files follow: a key of `rhobin.behave.detect.LAYOUTS`.
        sequences: names, in order.
        frames: parameters.
        views: images.
        cameras: calibrated cameras that `views.camera` points into.
        templates: object templates by name.
        skips: what was left out and why.
        data_hash: digest of parameters, calibration, templates, and names and sizes of all files read.
        exceptions: by known exception (`rhobin.behave.exceptions`), the sequences that it was applied to.
    """

    root: Path
    split: str
    layout: str
    sequences: list[str]
    frames: Frames
    views: Views
    cameras: Sequence[Camera]
    templates: dict[str, Template]
    skips: list[Skip]
    data_hash: str
    exceptions: dict[str, list[str]] = field(default_factory=dict)

    def view_files(self, view: int) -> ViewFiles:
        """Colour, person mask and object mask files of a view; None for the mask of what is not shown."""
        color, person, obj = self.views.files[view]
        return self.root / color, self._file(person), self._file(obj)

    def complete_files(self, view: int) -> tuple[Path, Path, Path]:
        """The files of a view that shows a person and an object.

        Raises:
            ValueError: it does not.
        """
        color, person, obj = self.view_files(view)
        if person is None or obj is None:
            raise ValueError(f"{color}: expected a view of a person and an object, found one without a mask")
        return color, person, obj

    def intrinsics(self, view: int, size: tuple[int, int]) -> np.ndarray:
        """Intrinsics (3, 3) of a view whose image has this size, even if it was resized after calibration."""
        camera = self.cameras[self.views.camera[view]]
        if size == (camera.width, camera.height):
            return camera.K
        return resize_intrinsics(camera.K, size[0] / camera.width, size[1] / camera.height)

    def frame_width(self, view: int) -> float:
        """Pixels across the frame of a view's camera; a render is a part of a challenge frame."""
        camera = self.cameras[self.views.camera[view]]
        whole = CHALLENGE_SIZE[0] / CHALLENGE_LENS[0] * camera.K[0, 0]
        return float(whole) if self.layout == "renders" else camera.width

    def _file(self, name: str) -> Path | None:
        return self.root / name if name else None
