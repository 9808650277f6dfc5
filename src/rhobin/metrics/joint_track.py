"""The joint evaluators: ground truth and predictions of sequences in, errors of frames out."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float

from rhobin.behave.ref import RefTemplate
from rhobin.body.model import BodyModel
from rhobin.metrics.contact import f1_of, frame_contact
from rhobin.metrics.joint import FrameMeshes, errors_at_samples, frame_rng, frame_samples
from rhobin.metrics.oddities import oddities
from rhobin.metrics.places import place_errors
from rhobin.metrics.posing import pose_examples
from rhobin.metrics.protocol import OFFICIAL_2023, JointProtocol
from rhobin.metrics.scored import ScoredFrames, mean_of_sequences, mean_or_lost
from rhobin.metrics.submission import Annotations, Example, Results, SubmissionError, match_frames
from rhobin.metrics.track import Column

NAMES = ("SMPL", "Object")
CONTACT = (
    Column("Contact_P", "", True, decimals=3, frames="contact_precision"),
    Column("Contact_R", "", True, decimals=3, frames="contact_recall"),
    Column("Contact_F1", "", True, decimals=3),
    Column("Penetration", "mm", frames="penetration_mm"),
    Column("Inside", "%", decimals=2, frames="penetration_percent"),
    Column("Floating", "mm", frames="floating_mm"),
)
"""Scores of protocols with contacts: means over the frames that count, and F1 of the first two."""

MEASURED = tuple(column.frames for column in CONTACT if column.frames)
"""Their columns of ``frames.csv``, in the order of `Contact`."""

PLACES = (
    Column("SMPL_trans", "mm", frames="human_trans_mm"),
    Column("Object_trans", "mm", frames="object_trans_mm", part="object"),
    Column("SMPL_acc", "mm", frames="human_acc_mm", by_sequence=True),
    Column("Object_acc", "mm", frames="object_acc_mm", part="object", by_sequence=True),
)
"""Scores of protocols with places, in the order of `Places`."""

CHUNK = 16
"""Frames that a thread poses at a time: bounds the memory, 5 MB a frame on a 6,890-vertex body."""


@dataclass(frozen=True)
class JointErrors:
    """Errors of single frames.

    Attributes:
        smpl_mm: (N,) summed Chamfer errors of the body, millimetres.
        object_mm: (N,) summed Chamfer errors of the object, millimetres.
        further: (N,) by column of ``frames.csv`` of `CONTACT` and `PLACES`, where the protocol asks; NaN of
            frames that do not count.
    """

    smpl_mm: Float[np.ndarray, " N"]
    object_mm: Float[np.ndarray, " N"]
    further: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.smpl_mm)


@dataclass(frozen=True)
class JointScore(ScoredFrames):
    """The joint track's score."""

    names = NAMES
    track = "joint"

    def summarise(self, rows: np.ndarray, missing: int) -> dict[str, float]:
        """Both means, millimetres, and what the protocol asks for beside them."""
        values = (self.errors.smpl_mm[rows], self.errors.object_mm[rows])
        scores = {name: mean_or_lost(value, missing) for name, value in zip(NAMES, values, strict=True)}
        for column in (*CONTACT, *PLACES):
            if column.frames in self.errors.further:
                groups = [self.examples[row].sequence if column.by_sequence else "" for row in rows]
                scores[column.name] = mean_of_sequences(self.errors.further[column.frames][rows], groups)
            elif not column.frames and "Contact_R" in scores:
                scores[column.name] = f1_of(scores["Contact_P"], scores["Contact_R"])
        return scores

    def columns(self) -> dict[str, np.ndarray]:
        """Errors of the scored frames, (N,) each."""
        if self.errors is None:
            return {}
        return {"smpl_mm": self.errors.smpl_mm, "object_mm": self.errors.object_mm, **self.errors.further}


def score_joint(
    annotations: Annotations,
    templates: Mapping[str, RefTemplate],
    results: Results,
    bodies: Mapping[str, BodyModel],
    protocol: JointProtocol = OFFICIAL_2023,
    source: str = "results",
    workers: int = 2,
) -> JointScore:
    """Score predictions as the challenge's server does, or another evaluator of the field.

    Args:
        annotations: ground truth by sequence name.
        templates: centred object templates by name.
        results: predictions by sequence name, in the challenge's format.
        bodies: float64 body models by gender.
        protocol: thresholds, sample count and seed, and what to score.
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

    def errors_of(chunk: Sequence[Example]) -> list[tuple[float, ...]]:
        own = protocol.own_objects
        meshes = pose_examples(chunk, annotations, templates, results, bodies, source, own)
        try:
            return [frame_errors(frame, protocol) for frame in meshes]
        except ValueError as error:  # the truth's meshes were checked when they were read
            where = f"{source}: predicted meshes of {chunk[0].name} to {chunk[-1].name}"
            raise SubmissionError(f"{where}: {error}") from error

    with ThreadPoolExecutor(workers) as pool:
        found = [one for part in pool.map(errors_of, _chunks(matching.examples)) for one in part]
    smpl, obj, *contact = np.array(found).T.copy()
    further = dict(zip(MEASURED, contact, strict=False))
    if protocol.places:
        places = vars(place_errors(matching.examples, annotations, results)).values()
        further |= {column.frames: values for column, values in zip(PLACES, places, strict=True)}
    notes = matching.notes + oddities(matching.examples, annotations, results, "joint")
    return JointScore(matching.examples, JointErrors(smpl, obj, further), *common, notes)


def frame_errors(frame: FrameMeshes, protocol: JointProtocol) -> tuple[float, ...]:
    """SMPL and object error in millimetres, then the values of `Contact` where the protocol asks for them.

    Raises:
        ValueError: a vertex is not finite.
    """
    samples = frame_samples(frame, frame_rng(protocol.seed, frame.name), protocol.samples)
    errors = errors_at_samples(frame, samples, align=protocol.align)
    if not protocol.contact_m:
        return errors
    surface = samples[3].on(frame.pred_obj, frame.pred_obj_faces)
    pred, target = (frame.pred_body, frame.pred_obj), (frame.target_body, frame.target_obj)
    contact = frame_contact(pred, target, frame.body_faces, surface, protocol.contact_m)
    return (*errors, *vars(contact).values())


def _chunks(examples: Sequence[Example]) -> Iterator[Sequence[Example]]:
    for start in range(0, len(examples), CHUNK):
        yield examples[start : start + CHUNK]
