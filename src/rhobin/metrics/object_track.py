"""The official object evaluator: ground truth and predictions of sequences in, errors and scores out."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation

from rhobin.behave.ref import RefTemplate, SequenceAnnotation
from rhobin.geometry.mesh import sample_surface
from rhobin.metrics.joint import frame_rng
from rhobin.metrics.object import ObjectErrors, average_recall, object_errors
from rhobin.metrics.oddities import oddities
from rhobin.metrics.points import PointSet
from rhobin.metrics.posing import template_of
from rhobin.metrics.protocol import CAMERA_K, CAMERAS, OBJECT_MODES, ObjectProtocol
from rhobin.metrics.scored import ScoredFrames, mean_or_lost
from rhobin.metrics.submission import (
    Annotations,
    Example,
    Results,
    SubmissionError,
    check_results,
    match_frames,
)
from rhobin.metrics.symmetry import stack_symmetries

Points = Float[np.ndarray, "P 3"]
NAMES = ("MSSD", "MSPD", "RE", "MSSD_AR", "MSPD_AR", "RE_AR", "AR_all")


@dataclass(frozen=True)
class ObjectScore(ScoredFrames):
    """The object track's score."""

    names = NAMES
    track = "object"

    def summarise(self, rows: np.ndarray, missing: int) -> dict[str, float]:
        """The seven scores."""
        return summarise_object(self.errors.take(rows), self.protocol, missing)

    def columns(self) -> dict[str, np.ndarray]:
        """Errors of the scored frames, (N,) each."""
        return {} if self.errors is None else dict(vars(self.errors))


def summarise_object(errors: ObjectErrors, protocol: ObjectProtocol, missing: int = 0) -> dict[str, float]:
    """The seven scores of some frames under their official names.

    Args:
        errors: errors of frames.
        protocol: thresholds.
        missing: further frames that fail: recalls count them, the mean errors become infinite.

    Returns:
        MSSD in mm, MSPD in pixels, RE in degrees, three average recalls and their mean in [0, 1].
    """
    compared = _compared(errors, protocol)
    recalls = {f"{k}_AR": average_recall(*pair, missing) for k, pair in compared.items()}
    means = {k: mean_or_lost(values, missing) for k, (values, _) in compared.items()}
    return {**means, **recalls, "AR_all": float(np.mean(list(recalls.values())))}


def frame_recalls(errors: ObjectErrors, protocol: ObjectProtocol) -> dict[str, np.ndarray]:
    """The share of thresholds (N,) that each frame meets; the means over frames are the average recalls.

    Args:
        errors: errors of frames.
        protocol: thresholds.

    Returns:
        In [0, 1], under the names of the recalls, ``AR_all`` included.
    """
    compared = _compared(errors, protocol)
    met = {f"{k}_AR": (values < thresholds).mean(axis=0) for k, (values, thresholds) in compared.items()}
    return {**met, "AR_all": np.mean(list(met.values()), axis=0)}


def _compared(errors: ObjectErrors, protocol: ObjectProtocol) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Errors (N,) and their thresholds, (T, N) or (T, 1), by official name of the error."""
    return {
        "MSSD": (errors.mssd_mm, np.array(protocol.mssd_steps)[:, None] * errors.diameter_mm),
        "MSPD": (errors.mspd_px, np.array(protocol.mspd_px)[:, None]),
        "RE": (errors.re_deg, np.array(protocol.re_deg)[:, None]),
    }


def score_object(
    annotations: Annotations,
    templates: Mapping[str, RefTemplate],
    results: Results,
    protocol: ObjectProtocol = OBJECT_MODES["official"],
    source: str = "results",
    workers: int = 2,
    points: Mapping[str, Points] | None = None,
) -> ObjectScore:
    """Score predicted object poses as the challenge's server does.

    Args:
        annotations: ground truth by sequence name.
        templates: centred object templates by name.
        results: predictions by sequence name, in the challenge's format.
        protocol: points, thresholds and seed.
        source: what to call the results in messages, usually their path.
        workers: threads.
        points: (P, 3) template points by sequence, metres; None draws them as the protocol says.

    Returns:
        Errors of each frame and what follows from them.

    Raises:
        SubmissionError: the file cannot be scored; the message says where and why.
    """
    matching = match_frames(annotations, results, protocol, source)
    common = (matching.visible, matching.coverage, matching.missing, protocol)
    if matching.coverage < protocol.min_coverage or not matching.examples:
        return ObjectScore((), None, *common, matching.notes)
    check_results(results, matching.examples, source, "object")
    groups = [list(group) for _, group in groupby(matching.examples, key=lambda e: e.sequence)]

    def errors_of(rows: list[Example]) -> ObjectErrors:
        sequence = rows[0].sequence
        template = template_of(templates, rows[0])
        given = points[sequence] if points is not None else object_points(template, sequence, protocol)
        symmetries = stack_symmetries(template.symmetries, protocol.add_identity)
        return _errors(rows, annotations[sequence], results[sequence], PointSet(given), symmetries)

    with ThreadPoolExecutor(workers) as pool:
        parts = list(pool.map(errors_of, groups))
    errors = ObjectErrors(*(np.concatenate([list(vars(p).values())[i] for p in parts]) for i in range(4)))
    _require_finite(errors, matching.examples, source)
    notes = matching.notes + oddities(matching.examples, annotations, results, "object")
    return ObjectScore(matching.examples, errors, *common, notes)


def object_points(template: RefTemplate, sequence: str, protocol: ObjectProtocol) -> Points:
    """Where a sequence's errors are taken.

    Args:
        template: the object.
        sequence: sequence name; each has its own random stream.
        protocol: number of points and seed; 0 points for the template's vertices.

    Returns:
        (P, 3) points in the template's frame, metres.
    """
    verts = np.asarray(template.verts, dtype=np.float64)
    if protocol.samples == 0:
        return verts
    rng = frame_rng(protocol.seed, sequence)
    return sample_surface(verts, np.asarray(template.faces), protocol.samples, rng)


def _errors(
    rows: list[Example],
    truth: SequenceAnnotation,
    record: Mapping[str, Any],
    points: PointSet,
    symmetries: tuple[np.ndarray, np.ndarray],
) -> ObjectErrors:
    target, pred = [e.target for e in rows], [e.pred for e in rows]

    def of(key: str) -> np.ndarray:
        return np.asarray(record[key], dtype=np.float64)[pred]

    return object_errors(
        of("obj_rots"),
        of("obj_trans"),
        Rotation.from_rotvec(truth.obj_rots[target]).as_matrix(),
        truth.obj_trans[target],
        points,
        symmetries,
        np.array(CAMERAS.get(rows[0].sequence.split("_")[0], CAMERA_K)),
        of("obj_scales") if "obj_scales" in record else None,
    )


def _require_finite(errors: ObjectErrors, examples: tuple[Example, ...], source: str) -> None:
    for name, values in vars(errors).items():
        bad = np.flatnonzero(~np.isfinite(values))
        if len(bad):
            raise SubmissionError(
                f"{source}: {examples[bad[0]].name}: {name} is not a finite number; keys 'obj_trans' and "
                "'obj_scales' must put the object off the camera's own plane."
            )
