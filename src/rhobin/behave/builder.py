"""Collecting frames of any layout into a release."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from rhobin.behave.plausible import placement_fault
from rhobin.behave.release import Frames, Release, Views
from rhobin.behave.skips import Skip
from rhobin.objects.names import names_by_id
from rhobin.objects.template import Template
from rhobin.types import GENDERS, Camera

FileNames = tuple[str, str, str]


@dataclass(frozen=True)
class FrameRecord:
    """A usable frame.

    Attributes:
        name: frame name.
        parameters: (175,) pose, betas, trans, object angle, object trans, in the release's world; those of a
            part without any mean nothing.
        views: by Kinect: index of the camera, and files of colour, person mask and object mask relative to
            the root; "" for the mask of a part that is not shown.
        listing: names and sizes of those files, for the data hash.
        visible: visible fraction of the object, NaN where unknown.
        has_body: whether the parameters hold a body.
        has_object: whether they hold an object's pose.
    """

    name: str
    parameters: np.ndarray
    views: Mapping[int, tuple[int, FileNames]]
    listing: str
    visible: float = float("nan")
    has_body: bool = True
    has_object: bool = True


class EmptySplitError(ValueError):
    """A split of which nothing can be used, or is there at all."""


class ReleaseBuilder:
    """Takes frames sequence by sequence, and what had to be left out.

    Attributes:
        root: dataset root.
        split: part of the data.
        layout: a key of `rhobin.behave.detect.LAYOUTS`.
        templates: object templates by name.
        skips: what was left out so far.
        exceptions: by known exception, the sequences that it was applied to so far.
    """

    def __init__(self, root: Path, split: str, layout: str, templates: Mapping[str, Template]):
        self.root, self.split, self.layout, self.templates = root, split, layout, dict(templates)
        self._objects = names_by_id(self.templates)
        self.skips: list[Skip] = []
        self.exceptions: dict[str, list[str]] = {}
        self._sequences: list[str] = []
        self._records: list[FrameRecord] = []
        self._facts: list[tuple[int, int, int]] = []
        self._rows: list[tuple[int, int, int]] = []
        self._cameras: list[Camera] = []
        self._camera_ids: dict[object, int] = {}
        self._digest = hashlib.sha256()

    def skip(self, path: Path, reason: str, detail: str, views: int) -> None:
        """Note a file or folder under the root that was left out, and how many views went with it."""
        self.skips.append(Skip(path.relative_to(self.root).as_posix(), reason, detail, views))

    def note(self, exception: str, sequence: str) -> None:
        """Note that a known exception was applied to a sequence."""
        sequences = self.exceptions.setdefault(exception, [])
        if sequence not in sequences:
            sequences.append(sequence)

    def camera_id(self, key: object) -> int | None:
        """Index of a camera that was added under `key`."""
        return self._camera_ids.get(key)

    def add_camera(self, key: object, camera: Camera) -> int:
        """Index of a camera, added when `key` is new."""
        if key not in self._camera_ids:
            self._camera_ids[key] = len(self._cameras)
            self._cameras.append(camera)
            for array in (camera.K, camera.R, camera.t, np.array([camera.width, camera.height])):
                self._digest.update(np.ascontiguousarray(array).tobytes())
            if camera.distortion is not None:
                self._digest.update(camera.distortion.tobytes())
        return self._camera_ids[key]

    def add(self, sequence: str, gender: str, object_name: str, record: FrameRecord) -> None:
        """Add a frame; frames of one sequence come one after the other.

        Views whose camera cannot have seen what was fitted are left out and noted. A sequence without an
        object has no `object_name`, and one without a person is "neutral".
        """
        views = self._seen(record)
        if record.views and not views:
            return
        if not self._sequences or self._sequences[-1] != sequence:
            self._sequences.append(sequence)
        row = len(self._records)
        self._records.append(replace(record, views=views))
        object_id = self._objects.index(object_name) if object_name else -1
        self._facts.append((len(self._sequences) - 1, GENDERS.index(gender), object_id))
        self._rows += [(row, kinect, camera) for kinect, (camera, _) in views.items()]
        self._digest.update(f"{sequence}/{record.name} {gender} {object_name}\n".encode())
        self._digest.update(record.parameters.tobytes())
        self._digest.update(record.listing.encode())

    def _seen(self, record: FrameRecord) -> dict[int, tuple[int, FileNames]]:
        """The views of a frame that its cameras can have seen."""
        seen = {}
        for kinect, (camera, files) in record.views.items():
            has = (record.has_body, record.has_object)
            fault = placement_fault(record.parameters, self._cameras[camera], *has)
            if fault is None:
                seen[kinect] = (camera, files)
            else:
                self.skip(self.root / files[0], "absurd_placement", fault, 1)
        return seen

    def release(self) -> Release:
        """The release of everything added.

        Raises:
            EmptySplitError: when nothing was; lists the first reasons.
        """
        if not self._records:
            first = "; ".join(f"{s.file}: {s.detail}" for s in self.skips[:3]) or "it lists no sequence"
            raise EmptySplitError(f"{self.root}: no usable frame in the {self.split} split. {first}")
        for name in sorted(self.templates):
            self._digest.update(f"{name} {self.templates[name].sha256}\n".encode())
        return Release(
            self.root,
            self.split,
            self.layout,
            self._sequences,
            self._frames(),
            self._views(),
            self._cameras,
            self.templates,
            self.skips,
            self._digest.hexdigest()[:16],
            self.exceptions,
        )

    def _frames(self) -> Frames:
        records = self._records
        parameters = np.stack([record.parameters for record in records])
        pose, betas, trans, angle, shift = np.split(parameters, [156, 166, 169, 172], axis=1)
        facts = np.array(self._facts, np.int64)
        return Frames(
            sequence=facts[:, 0].astype(np.int32),
            name=np.array([record.name for record in records]),
            pose=pose,
            betas=betas,
            trans=trans,
            obj_angle=angle,
            obj_trans=shift,
            gender=facts[:, 1].copy(),
            object_id=facts[:, 2].copy(),
            visible=np.array([record.visible for record in records], np.float64),
            has_body=np.array([record.has_body for record in records], bool),
            has_object=np.array([record.has_object for record in records], bool),
        )

    def _views(self) -> Views:
        rows = np.array(self._rows, np.int32).reshape(-1, 3)
        names = [self._records[frame].views[kinect][1] for frame, kinect, _ in self._rows]
        files = np.array(names).reshape(-1, 3)
        return Views(rows[:, 0], rows[:, 1], rows[:, 2], files, files[:, 1:] != "")
