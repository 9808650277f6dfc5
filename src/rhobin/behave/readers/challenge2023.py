"""Reading the package of the 2023 challenge: training sequences in parts, test images, `ref.pkl`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from rhobin.behave.builder import EmptySplitError, FrameRecord, ReleaseBuilder
from rhobin.behave.calibration import read_camera
from rhobin.behave.exceptions import TEST_KINECT_ONLY
from rhobin.behave.layout import (
    TEST_KINECT,
    file_sizes,
    is_frame_name,
    left_by_system,
    parse_sequence,
    subject_gender,
)
from rhobin.behave.readers.frames import UnusableError, view_names
from rhobin.behave.readers.raw import add_sequence
from rhobin.behave.readers.references import challenge_camera, package_templates
from rhobin.behave.ref import RefTemplate, SequenceAnnotation, find_ref, read_ref
from rhobin.behave.release import Release
from rhobin.behave.root_templates import adopt_symmetries
from rhobin.behave.splits import read_split
from rhobin.objects.template import Template
from rhobin.types import GENDERS

_BODY = 169
"""Numbers of a frame that are the body's; those of the object follow."""


def read_2023(
    root: Path, split: str, kinects: Sequence[int], templates: Mapping[str, Template] | None
) -> Release:
    """Read one split of the 2023 package; arguments and errors as `rhobin.behave.read.read_release`."""
    ref = find_ref(root)
    annotations: dict[str, SequenceAnnotation] = {}
    meshes: dict[str, RefTemplate] | None = None
    if ref is not None:
        annotations, meshes = read_ref(ref)
    if templates is None:
        known = package_templates(root, None if meshes is None else _meshes(meshes))
        if ref is not None and meshes is not None:
            known = adopt_symmetries(root, ref, known, meshes)
    else:
        known = dict(templates)
    builder = ReleaseBuilder(root, split, "2023", known)
    if split == "train":
        _add_training(builder, kinects)
    elif split == "test":
        _add_test(builder, annotations if ref is not None else _hidden_truth(root), kinects)
    return builder.release()


def _meshes(templates: Mapping[str, RefTemplate]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    return {name: (template.verts, template.faces) for name, template in templates.items()}


def _listed(root: Path, part: str) -> set[str] | None:
    """Names that the root's `split.json` lists for a part; None without that file."""
    return set(read_split(root)[part]) if (root / "split.json").is_file() else None


def _add_training(builder: ReleaseBuilder, kinects: Sequence[int]) -> None:
    root = builder.root
    found = [*root.glob("train_part*/Date*/"), *root.glob("train_part*/*/Date*/")]
    folders = [path for path in found if path.is_dir() and not left_by_system(path.parent.name)]
    fixed = None
    if not (root / "calibs").is_dir():
        detail = "the package comes without calibs/: kinect 1 only, by the challenge's intrinsics"
        builder.skip(root / "calibs", "bad_calibration", detail, 0)
        kinects, fixed = [k for k in kinects if k == TEST_KINECT], {TEST_KINECT: challenge_camera()}
    listed = _listed(root, "train")
    for folder in sorted(folders, key=lambda path: path.name):
        if listed is not None and folder.name not in listed:
            builder.skip(folder, "not_in_split", "split.json does not list it for training", 0)
        else:
            add_sequence(builder, folder, kinects, fixed)
    for name in sorted((listed or set()) - {folder.name for folder in folders}):
        builder.skip(root / "train_part1" / name, "missing_sequence", "in none of the parts", 0)


def _add_test(
    builder: ReleaseBuilder, annotations: Mapping[str, SequenceAnnotation], kinects: Sequence[int]
) -> None:
    if TEST_KINECT not in kinects:
        raise EmptySplitError(
            f"{builder.root}: test images show kinect {TEST_KINECT} only, asked for {kinects}"
        )
    listed = _listed(builder.root, "test")
    for name, annotation in annotations.items():
        folder = builder.root / "test_images" / name
        lost = len(annotation.frames)
        if listed is not None and name not in listed:
            builder.skip(folder, "not_in_split", "split.json does not list it for test", lost)
        elif not folder.is_dir():
            builder.skip(folder, "missing_sequence", "annotated, but no such folder", lost)
        else:
            _add_test_sequence(builder, folder, annotation)


def _hidden_truth(root: Path) -> dict[str, SequenceAnnotation]:
    """What is known of test images without `ref.pkl`: their names and who is shown, but no pose (NaN)."""
    found = {}
    for folder in sorted((root / "test_images").glob("Date*/")):
        frames = sorted(path.name for path in folder.iterdir() if is_frame_name(path.name))
        try:
            gender = subject_gender(parse_sequence(folder.name).subject)
        except ValueError:
            gender = "unknown"  # refused where the sequence is read, with the reason
        sizes = {"poses": 156, "betas": 10, "trans": 3, "obj_rots": 3, "obj_trans": 3}
        hidden = {key: np.full((len(frames), size), np.nan) for key, size in sizes.items()}
        visible = np.full(len(frames), np.nan)
        found[folder.name] = SequenceAnnotation(frames, gender, **hidden, occ_ratios=visible)
    return found


def _add_test_sequence(builder: ReleaseBuilder, folder: Path, annotation: SequenceAnnotation) -> None:
    lost = len(annotation.frames)
    try:
        parsed = parse_sequence(folder.name)
        if annotation.gender not in GENDERS:
            raise ValueError(f"gender is {annotation.gender!r}; expected one of {', '.join(GENDERS)}")
        camera = _test_camera(builder, parsed.date)
    except (OSError, ValueError) as error:
        builder.skip(folder, "bad_sequence", str(error), lost)
        return
    if parsed.object_name not in builder.templates:
        builder.skip(folder, "unknown_object", f"object {parsed.object_name!r}", lost)
        return
    builder.note(TEST_KINECT_ONLY, folder.name)
    parameters = np.concatenate(
        [getattr(annotation, key) for key in ("poses", "betas", "trans", "obj_rots", "obj_trans")], axis=1
    )
    for row, frame in enumerate(annotation.frames):
        try:
            record = _test_frame(builder, folder / frame, camera, parameters[row], annotation.occ_ratios[row])
        except UnusableError as why:
            builder.skip(why.file, why.reason, str(why), 1)
        else:
            builder.add(folder.name, annotation.gender, parsed.object_name, record)
    known = set(annotation.frames)
    for path in sorted(folder.iterdir()):
        if is_frame_name(path.name) and path.name not in known:
            builder.skip(path, "missing_annotation", "ref.pkl has no such frame", 1)


def _test_camera(builder: ReleaseBuilder, date: str) -> int:
    calibs = builder.root / "calibs"
    key = (calibs / date, TEST_KINECT)
    known = builder.camera_id(key)
    if known is not None:
        return known
    if not calibs.is_dir():
        return builder.add_camera(key, challenge_camera())
    return builder.add_camera(key, read_camera(calibs / date / "config", calibs / "intrinsics", TEST_KINECT))


def _test_frame(
    builder: ReleaseBuilder, folder: Path, camera: int, parameters: np.ndarray, visible: float
) -> FrameRecord:
    if not folder.is_dir():
        raise UnusableError(folder, "missing_image", "annotated, but no such folder")
    hidden = bool(np.isnan(parameters).all())
    if not hidden and not np.isfinite(parameters).all():
        raise UnusableError(folder, "bad_parameters", "parameters in ref.pkl are not finite")
    sizes = file_sizes(folder)
    color, person, obj = view_names(folder, TEST_KINECT, sizes)
    listing = "".join(f"{name} {sizes[name]}\n" for name in (color, person, obj))
    prefix = folder.relative_to(builder.root).as_posix()
    files = (f"{prefix}/{color}", f"{prefix}/{person}", f"{prefix}/{obj}")
    if hidden:
        parameters = np.where(np.arange(len(parameters)) < _BODY, 0.0, np.nan)
    views = {TEST_KINECT: (camera, files)}
    return FrameRecord(folder.name, parameters, views, listing, float(visible), has_body=not hidden)
