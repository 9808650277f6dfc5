"""Reading the image packages of the 2024 and 2025 challenges: every image by itself, in its own camera."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from rhobin.behave.builder import FrameRecord, ReleaseBuilder
from rhobin.behave.calibration import read_lens
from rhobin.behave.exceptions import OTHER_DATASET, known_exceptions
from rhobin.behave.layout import TEST_KINECT, file_sizes, intrinsics_file
from rhobin.behave.readers.annotation2024 import ImageAnnotation, References, read_gt, read_references
from rhobin.behave.readers.frames import UnusableError
from rhobin.behave.readers.references import challenge_camera, package_templates
from rhobin.behave.release import Release
from rhobin.objects.template import Template

HUMAN_MASK, OBJECT_MASK = "_hum_mask.png", "_obj_mask.png"
_PERSON = (HUMAN_MASK, "_hum_mask.jpg", "_person_mask.png", "_person_mask.jpg")
_OBJECT = (OBJECT_MASK, "_obj_mask.jpg", "_obj_rend_mask.png", "_obj_rend_mask.jpg")
_ID = re.compile(r"^(Date\d{2}_Sub\d{2}_.+)-(t\d{4,}\.\d{3})-k(\d)$")


def image_id(sequence: str, frame: str, kinect: int) -> str:
    """An id that tells where an image comes from; the reader takes any other as it is."""
    return f"{sequence}-{frame}-k{kinect}"


def read_2024(
    root: Path, split: str, kinects: Sequence[int], templates: Mapping[str, Template] | None
) -> Release:
    """Read one split of a per-image package; arguments and errors as `rhobin.behave.read.read_release`.

    Parameters are in the frame of each image's own camera, whose place is not known: the world of a frame is
    its camera. Images whose id tells sequence, time and Kinect get those; others are frames, named by
    their id, of one sequence named as the split.
    """
    references = read_references(root)
    known = package_templates(root, references.meshes) if templates is None else dict(templates)
    builder = ReleaseBuilder(root, split, "2024", known)
    reader = _Reader(builder, root / split, references)
    for name in reader.ids():
        match = _ID.match(name)
        sequence, frame, kinect = match.groups() if match else (split, name, str(TEST_KINECT))
        if int(kinect) not in kinects and match:
            continue
        try:
            found = reader.read(name, frame, int(kinect))
        except UnusableError as why:
            builder.skip(why.file, why.reason, str(why), 1)
            if why.reason == "other_dataset":
                builder.note(OTHER_DATASET, split)
        else:
            builder.add(sequence, found[0].gender, found[0].object_name, found[1])
    return builder.release()


class _Reader:
    """The images of one part: `images/`, `masks/`, `gt/`, each by id."""

    def __init__(self, builder: ReleaseBuilder, folder: Path, references: References):
        self.builder, self.folder, self.references = builder, folder, references
        self.images = file_sizes(folder / "images")
        self.masks = file_sizes(folder / "masks")
        self.gt = file_sizes(folder / "gt")
        self.others = known_exceptions()[OTHER_DATASET]["datasets"]

    def ids(self) -> list[str]:
        """Ids of all images and annotations, in order."""
        named = {name.rsplit(".", 1)[0] for name in (*self.images, *self.gt)}
        return sorted(named)

    def read(self, name: str, frame: str, kinect: int) -> tuple[ImageAnnotation, FrameRecord]:
        """One image.

        Raises:
            UnusableError: it, a mask or its annotation is missing or broken, or it is not of BEHAVE.
        """
        color = self._pick("images", self.images, [f"{name}.jpg", f"{name}.png"], "missing_image")
        meta = self.references.meta(name)
        if meta and meta[0] in self.others:
            raise UnusableError(self.folder / "images" / color, "other_dataset", f"an image of {meta[0]}")
        masks = [
            self._pick("masks", self.masks, [name + ending for ending in endings], missing)
            for endings, missing in ((_PERSON, "missing_person_mask"), (_OBJECT, "missing_object_mask"))
        ]
        annotation = self._annotation(name)
        camera = self._camera(kinect)
        prefix = self.folder.relative_to(self.builder.root).as_posix()
        files = (f"{prefix}/images/{color}", f"{prefix}/masks/{masks[0]}", f"{prefix}/masks/{masks[1]}")
        listing = f"{color} {self.images[color]}\n" + "".join(f"{m} {self.masks[m]}\n" for m in masks)
        return annotation, FrameRecord(frame, annotation.parameters, {kinect: (camera, files)}, listing)

    def _camera(self, kinect: int) -> int:
        """The lens of an image: of `calibs/intrinsics` where the root has it, or the challenge's."""
        known = self.builder.camera_id(kinect)
        if known is not None:
            return known
        file = intrinsics_file(self.builder.root, kinect)
        try:
            lens = read_lens(file) if file.is_file() else challenge_camera()
        except ValueError as error:
            raise UnusableError(file, "bad_calibration", str(error)) from error
        return self.builder.add_camera(kinect, lens)

    def _annotation(self, name: str) -> ImageAnnotation:
        file = self.folder / "gt" / f"{name}.pkl"
        if file.name in self.gt:
            return read_gt(file, self.references.meta(name), self.builder.templates)
        annotation = self.references.annotation(name)
        if annotation is None:
            raise UnusableError(file, "missing_annotation", "no such file, and ref.pkl has no such id")
        return annotation

    def _pick(self, folder: str, sizes: Mapping[str, int], names: list[str], missing: str) -> str:
        """The first of some names that is there and not empty."""
        name = next((name for name in names if name in sizes), None)
        if name is None:
            raise UnusableError(self.folder / folder / names[0], missing, "no such file")
        if sizes[name] == 0:
            raise UnusableError(self.folder / folder / name, "empty_file", "zero bytes")
        return name
