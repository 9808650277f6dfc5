"""Scores of validation views in every track that a method predicts, added up batch by batch."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from rhobin import ranks
from rhobin.assets import Assets
from rhobin.behave.ref import RefTemplate
from rhobin.body.joints import JOINTS24
from rhobin.body.model import BodyOutput
from rhobin.data.dataset import BehaveDataset
from rhobin.engine.meshes import frame_meshes
from rhobin.engine.turn_back import turn_pose_back
from rhobin.geometry.camera import resize_intrinsics
from rhobin.metrics.object_track import object_points
from rhobin.metrics.points import PointSet
from rhobin.metrics.protocol import CAMERA_K, OBJECT_MODES, OFFICIAL_2023
from rhobin.metrics.tracks import HUMAN, JOINT, OBJECT, TRACKS, known_tracks
from rhobin.types import Batch, Prediction, SampleKey, required

WIDTH = 2048
"""Image width at which MSPD is measured, pixels."""

Intrinsics = Callable[[SampleKey], np.ndarray]


def challenge_intrinsics(key: SampleKey) -> np.ndarray:
    """Kinect 1's intrinsics (3, 3), which the challenge takes for every view."""
    return np.array(CAMERA_K)


def view_intrinsics(dataset: BehaveDataset) -> Intrinsics:
    """The intrinsics (3, 3) of the camera that took a view of a dataset, for frames of `WIDTH`."""
    release, views = dataset.release, dataset.views

    def of(key: SampleKey) -> np.ndarray:
        view = views[key.index]
        camera = release.cameras[release.views.camera[view]]
        scale = WIDTH / release.frame_width(view)
        return resize_intrinsics(camera.K, scale, scale)

    return of


class ValidationScores:
    """Sums of every track over batches, by the challenge's protocols; every view counts.

    Bodies are posed once for all tracks. Besides the official names there are smpl_mm and object_mm for the
    joint track's scores, and joint_mm for their mean.

    Args:
        assets: body models and object templates.
        intrinsics: of the camera that took a view, for MSPD.
        samples: surface points on each mesh of the joint track.
        seed: seed of the surface points.
        tracks: which of `TRACKS` to score, as far as they are predicted.

    Raises:
        ValueError: an unknown track.
    """

    def __init__(
        self,
        assets: Assets,
        intrinsics: Intrinsics = challenge_intrinsics,
        samples: int = OFFICIAL_2023.samples,
        seed: int = 0,
        tracks: Iterable[str] = tuple(TRACKS),
    ) -> None:
        self.assets, self.intrinsics = assets, intrinsics
        self.tracks = {track.name for track in known_tracks(tracks, "callbacks.evaluator.tracks")}
        self.human, self.object = HUMAN.metric(), OBJECT.metric()
        protocol = replace(OFFICIAL_2023, samples=samples, seed=seed)
        self.joint = JOINT.metric(protocol, torch.get_num_threads(), using=None)
        self.metrics = (self.human, self.object, self.joint)
        for metric in self.metrics:
            metric.sync_on_compute = False  # `share` adds up
        self.points: dict[int, PointSet] = {}

    def reset(self) -> None:
        """Forget all views."""
        for metric in self.metrics:
            metric.reset()

    def share(self) -> None:
        """Add up what all processes have seen; afterwards each has the whole. All must call this."""
        seen = ranks.gathered([metric.metric_state for metric in self.metrics])
        for metric, *states in zip(self.metrics, *seen, strict=True):
            for name in states[0]:
                setattr(metric, name, torch.stack([state[name] for state in states]).sum(0))

    @torch.no_grad()
    def add(self, batch: Batch, prediction: Prediction) -> None:
        """Add a batch.

        Args:
            batch: with the ground truth, on the device of `assets.bodies`.
            prediction: of the batch, metres, frame of its crops' camera as the ground truth; a part that it
                or the ground truth lacks does not count.
        """
        people = prediction.human is not None and batch.target.human is not None
        objects = prediction.object is not None and batch.target.object is not None
        joint = people and objects and "joint" in self.tracks
        posed = self._pose(batch, prediction, joint) if people and (joint or "human" in self.tracks) else None
        if posed is not None and "human" in self.tracks:
            self._add_people(batch, posed)
        if objects and "object" in self.tracks:
            self._add_objects(batch, prediction)
        if posed is not None and joint:
            self.joint.update(frame_meshes(batch, prediction, posed, self.assets))

    def compute(self) -> dict[str, float]:
        """The scores by name; none of a track without views."""
        scores: dict[str, float] = {}
        for metric in (self.human, self.object):
            scores |= metric.compute() if metric.seen else {}
        if self.joint.seen:
            smpl, obj = self.joint.compute().values()
            scores |= {"smpl_mm": smpl, "object_mm": obj, "joint_mm": (smpl + obj) / 2}
        return scores

    def _pose(self, batch: Batch, prediction: Prediction, verts: bool) -> tuple[BodyOutput, BodyOutput]:
        """Predicted and true bodies, with vertices where they are needed."""
        bodies = self.assets.bodies.to(batch.image.device)
        pose = bodies if verts else bodies.kinematics
        pred, target = required(prediction.human, "the person"), required(batch.target.human, "the person")
        return (
            pose(pred.theta, pred.beta, pred.trans, batch.gender),
            pose(target.theta, target.beta, target.trans, batch.gender),
        )

    def _add_people(self, batch: Batch, posed: tuple[BodyOutput, BodyOutput]) -> None:
        shown = required(batch.target.human, "the person").present > 0
        arrays = (array for body in posed for array in (body.joints, body.rotations))
        self.human.update(*(array[shown][:, list(JOINTS24)] for array in arrays))

    def _add_objects(self, batch: Batch, prediction: Prediction) -> None:
        pred, target = required(prediction.object, "the object"), required(batch.target.object, "the object")
        # MSPD is counted in pixels of the view; all other scores are the same in any frame
        poses = (*turn_pose_back(pred.R, pred.t, batch.turn), *turn_pose_back(target.R, target.t, batch.turn))
        for rows, index, K in self._groups(batch, target.present):
            template = self.assets.templates[index]
            self.object.update(
                *(pose[rows] for pose in poses),
                self._points(index),
                (template.symmetries, template.symmetry_offsets),
                K,
                None if pred.scale is None else pred.scale[rows],
            )

    def _groups(self, batch: Batch, present: Tensor) -> list[tuple[list[int], int, np.ndarray]]:
        """Rows that show the same object through the same camera, with the object and the intrinsics."""
        groups: dict[tuple[int, bytes], tuple[list[int], int, np.ndarray]] = {}
        for row, key in enumerate(batch.keys):
            if present[row] > 0:
                index, K = int(batch.object_id[row]), self.intrinsics(key)
                groups.setdefault((index, K.tobytes()), ([], index, K))[0].append(row)
        return [groups[name] for name in sorted(groups)]

    def _points(self, index: int) -> PointSet:
        if index not in self.points:
            template = self.assets.templates[index]
            mesh = RefTemplate(template.verts, template.faces, [])
            self.points[index] = PointSet(object_points(mesh, template.name, OBJECT_MODES["official"]))
        return self.points[index]
