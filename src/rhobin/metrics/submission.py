"""What a challenge file must hold to be scored: keys, shapes, finite numbers, enough frames."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np

from rhobin.behave.ref import SequenceAnnotation
from rhobin.behave.ref_check import frame_names
from rhobin.metrics.names import one_of_each, unmatched, unscored

Results = Any
"""Predictions by sequence name, as read from a file: checked here, not trusted."""
Annotations = Mapping[str, SequenceAnnotation]

Shapes = dict[str, tuple[tuple[int, ...], ...]]

LARGEST = 1e6
"""Numbers beyond this are no metres, radians or coefficients; they are refused."""

_HUMAN_SHAPES: Shapes = {
    "poses": ((156,), (72,)),
    "betas": ((10,),),
    "trans": ((3,),),
}
_OBJECT_SHAPES: Shapes = {"obj_rots": ((3, 3),), "obj_trans": ((3,),)}


class SubmissionError(ValueError):
    """A challenge file that cannot be scored; the message names file, sequence and key."""


@runtime_checkable
class Gate(Protocol):
    """What a protocol says about the frames to score."""

    @property
    def min_visible(self) -> float:
        """Smallest visible fraction of the object that is scored."""

    @property
    def count_unknown(self) -> bool:
        """Whether predicted frames that the ground truth lacks count for the coverage."""


@dataclass(frozen=True)
class Example:
    """A scored frame.

    Attributes:
        sequence: sequence name.
        frame: frame name.
        object_name: name of its object.
        target: row of the frame in the ground truth arrays.
        pred: row of the frame in the predicted arrays.
        visible: visible fraction of the object.
    """

    sequence: str
    frame: str
    object_name: str
    target: int
    pred: int
    visible: float

    @property
    def name(self) -> str:
        """``sequence/frame``."""
        return f"{self.sequence}/{self.frame}"


@dataclass(frozen=True)
class Matching:
    """Which frames are scored.

    Attributes:
        examples: frames that are visible and predicted, in ground truth order.
        visible: number of ground truth frames that are visible enough.
        coverage: predicted over visible frames, counted as the official evaluator does.
        missing: visible frames that are not predicted, ``sequence/frame``.
        notes: sequences of which no frame name is a true one, and those that the ground truth lacks.
    """

    examples: tuple[Example, ...]
    visible: int
    coverage: float
    missing: tuple[str, ...]
    notes: tuple[str, ...] = ()


def match_frames(
    annotations: Annotations, results: Results, protocol: Gate, source: str = "results"
) -> Matching:
    """Find the frames to score.

    As in the official evaluators, occluded and duplicated predictions count towards the coverage; in those of
    2024, also frames that the ground truth does not have.

    Args:
        annotations: ground truth by sequence name (``ref.pkl``).
        results: predictions by sequence name (``results.pkl``).
        protocol: thresholds.
        source: what to call the results in messages, usually their path.

    Returns:
        The scored frames and the coverage.

    Raises:
        SubmissionError: a sequence is missing, no frame is visible enough, or no frame name is a true one.
    """
    examples, missing, predicted, visible = [], [], 0, 0
    named = {sequence: predicted_frames(results, sequence, source) for sequence in sorted(annotations)}
    for sequence, truth in sorted(annotations.items()):
        frames = named[sequence]
        row_of = {name: row for row, name in reversed(list(enumerate(frames)))}
        known = set(truth.frames)
        predicted += sum(name in known for name in frames)
        for row, name in enumerate(truth.frames):
            ratio = float(truth.occ_ratios[row])
            if ratio < protocol.min_visible:
                continue
            visible += 1
            if name in row_of:
                examples.append(Example(sequence, name, object_of(sequence), row, row_of[name], ratio))
            else:
                missing.append(f"{sequence}/{name}")
    if predicted == 0:
        _refuse_other_names(annotations, results, source)
    if protocol.count_unknown:
        predicted = sum(len(set(predicted_frames(results, sequence, source))) for sequence in results)
    if visible == 0:
        raise SubmissionError(
            f"No true frame shows {protocol.min_visible} or more of its object: nothing to score."
        )
    notes = unmatched(named, {name: truth.frames for name, truth in annotations.items()})
    if not protocol.count_unknown:
        notes += unscored(results, annotations)
    return Matching(tuple(examples), visible, predicted / visible, tuple(missing), notes)


def _refuse_other_names(annotations: Annotations, results: Results, source: str) -> None:
    """Refuse predictions that have frames, none of which has the name of a true one."""
    true = [name for _, truth in sorted(annotations.items()) for name in truth.frames]
    predicted = [name for sequence in sorted(results) for name in predicted_frames(results, sequence, source)]
    if true and predicted:
        raise SubmissionError(
            f"{source}: none of its {len(predicted)} frame names is in the ground truth: "
            f"{one_of_each(predicted, true)}. Name frames as the ground truth does."
        )


def object_of(sequence: str) -> str:
    """The object's name: the third token of ``DateXX_SubYY_object[_action]``.

    Args:
        sequence: sequence name.

    Returns:
        Object name.

    Raises:
        SubmissionError: the name has fewer than three tokens.
    """
    tokens = sequence.split("_")
    if len(tokens) < 3:
        raise SubmissionError(f"Sequence name {sequence!r} is not of the form DateXX_SubYY_object[_action].")
    return tokens[2]


def check_results(
    results: Results, examples: Sequence[Example], source: str = "results", track: str = "joint"
) -> None:
    """Refuse predictions that lack keys, have wrong shapes, or numbers that are not finite in a scored frame.

    Args:
        results: predictions by sequence name.
        examples: the frames to score.
        source: what to call the predictions in messages.
        track: human, object or joint: which keys it needs.

    Raises:
        SubmissionError: names file, sequence, key and frame.
    """
    for sequence in sorted({example.sequence for example in examples}):
        record, where = results[sequence], f"{source}: sequence {sequence}"
        rows = {e.pred: e.frame for e in examples if e.sequence == sequence}
        for key, shapes in _expected(record, track).items():
            _require(record, (key,), where)
            array = _check_array(record[key], len(record["frames"]), shapes, f"{where}: key {key!r}")
            _check_finite(array, rows, f"{where}: key {key!r}")


def _expected(record: Mapping[str, Any], track: str) -> Shapes:
    scale: Shapes = {"obj_scales": ((),)} if "obj_scales" in record else {}
    if track == "human":
        return _HUMAN_SHAPES
    if track == "object":
        return {**_OBJECT_SHAPES, **scale}
    human: Shapes = {"smpl_verts": ((-1, 3),)} if "smpl_verts" in record else _HUMAN_SHAPES
    obj: Shapes = {"obj_verts": ((-1, 3),)} if "obj_verts" in record else _OBJECT_SHAPES
    return {**human, **obj, **scale}


def predicted_frames(results: Results, sequence: str, source: str) -> list[str]:
    """Names of a sequence's predicted frames.

    Args:
        results: predictions by sequence name.
        sequence: sequence name.
        source: what to call the predictions in messages.

    Returns:
        Frame names; a list, a tuple or an array is accepted.

    Raises:
        SubmissionError: the sequence or its frames are missing or malformed.
    """
    if not isinstance(results, Mapping):
        raise SubmissionError(f"{source}: expected a dict of sequences, found {type(results).__name__}.")
    if sequence not in results:
        found = ", ".join(sorted(map(repr, results))[:3]) or "no sequence"
        raise SubmissionError(
            f"{source}: sequence {sequence!r} is missing; the metric needs all of them. Found {found}."
        )
    record = results[sequence]
    if not isinstance(record, Mapping):
        raise SubmissionError(
            f"{source}: sequence {sequence}: expected a dict, found {type(record).__name__}."
        )
    _require(record, ("frames",), f"{source}: sequence {sequence}")
    try:
        return frame_names(record["frames"], f"{source}: sequence {sequence}")
    except ValueError as error:
        raise SubmissionError(str(error)) from error


def _require(record: Mapping[str, Any], keys: Sequence[str], where: str) -> None:
    for key in keys:
        if key not in record:
            raise SubmissionError(f"{where}: key {key!r} is missing; found {sorted(map(str, record))}.")


def _check_array(value: Any, count: int, shapes: tuple[tuple[int, ...], ...], where: str) -> np.ndarray:
    try:
        array = np.asarray(value)
    except (TypeError, ValueError) as error:
        raise SubmissionError(f"{where}: not an array of numbers ({error}).") from error
    if array.dtype.kind not in "iuf":
        raise SubmissionError(f"{where}: not an array of numbers (its type is {array.dtype}).")
    if not any(_fits(array.shape, (count, *shape)) for shape in shapes):
        expected = " or ".join(str((count, *shape)).replace("-1", "V") for shape in shapes)
        hint = _turned(array.shape[1:], shapes)
        raise SubmissionError(f"{where}: expected shape {expected}, found {array.shape}.{hint}")
    return array.astype(np.float64)


def _turned(found: tuple[int, ...], shapes: tuple[tuple[int, ...], ...]) -> str:
    """How to convert rotations of the other form."""
    if (3, 3) in shapes and found == (3,):
        return " Rotation vectors become matrices by scipy's Rotation.from_rotvec(x).as_matrix()."
    if (156,) in shapes and found in ((52, 3, 3), (24, 3, 3)):
        return " Matrices become rotation vectors by scipy's Rotation.from_matrix(x).as_rotvec()."
    return ""


def _fits(shape: tuple[int, ...], expected: tuple[int, ...]) -> bool:
    return len(shape) == len(expected) and all(e in (-1, s) for s, e in zip(shape, expected, strict=True))


def _check_finite(array: np.ndarray, rows: Mapping[int, str], where: str) -> None:
    order = list(rows)
    scored = array[order].reshape(len(order), -1)
    for fits, complaint in (
        (np.isfinite(scored), "that is not a finite number"),
        (np.abs(scored) <= LARGEST, f"beyond {LARGEST:g}"),
    ):
        bad = np.flatnonzero(~fits.all(axis=1))
        if len(bad):
            raise SubmissionError(f"{where}: frame {rows[order[bad[0]]]} has a value {complaint}.")
