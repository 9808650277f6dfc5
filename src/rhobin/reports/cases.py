"""Which frames a report shows, and everything needed to draw them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from rhobin.behave.calibration import read_camera
from rhobin.behave.layout import TEST_KINECT
from rhobin.behave.read import read_info
from rhobin.behave.ref import read_ref
from rhobin.data.images.whole import read_test_view
from rhobin.geometry.backend import nearest_distances
from rhobin.geometry.camera import resize_intrinsics
from rhobin.geometry.mesh import sample_surface
from rhobin.metrics.joint import FrameMeshes, aligned_meshes, frame_rng
from rhobin.metrics.joint_track import FrameError
from rhobin.metrics.posing import pose_examples
from rhobin.metrics.submission import Example
from rhobin.reports.overlay import Surface, data_uri, draw_outlines, draw_surfaces, window_around
from rhobin.reports.palette import PRED_BODY, PRED_OBJECT, TARGET_BODY, TARGET_OBJECT
from rhobin.reports.scene3d import SceneCase, SceneMesh
from rhobin.reports.score import scoring_bodies

KINDS = ("best", "median", "worst")
PICTURE = 400
DENSE = 20_000


@dataclass(frozen=True)
class Case:
    """A frame worth looking at.

    Attributes:
        kind: ``best``, ``median`` or ``worst``.
        error: its errors.
    """

    kind: str
    error: FrameError

    @property
    def caption(self) -> str:
        """Sequence, frame and errors."""
        error = self.error
        return (
            f"{error.sequence} {error.frame}: SMPL {error.smpl_mm:.1f} mm, object {error.object_mm:.1f} mm, "
            f"{100 * error.visible:.0f} % of the object visible"
        )


def choose_cases(frames: Sequence[FrameError], each: int = 3) -> list[Case]:
    """The best, the middle and the worst frames, each from another sequence where there are enough.

    Args:
        frames: errors of all frames.
        each: how many of each kind, where there are enough.

    Returns:
        Cases by kind: best first, median by closeness to it, worst last.
    """
    ranked = sorted(frames, key=lambda f: (f.mean_mm, f.sequence, f.frame))
    middle, each = len(ranked) // 2, min(each, max(1, len(ranked) // len(KINDS)))
    by_middle = [ranked[i] for i in sorted(range(len(ranked)), key=lambda i: abs(i - middle))]
    used: set[tuple[str, str]] = set()
    cases = []
    for kind, order in zip(KINDS, (ranked, by_middle, ranked[::-1]), strict=True):
        chosen = _distinct([f for f in order if (f.sequence, f.frame) not in used], each)
        used.update((f.sequence, f.frame) for f in chosen)
        cases += [Case(kind, f) for f in chosen]
    return cases


def pose_cases(
    cases: Sequence[Case], ref: Path, results: Mapping[str, Any], body_folder: Path | None
) -> list[FrameMeshes]:
    """Meshes of the cases in the camera frame.

    Args:
        cases: frames to pose.
        ref: the challenge's ``ref.pkl``.
        results: predictions by sequence name.
        body_folder: licensed body models; None for the stand-in.

    Returns:
        Prediction (not aligned) and target of each case.
    """
    annotations, templates = read_ref(ref)
    bodies = scoring_bodies({annotations[c.error.sequence].gender for c in cases}, body_folder)
    meshes: list[FrameMeshes] = []
    for case in cases:
        e = case.error
        target = annotations[e.sequence].frames.index(e.frame)
        pred = list(results[e.sequence]["frames"]).index(e.frame)
        example = Example(e.sequence, e.frame, e.object_name, target, pred, e.visible)
        meshes += pose_examples([example], annotations, templates, results, bodies)
    return meshes


def draw_case(data_root: Path, case: Case, meshes: FrameMeshes) -> tuple[str, str]:
    """The two pictures of a case.

    Args:
        data_root: dataset root.
        case: the frame.
        meshes: prediction and target in the camera frame.

    Returns:
        ``data:`` addresses: the image with the target's outline, the image with the prediction over it.

    Raises:
        FileNotFoundError: the image or its calibration is missing.
    """
    image, K = read_view(data_root, case.error.sequence, case.error.frame)
    pred, target = prediction_surfaces(meshes), target_surfaces(meshes)
    height, width = image.shape[:2]
    shown, strays = [s.verts for s in target], [s.verts for s in pred]
    window = window_around(shown, strays, K, width, height, PICTURE)
    outlined = draw_outlines(window.cut(image), target, K, window)
    return data_uri(outlined), data_uri(draw_surfaces(image, pred, K, window))


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
    if not (data_root / "sequences").is_dir():
        return read_test_view(data_root, sequence, frame)
    folder = data_root / "sequences" / sequence
    files = [folder / frame / f"k{TEST_KINECT}.color.{suffix}" for suffix in ("jpg", "png")]
    found = next((file for file in files if file.is_file()), None)
    image = None if found is None else cv2.imread(str(found), cv2.IMREAD_COLOR)
    if image is None:
        raise FileNotFoundError(f"{files[0]} is missing or unreadable; the report draws over test images")
    info = read_info(folder)
    camera = read_camera(info.config, info.intrinsic, TEST_KINECT)
    K = resize_intrinsics(camera.K, image.shape[1] / camera.width, image.shape[0] / camera.height)
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB), K


def prediction_surfaces(meshes: FrameMeshes) -> tuple[Surface, Surface]:
    """Predicted body and object in their colours."""
    return (
        Surface(meshes.pred_body, meshes.body_faces, PRED_BODY),
        Surface(meshes.pred_obj, meshes.obj_faces, PRED_OBJECT),
    )


def target_surfaces(meshes: FrameMeshes) -> tuple[Surface, Surface]:
    """True body and object in their colours."""
    return (
        Surface(meshes.target_body, meshes.body_faces, TARGET_BODY),
        Surface(meshes.target_obj, meshes.obj_faces, TARGET_OBJECT),
    )


def scene_case(case: Case, meshes: FrameMeshes) -> SceneCase:
    """A case for the 3D scene: the aligned prediction, the target, and how far apart they are.

    Args:
        case: the frame.
        meshes: prediction and target in the camera frame.

    Returns:
        What the scene shows.
    """
    body, obj = aligned_meshes(meshes)
    aligned = replace(meshes, pred_body=body, pred_obj=obj)
    parts = []
    for sharp, pred, target in zip(
        (False, True), prediction_surfaces(aligned), target_surfaces(aligned), strict=True
    ):
        dense = sample_surface(target.verts, target.faces, DENSE, frame_rng(0, meshes.name))
        error_mm = 1000 * nearest_distances(pred.verts, dense)
        parts.append(SceneMesh(pred, "prediction", error_mm, sharp))
        parts.append(SceneMesh(target, "target", sharp=sharp))
    return SceneCase(case.kind, case.caption, tuple(parts))


def _distinct(frames: Sequence[FrameError], count: int) -> list[FrameError]:
    chosen: list[FrameError] = []
    for repeated in (False, True):
        for frame in frames:
            fresh = frame.sequence not in {c.sequence for c in chosen}
            if len(chosen) < count and frame not in chosen and (fresh or repeated):
                chosen.append(frame)
    return chosen
