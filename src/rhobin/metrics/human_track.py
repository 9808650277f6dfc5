"""The official human evaluator: ground truth and predictions of sequences in, errors and scores out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import groupby
from typing import Any

import numpy as np
import torch
from jaxtyping import Float

from rhobin.behave.ref import SequenceAnnotation
from rhobin.body.model import BodyModel, BodyOutput
from rhobin.geometry.rotation import rotvec_to_rotmat
from rhobin.metrics.human import HumanErrors, area_under, human_errors, recall_curve
from rhobin.metrics.names import one_of_each
from rhobin.metrics.oddities import oddities
from rhobin.metrics.posing import body_of, expand_pose
from rhobin.metrics.protocol import HUMAN_MODES, HumanProtocol
from rhobin.metrics.scored import ScoredFrames, mean_or_lost
from rhobin.metrics.submission import (
    Annotations,
    Example,
    Matching,
    Results,
    SubmissionError,
    check_results,
    match_frames,
    object_of,
    predicted_frames,
)

NAMES = ("MPJPE", "MPJPE_PA", "PCK", "AUC", "MPJAE", "MPJAE_PA")


@dataclass(frozen=True)
class HumanScore(ScoredFrames):
    """The human track's score.

    Attributes:
        v2v_mm: (N,) vertex distances where the protocol asks for them.
    """

    v2v_mm: np.ndarray | None = None
    names = NAMES
    track = "human"

    def summarise(self, rows: np.ndarray, missing: int) -> dict[str, float]:
        """The six scores, and ``v2v`` where the protocol asks for it."""
        scores = summarise_human(self.errors.take(rows), self.protocol, missing)
        if self.v2v_mm is not None:
            scores["v2v"] = float(np.mean(self.v2v_mm[rows]))
        return scores

    def columns(self) -> dict[str, np.ndarray]:
        """Errors of the scored frames, (N,) each."""
        if self.errors is None:
            return {}
        columns = {
            "mpjpe_mm": self.errors.mpjpe_mm,
            "mpjpe_pa_mm": self.errors.mpjpe_pa_mm,
            "pck_percent": 100.0 * _within(self.errors, self.protocol).mean(axis=1),
            "auc": frame_areas(self.errors.joint_mm, self.protocol),
            "mpjae_deg": self.errors.angle_deg.mean(axis=1),
            "mpjae_pa_deg": self.errors.angle_pa_deg.mean(axis=1),
        }
        return columns if self.v2v_mm is None else {**columns, "v2v_mm": self.v2v_mm}


def summarise_human(errors: HumanErrors, protocol: HumanProtocol, missing: int = 0) -> dict[str, float]:
    """The six scores of some frames under their official names.

    Args:
        errors: errors of frames.
        protocol: thresholds.
        missing: further frames that fail: recalls count them, the other means become infinite.

    Returns:
        MPJPE and MPJPE_PA in mm, PCK in percent, AUC in [0, 1], MPJAE and MPJAE_PA in degrees.
    """
    at = np.array([protocol.pck_mm])
    pck = recall_curve(errors.joint_mm, at, protocol.pck_inclusive, missing)
    auc = area_under(recalls(errors, protocol, missing))
    means = [
        mean_or_lost(values, missing)
        for values in (errors.mpjpe_mm, errors.mpjpe_pa_mm, errors.angle_deg, errors.angle_pa_deg)
    ]
    return dict(zip(NAMES, (*means[:2], 100.0 * float(pck[0]), auc, *means[2:]), strict=True))


def recalls(errors: HumanErrors, protocol: HumanProtocol, missing: int = 0) -> Float[np.ndarray, " T"]:
    """Fraction of joints within 0, 1, 2, ... mm, as far as AUC counts; arguments as in `summarise_human`."""
    thresholds = np.arange(protocol.auc_max_mm + 1, dtype=np.float64)
    return recall_curve(errors.joint_mm, thresholds, protocol.pck_inclusive, missing)


def frame_areas(joint_mm: Float[np.ndarray, "N J"], protocol: HumanProtocol) -> Float[np.ndarray, " N"]:
    """Area under each frame's own recall curve, by the trapezoid rule: their mean is the AUC to 5e-6."""
    thresholds = np.arange(protocol.auc_max_mm + 1, dtype=np.float64)
    curves = np.stack([recall_curve(frame[None], thresholds, protocol.pck_inclusive) for frame in joint_mm])
    return (curves.sum(axis=1) - (curves[:, 0] + curves[:, -1]) / 2) / protocol.auc_max_mm


def score_human(
    annotations: Annotations,
    results: Results,
    bodies: Mapping[str, BodyModel],
    protocol: HumanProtocol = HUMAN_MODES["official"],
    source: str = "results",
) -> HumanScore:
    """Score predicted people as the challenge's server does.

    Args:
        annotations: ground truth by sequence name.
        results: predictions by sequence name, in the challenge's format.
        bodies: float64 body models, male and female.
        protocol: how to pair, pose and count.
        source: what to call the results in messages, usually their path.

    Returns:
        Errors of each frame and what follows from them.

    Raises:
        SubmissionError: the file cannot be scored; the message says where and why.
    """
    notes: list[str] = []
    if protocol.by_name:
        matching = match_frames(annotations, results, protocol, source)
    else:
        matching = _match_by_position(annotations, results, source, notes)
    common = (matching.visible, matching.coverage, matching.missing, protocol)
    if matching.coverage < protocol.min_coverage or not matching.examples:
        return HumanScore((), None, *common, matching.notes)
    check_results(results, matching.examples, source, "human")
    notes += [*matching.notes, *oddities(matching.examples, annotations, results, "human")]
    errors, distances = [], []
    for sequence, group in groupby(matching.examples, key=lambda e: e.sequence):
        rows, truth, record = list(group), annotations[sequence], results[sequence]
        body = body_of(bodies, truth.gender, sequence)
        other = _own_body(record, body, bodies, sequence, source, notes) if protocol.own_gender else body
        target_rows, pred_rows = [e.target for e in rows], [e.pred for e in rows]
        target = _bodies(body, truth, target_rows, protocol.v2v)
        pred = _bodies(other, as_annotation(record, truth), pred_rows, protocol.v2v)
        errors.append(_compare(pred, target))
        if protocol.v2v:
            distances.append(_vertex_distance(pred, target, errors[-1].alignment))
    v2v = np.concatenate(distances) if protocol.v2v else None
    return HumanScore(matching.examples, _join(errors), *common, tuple(notes), v2v)


def _match_by_position(annotations: Annotations, results: Results, source: str, notes: list[str]) -> Matching:
    examples: list[Example] = []
    for sequence, truth in sorted(annotations.items()):
        frames = predicted_frames(results, sequence, source)
        if len(frames) != len(truth.frames):
            raise SubmissionError(
                f"{source}: sequence {sequence}: key 'frames': expected {len(truth.frames)} frames, "
                f"found {len(frames)}. The human track scores all frames, in the order of the ground truth; "
                "--mode strict or 2024 pair frames by name."
            )
        if frames != list(truth.frames):
            notes.append(
                f"sequence {sequence}: frame names or their order differ "
                f"({one_of_each(frames, truth.frames)}); the server ignores names"
            )
        examples += [
            Example(sequence, name, object_of(sequence), row, row, float(truth.occ_ratios[row]))
            for row, name in enumerate(truth.frames)
        ]
    extra = sorted(str(name) for name in results if name not in annotations)
    if extra:
        raise SubmissionError(
            f"{source}: sequence {extra[0]!r} is not in the ground truth; this track takes no extra ones."
        )
    if not examples:
        raise SubmissionError("The ground truth has no frames: nothing to score.")
    return Matching(tuple(examples), len(examples), 1.0, ())


def _own_body(
    record: Mapping[str, Any],
    body: BodyModel,
    bodies: Mapping[str, BodyModel],
    sequence: str,
    source: str,
    notes: list[str],
) -> BodyModel:
    if not isinstance(record.get("gender"), str):
        found = f"found {type(record['gender']).__name__}" if "gender" in record else "it is missing"
        raise SubmissionError(
            f"{source}: sequence {sequence}: key 'gender': expected male or female, {found}."
        )
    named = str(record["gender"])
    gender = "male" if named == "male" else "female"
    if named != gender:
        notes.append(f"sequence {sequence}: gender {named!r} is read as female, as the server does")
    if gender != body.gender:
        notes.append(f"sequence {sequence}: predicted as {gender}, the person is {body.gender}")
    return body_of(bodies, gender, sequence)


def as_annotation(record: Mapping[str, Any], truth: SequenceAnnotation) -> SequenceAnnotation:
    """Predicted people of a sequence, poses of either length, in the form of annotations."""
    poses, betas, trans = (np.asarray(record[key], dtype=np.float64) for key in ("poses", "betas", "trans"))
    empty = np.zeros((0, 3))
    return SequenceAnnotation([], truth.gender, expand_pose(poses), betas, trans, empty, empty, empty)


def joints_of(
    people: SequenceAnnotation, rows: Sequence[int], body: BodyModel
) -> Float[np.ndarray, "T 24 3"]:
    """The 24 joints of some frames of a sequence, metres, camera frame."""
    return _bodies(body, people, rows, verts=False).joints.numpy()


@torch.no_grad()
def _bodies(body: BodyModel, people: SequenceAnnotation, rows: Sequence[int], verts: bool) -> BodyOutput:
    theta = rotvec_to_rotmat(torch.from_numpy(people.poses[rows].reshape(len(rows), 52, 3)))
    arguments = theta, torch.from_numpy(people.betas[rows]), torch.from_numpy(people.trans[rows])
    output = body(*arguments) if verts else body.kinematics(*arguments)
    kept = list(body.joints24)
    return BodyOutput(output.verts, output.joints[:, kept], output.rotations[:, kept])


def _compare(pred: BodyOutput, target: BodyOutput) -> HumanErrors:
    return human_errors(pred.joints, pred.rotations, target.joints, target.rotations)


def _vertex_distance(
    pred: BodyOutput, target: BodyOutput, alignment: Float[np.ndarray, "N 3 3"]
) -> Float[np.ndarray, " N"]:
    """Mean vertex distance relative to joint 0 after the alignment's rotation alone, (N,) mm."""
    if pred.verts is None or target.verts is None:
        raise ValueError("vertex distances need bodies posed with vertices")
    a, b = pred.verts - pred.joints[:, :1], target.verts - target.joints[:, :1]
    turned = a @ torch.from_numpy(alignment).mT
    return 1000.0 * (turned - b).norm(dim=-1).mean(-1).numpy()


def _join(parts: list[HumanErrors]) -> HumanErrors:
    names = [field.name for field in fields(HumanErrors)]
    return HumanErrors(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def _within(errors: HumanErrors, protocol: HumanProtocol) -> np.ndarray:
    compare = np.less_equal if protocol.pck_inclusive else np.less
    return compare(errors.joint_mm, protocol.pck_mm)
