"""The official 2023 joint evaluator: ground truth and predictions of sequences in, errors of frames out."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from rhobin.behave.ref import RefTemplate
from rhobin.body.model import BodyModel
from rhobin.metrics.joint import joint_errors_of_frames
from rhobin.metrics.oddities import oddities
from rhobin.metrics.posing import pose_examples
from rhobin.metrics.protocol import OFFICIAL_2023, JointProtocol
from rhobin.metrics.scored import ScoredFrames, mean_or_lost
from rhobin.metrics.submission import Annotations, Example, Results, SubmissionError, match_frames

NAMES = ("SMPL", "Object")
CHUNK = 16
"""Frames that a thread poses at a time: bounds the memory, 5 MB a frame on a 6,890-vertex body."""


@dataclass(frozen=True)
class JointErrors:
    """Errors of single frames.

    Attributes:
        smpl_mm: (N,) summed Chamfer errors of the body, millimetres.
        object_mm: (N,) summed Chamfer errors of the object, millimetres.
    """

    smpl_mm: Float[np.ndarray, " N"]
    object_mm: Float[np.ndarray, " N"]

    def __len__(self) -> int:
        return len(self.smpl_mm)


@dataclass(frozen=True)
class JointScore(ScoredFrames):
    """The joint track's score."""

    names = NAMES
    track = "joint"

    def summarise(self, rows: np.ndarray, missing: int) -> dict[str, float]:
        """Both means, millimetres."""
        values = (self.errors.smpl_mm[rows], self.errors.object_mm[rows])
        return {name: mean_or_lost(value, missing) for name, value in zip(NAMES, values, strict=True)}

    def columns(self) -> dict[str, np.ndarray]:
        """Errors of the scored frames, (N,) each."""
        return {} if self.errors is None else dict(vars(self.errors))


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
    common = (matching.visible, matching.coverage, matching.missing, protocol)
    if matching.coverage < protocol.min_coverage or not matching.examples:
        return JointScore((), None, *common, matching.notes)

    def errors_of(chunk: Sequence[Example]) -> list[tuple[float, float]]:
        meshes = pose_examples(chunk, annotations, templates, results, bodies, source)
        try:
            return joint_errors_of_frames(meshes, protocol.seed, protocol.samples, workers=1)
        except ValueError as error:  # the truth's meshes were checked when they were read
            where = f"{source}: predicted meshes of {chunk[0].name} to {chunk[-1].name}"
            raise SubmissionError(f"{where}: {error}") from error

    with ThreadPoolExecutor(workers) as pool:
        pairs = [pair for part in pool.map(errors_of, _chunks(matching.examples)) for pair in part]
    notes = matching.notes + oddities(matching.examples, annotations, results, "joint")
    return JointScore(matching.examples, JointErrors(*np.array(pairs).T.copy()), *common, notes)


def _chunks(examples: Sequence[Example]) -> Iterator[Sequence[Example]]:
    for start in range(0, len(examples), CHUNK):
        yield examples[start : start + CHUNK]
