"""What is drawn of a frame: the meshes of the parts that a track compares, over the image and in 3D."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from rhobin.behave.calibration import read_camera
from rhobin.behave.layout import TEST_KINECT, sequence_folder
from rhobin.behave.read import read_info
from rhobin.data.images.whole import read_test_view
from rhobin.geometry.backend import nearest_distances
from rhobin.geometry.camera import resize_intrinsics
from rhobin.geometry.mesh import sample_surface
from rhobin.metrics.human_track import as_annotation, joints_of
from rhobin.metrics.joint import align_to_target, frame_rng
from rhobin.metrics.posing import body_of, placed_objects, posed_people, template_of
from rhobin.metrics.submission import Example
from rhobin.metrics.track import GroundTruth
from rhobin.metrics.tracks import HUMAN
from rhobin.reports.cases import Case
from rhobin.reports.overlay import Surface, data_uri, draw_outlines, draw_surfaces, window_around
from rhobin.reports.palette import PRED_BODY, PRED_OBJECT, TARGET_BODY, TARGET_OBJECT
from rhobin.reports.scene3d import SceneCase, SceneMesh
from rhobin.reports.skeleton import Skeleton, draw_skeletons

PICTURE = 400
DENSE = 20_000


@dataclass(frozen=True)
class PartMeshes:
    """Prediction and truth of one part of a frame, metres, camera frame.

    Attributes:
        pred: predicted surface.
        target: true surface.
        sharp: edges stay edges when it is shaded: objects have them.
    """

    pred: Surface
    target: Surface
    sharp: bool


def pose_case(case: Case, truth: GroundTruth, results: Mapping[str, Any]) -> list[PartMeshes]:
    """Meshes of the parts that the case's track compares.

    Args:
        case: the frame.
        truth: annotations, templates and bodies.
        results: predictions by sequence name.

    Returns:
        Person, then object, as far as the track has them; the prediction is not aligned.
    """
    e = case.error
    annotation, record = truth.annotations[e.sequence], results[e.sequence]
    rows = annotation.frames.index(e.frame), list(record["frames"]).index(e.frame)
    example = Example(e.sequence, e.frame, e.object_name, *rows, e.visible)
    parts = []
    if "human" in case.track.parts:
        body = body_of(truth.bodies, annotation.gender, e.sequence)
        pred, target = posed_people([example], annotation, record, body)
        faces = body.faces.cpu().numpy()
        parts.append(
            PartMeshes(Surface(pred[0], faces, PRED_BODY), Surface(target[0], faces, TARGET_BODY), False)
        )
    if "object" in case.track.parts:
        template = template_of(truth.templates, example)
        pred, target = placed_objects([example], annotation, record, template)
        faces = np.asarray(template.faces)
        parts.append(
            PartMeshes(Surface(pred[0], faces, PRED_OBJECT), Surface(target[0], faces, TARGET_OBJECT), True)
        )
    return parts


def pose_skeletons(case: Case, truth: GroundTruth, results: Mapping[str, Any]) -> list[Skeleton]:
    """True and predicted skeleton of a case whose track compares joints; none of other tracks."""
    if case.track is not HUMAN:
        return []
    e = case.error
    annotation, record = truth.annotations[e.sequence], results[e.sequence]
    body = body_of(truth.bodies, annotation.gender, e.sequence)
    true = joints_of(annotation, [annotation.frames.index(e.frame)], body)
    pred = joints_of(as_annotation(record, annotation), [list(record["frames"]).index(e.frame)], body)
    return [Skeleton(true[0], TARGET_BODY), Skeleton(pred[0], PRED_BODY)]


def draw_case(
    data_root: Path, case: Case, parts: Sequence[PartMeshes], skeletons: Sequence[Skeleton] = ()
) -> list[tuple[str, str]]:
    """The pictures of a case.

    Args:
        data_root: dataset root.
        case: the frame.
        parts: prediction and target in the camera frame.
        skeletons: in the camera frame.

    Returns:
        ``data:`` address and description of each: the image with the target's outline, with the prediction
        over it, and with the skeletons where there are any.

    Raises:
        FileNotFoundError: the image or its calibration is missing.
    """
    image, K = read_view(data_root, case.error.sequence, case.error.frame)
    pred, target = [part.pred for part in parts], [part.target for part in parts]
    height, width = image.shape[:2]
    shown, strays = [s.verts for s in target], [s.verts for s in pred]
    window = window_around(shown, strays, K, width, height, PICTURE)
    plain = window.cut(image)
    pictures = [
        (draw_outlines(plain, target, K, window), "image with true outline"),
        (draw_surfaces(image, pred, K, window), "predicted meshes"),
    ]
    if skeletons:
        pictures.append((draw_skeletons(plain, skeletons, K, window), "true and predicted skeleton"))
    return [(data_uri(picture), told) for picture, told in pictures]


def read_view(data_root: Path, sequence: str, frame: str) -> tuple[np.ndarray, np.ndarray]:
    """A test image and its intrinsics.

    Args:
        data_root: dataset root.
        sequence: sequence name.
        frame: frame name.

    Returns:
        (H, W, 3) RGB uint8, and (3, 3) intrinsics for that size.

    Raises:
        FileNotFoundError: there is no such image.
    """
    folder = sequence_folder(data_root, sequence)
    if not folder.is_dir():
        return read_test_view(data_root, sequence, frame)
    files = [folder / frame / f"k{TEST_KINECT}.color.{suffix}" for suffix in ("jpg", "png")]
    found = next((file for file in files if file.is_file()), None)
    image = None if found is None else cv2.imread(str(found), cv2.IMREAD_COLOR)
    if image is None:
        raise FileNotFoundError(f"{files[0]} is missing or unreadable; the report draws over test images")
    info = read_info(folder, data_root)
    camera = read_camera(info.config, info.intrinsic, TEST_KINECT)
    K = resize_intrinsics(camera.K, image.shape[1] / camera.width, image.shape[0] / camera.height)
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB), K


def aligned(parts: Sequence[PartMeshes]) -> list[PartMeshes]:
    """The parts with predictions after one similarity of all their vertices to the truth."""
    pred, target = (np.concatenate([s.verts for s in kind]) for kind in _kinds(parts))
    R, t, scale = align_to_target(pred, target)
    return [replace(part, pred=replace(part.pred, verts=scale * part.pred.verts @ R.T + t)) for part in parts]


def scene_case(case: Case, parts: Sequence[PartMeshes]) -> SceneCase:
    """A case for the 3D scene: the prediction, aligned where it has a person, and its distance to the truth.

    Args:
        case: the frame.
        parts: prediction and target in the camera frame.

    Returns:
        What the scene shows.
    """
    name, meshes = f"{case.error.sequence}/{case.error.frame}", []
    for part in aligned(parts) if "human" in case.track.parts else parts:
        dense = sample_surface(part.target.verts, part.target.faces, DENSE, frame_rng(0, name))
        error_mm = 1000 * nearest_distances(part.pred.verts, dense)
        meshes.append(SceneMesh(part.pred, "prediction", error_mm, part.sharp))
        meshes.append(SceneMesh(part.target, "target", sharp=part.sharp))
    return SceneCase(case.kind, case.caption, tuple(meshes))


def _kinds(parts: Sequence[PartMeshes]) -> tuple[list[Surface], list[Surface]]:
    return [part.pred for part in parts], [part.target for part in parts]
