"""The human and the object track's scores of validation views, by the pure functions of `rhobin.metrics`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from torch import Tensor

from rhobin.behave.ref import RefTemplate
from rhobin.body.joints import JOINTS24
from rhobin.body.model import BodyOutput
from rhobin.metrics.object_track import object_points
from rhobin.metrics.points import PointSet
from rhobin.metrics.protocol import CAMERA_K, HUMAN_MODES, OBJECT_MODES
from rhobin.metrics.shells import HumanMetric, ObjectMetric
from rhobin.objects.template import Template
from rhobin.types import ObjectPrediction, ObjectTarget

TRACKS = ("human", "object")


class TrackScores:
    """Sums of both tracks over batches; the challenge's protocols, every view counted.

    Args:
        templates: object templates by id.
        tracks: which of `TRACKS` to score.

    Raises:
        ValueError: an unknown track.
    """

    def __init__(self, templates: Mapping[int, Template], tracks: Sequence[str] = TRACKS) -> None:
        unknown = sorted(set(tracks) - set(TRACKS))
        if unknown:
            raise ValueError(f"callbacks.evaluator.tracks: expected some of {TRACKS}, found {unknown[0]!r}")
        self.templates, self.tracks = templates, tuple(tracks)
        self.points: dict[int, PointSet] = {}
        self.human, self.object = HumanMetric(HUMAN_MODES["official"]), ObjectMetric(OBJECT_MODES["official"])

    def reset(self) -> None:
        """Forget all views."""
        self.human.reset()
        self.object.reset()

    def add_people(self, pred: BodyOutput, target: BodyOutput) -> None:
        """Add posed bodies, camera frame."""
        if "human" in self.tracks:
            kept = list(JOINTS24)
            arrays = (pred.joints, pred.rotations, target.joints, target.rotations)
            self.human.update(*(array[:, kept] for array in arrays))

    def add_objects(self, pred: ObjectPrediction, target: ObjectTarget, object_id: Tensor) -> None:
        """Add object poses, camera frame."""
        if "object" not in self.tracks:
            return
        for index in object_id.unique().tolist():
            rows, template = object_id == index, self.templates[index]
            poses = (pred.R, pred.t, target.R, target.t)
            self.object.update(
                *(pose[rows] for pose in poses),
                self._points(index),
                (template.symmetries, template.symmetry_offsets),
                np.array(CAMERA_K),
                None if pred.scale is None else pred.scale[rows],
            )

    def compute(self) -> dict[str, float]:
        """The scores under their official names; none of a track without views."""
        parts = [metric.compute() for metric in (self.human, self.object) if metric.seen]
        return {name: value for part in parts for name, value in part.items()}

    def _points(self, index: int) -> PointSet:
        if index not in self.points:
            template = self.templates[index]
            mesh = RefTemplate(template.verts, template.faces, [])
            drawn = object_points(mesh, template.name, OBJECT_MODES["official"])
            self.points[index] = PointSet(drawn)
        return self.points[index]
