"""The official 2023 joint evaluator: ground truth and predictions of sequences in, errors of frames out."""

import math
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from rhobin.behave.ref import RefTemplate
from rhobin.body.model import BodyModel
from rhobin.metrics.joint import joint_errors_of_frames
from rhobin.metrics.posing import pose_examples
from rhobin.metrics.protocol import OFFICIAL_2023, JointProtocol
from rhobin.metrics.submission import Annotations, Example, Results, match_frames

CHUNK = 16
"""Frames that a thread poses at a time: bounds the memory, 5 MB a frame on a 6,890-vertex body."""


@dataclass(frozen=True)
class FrameError:
    """Joint errors of one frame.

    Attributes:
        sequence: sequence name.
        frame: frame name.
        object_name: name of its object.
        visible: visible fraction of the object.
        smpl_mm: summed Chamfer error of the body, millimetres.
        object_mm: summed Chamfer error of the object, millimetres.
    """

    sequence: str
    frame: str
    object_name: str
    visible: float
    smpl_mm: float
    object_mm: float

    @property
    def mean_mm(self) -> float:
        """Mean of both errors: what frames are ranked by."""
        return 0.5 * (self.smpl_mm + self.object_mm)


@dataclass(frozen=True)
class JointScore:
    """The joint track's score.

    Attributes:
        frames: errors of the scored frames; empty when too few frames were predicted.
        visible: number of ground truth frames that count.
        coverage: predicted over visible frames, as the official evaluator counts.
        missing: visible frames without a prediction.
        protocol: how it was computed.
    """

    frames: tuple[FrameError, ...]
    visible: int
    coverage: float
    missing: tuple[str, ...]
    protocol: JointProtocol
    notes: tuple[str, ...] = ()
    track = "joint"

    @property
    def examples(self) -> tuple[FrameError, ...]:
        """The scored frames."""
        return self.frames

    def metrics(self, rows: np.ndarray | None = None) -> dict[str, float]:
        """The scores under their official names, of all frames or of some.

        Args:
            rows: indices of scored frames; None for all, with missing ones as the protocol has it.

        Returns:
            SMPL and Object in mm; infinite below the coverage gate.
        """
        if rows is None or not self.frames:
            return {"SMPL": self.smpl_mm, "Object": self.object_mm}
        columns = self.columns()
        return {
            "SMPL": float(columns["smpl_mm"][rows].mean()),
            "Object": float(columns["object_mm"][rows].mean()),
        }

    def columns(self) -> dict[str, np.ndarray]:
        """Errors of the scored frames, (N,) each."""
        return {
            "smpl_mm": np.array([frame.smpl_mm for frame in self.frames]),
            "object_mm": np.array([frame.object_mm for frame in self.frames]),
        }

    @property
    def smpl_mm(self) -> float:
        """Mean body error over frames, millimetres; infinite below the coverage gate."""
        return self._mean([frame.smpl_mm for frame in self.frames])

    @property
    def object_mm(self) -> float:
        """Mean object error over frames, millimetres; infinite below the coverage gate."""
        return self._mean([frame.object_mm for frame in self.frames])

    def _mean(self, values: list[float]) -> float:
        failed = self.protocol.missing_fails and self.missing
        return float(np.mean(values)) if values and not failed else math.inf


def score_joint(
    annotations: Annotations,
    templates: Mapping[str, RefTemplate],
    results: Results,
    bodies: Mapping[str, BodyModel],
    protocol: JointProtocol = OFFICIAL_2023,
    source: str = "results",
    workers: int = 2,
) -> JointScore:
    """Score predictions as the challenge's server does.

    Args:
        annotations: ground truth by sequence name.
        templates: centred object templates by name.
        results: predictions by sequence name, in the challenge's format.
        bodies: float64 body models by gender.
        protocol: thresholds, sample count and seed.
        source: what to call the results in messages, usually their path.
        workers: threads.

    Returns:
        Per-frame errors; their means are infinite when fewer than ``min_coverage`` frames are predicted.

    Raises:
        SubmissionError: a sequence, key or template is missing, or an array is malformed.
    """
    matching = match_frames(annotations, results, protocol, source)
    passed = matching.coverage >= protocol.min_coverage

    def errors_of(chunk: Sequence[Example]) -> list[FrameError]:
        meshes = pose_examples(chunk, annotations, templates, results, bodies, source)
        pairs = joint_errors_of_frames(meshes, protocol.seed, protocol.samples, workers=1)
        return [
            FrameError(e.sequence, e.frame, e.object_name, e.visible, *pair)
            for e, pair in zip(chunk, pairs, strict=True)
        ]

    with ThreadPoolExecutor(workers) as pool:
        parts = pool.map(errors_of, _chunks(matching.examples if passed else ()))
        errors = tuple(error for part in parts for error in part)
    return JointScore(errors, matching.visible, matching.coverage, matching.missing, protocol)


def _chunks(examples: Sequence[Example]) -> Iterator[Sequence[Example]]:
    for start in range(0, len(examples), CHUNK):
        yield examples[start : start + CHUNK]
