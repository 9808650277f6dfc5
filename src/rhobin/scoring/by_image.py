"""Challenge files by image, as the editions of 2024 and 2025 have them, in the form by sequence of 2023.

Images that share data set, gender and object form a sequence ``DATASET_GENDER_OBJECT`` whose frames are their
ids: the scorers need nothing else of a sequence.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from scipy.spatial.transform import Rotation

from rhobin.behave.layout import TEST_KINECT
from rhobin.behave.ref import RefTemplate, SequenceAnnotation
from rhobin.behave.ref_check import check_names, check_rotations, check_values, entry, numbers
from rhobin.behave.ref_template import template_parts
from rhobin.metrics.submission import Annotations, SubmissionError
from rhobin.types import GENDERS

IMAGE_KEYS = {
    "pose": "poses",
    "betas": "betas",
    "trans": "trans",
    "obj_rot": "obj_rots",
    "obj_trans": "obj_trans",
    "vertices": "smpl_verts",
}


class Named(Protocol):
    """A frame of the ground truth."""

    @property
    def name(self) -> str:
        """``sequence/frame``."""

    @property
    def frame(self) -> str:
        """Its name, or id."""


UNKNOWN = "unknown_unknown_unknown"
"""Sequence of predictions for images that the ground truth does not have."""

_SEQUENCE_KEYS = {value: key for key, value in IMAGE_KEYS.items()}
_TRUE_SHAPES = {"pose": (156,), "betas": (10,), "trans": (3,), "obj_rot": (3, 3), "obj_trans": (3,)}


def is_by_image(content: Any) -> bool:
    """Whether predictions are by image: every entry holds parameters of one, and no frames."""
    return bool(content) and all(
        isinstance(v, Mapping) and "frames" not in v and set(v) & {"pose", "obj_rot", "vertices"}
        for v in content.values()
    )


def is_image_ref(content: Any) -> bool:
    """Whether ground truth is by image: its first annotation says data set, gender and object in ``meta``."""
    annotations = content.get("annotations") if isinstance(content, Mapping) else None
    first = next(iter(annotations.values()), None) if isinstance(annotations, Mapping) else None
    return isinstance(first, Mapping) and "meta" in first


def read_image_ref(
    content: Mapping[str, Any], path: Path
) -> tuple[dict[str, SequenceAnnotation], dict[str, RefTemplate]]:
    """Ground truth by image as annotations by sequence.

    Args:
        content: what ``ref.pkl`` holds: ``annotations`` by image id with ``pose``, ``betas``, ``trans``,
            ``obj_rot``, ``obj_trans`` and ``meta`` (data set, gender, object), and ``templates`` by object.
        path: the file, for messages.

    Returns:
        Annotations and templates; nothing is occluded, since this edition has no such filter.

    Raises:
        ValueError: an entry is malformed; the message names it.
    """
    groups: dict[str, list[tuple[str, dict[str, np.ndarray]]]] = {}
    for name, image in sorted(content["annotations"].items(), key=lambda item: str(item[0])):
        meta = image.get("meta") if isinstance(image, Mapping) else None
        if not isinstance(meta, list | tuple) or len(meta) != 3:
            raise ValueError(f"{path}: image {name}: key 'meta': expected data set, gender and object")
        if meta[1] not in GENDERS:
            expected = f"expected one of {', '.join(GENDERS)} as gender"
            raise ValueError(f"{path}: image {name}: key 'meta': {expected}, found {meta[1]!r:.40}")
        arrays = {key: _true_array(image, key, shape, path, name) for key, shape in _TRUE_SHAPES.items()}
        groups.setdefault("_".join(map(_word, meta)), []).append((str(name), arrays))
    annotations = {name: _annotation(path, name, images) for name, images in sorted(groups.items())}
    templates = content.get("templates")
    if not isinstance(templates, Mapping):
        raise ValueError(f"{path}: the file has no 'templates'")
    check_names([str(name) for name in templates], f"{path}: key 'templates'")
    return annotations, {
        _word(name): RefTemplate(*template_parts(path, str(name), value, centred=False))
        for name, value in templates.items()
    }


def dataset_of(sequence: str) -> str:
    """The data set of a sequence made here."""
    return sequence.split("_")[0]


def from_images(
    images: Mapping[str, Any], source: str = "results", annotations: Annotations | None = None
) -> dict[str, Any]:
    """Predictions by image (2024) as predictions by sequence (2023).

    Args:
        images: by image id; ``sequence/frame`` without `annotations`.
        source: what to call the predictions in messages.
        annotations: ground truth from `read_image_ref`, which says where an id belongs.

    Returns:
        By sequence name, frames sorted; ids that `annotations` lacks under `UNKNOWN`.

    Raises:
        SubmissionError: an id or a key does not fit.
    """
    groups: dict[str, dict[str, Mapping[str, Any]]] = {name: {} for name in annotations or ()}
    places = {frame: name for name, a in (annotations or {}).items() for frame in a.frames}
    for name, image in images.items():
        sequence, slash, frame = str(name).rpartition("/")
        if annotations is not None:
            sequence, frame = places.get(str(name), UNKNOWN), str(name)
        elif not slash:
            raise SubmissionError(f"{source}: image id {name!r}: expected SEQUENCE/FRAME.")
        if frame in groups.setdefault(sequence, {}):
            raise SubmissionError(f"{source}: image id {name!r} occurs twice, as text and as another type.")
        groups[sequence][frame] = image
    return {
        name: {"frames": sorted(frames)} if name == UNKNOWN else _sequence(name, frames, source)
        for name, frames in sorted(groups.items())
    }


def to_images(results: Mapping[str, Any], ids: Collection[str] = ()) -> dict[str, dict[str, np.ndarray]]:
    """Predictions by sequence (2023) as predictions by image (2024).

    Args:
        results: by sequence name.
        ids: image ids of a ground truth; a prediction takes the one that its sequence and frame form.

    Returns:
        By image id: one of `ids`, or ``sequence/frame``.
    """
    known = set(ids)
    return {
        image_id(sequence, frame, known): {
            _SEQUENCE_KEYS[key]: np.asarray(values)[row]
            for key, values in record.items()
            if key in _SEQUENCE_KEYS
        }
        for sequence, record in results.items()
        for row, frame in enumerate(record["frames"])
    }


def image_id(sequence: str, frame: str, known: Collection[str] = ()) -> str:
    """What a ground truth calls the view of a sequence: one of the `known` ids, or ``sequence/frame``."""
    names = (f"{sequence}/{frame}", f"{sequence}-{frame}-k{TEST_KINECT}", frame)
    return next((name for name in names if name in known), names[0])


def rows_of_frames(
    examples: Sequence[Named], sequences: Sequence[str], frames: Sequence[str]
) -> list[int | None]:
    """Where scored frames are in a list of frames, whichever edition's names the ground truth has.

    Args:
        examples: frames of the ground truth.
        sequences: sequence name of each frame of the list.
        frames: their frame names.

    Returns:
        A row of the list for each scored frame; None where it is not in there.
    """
    known = {name for example in examples for name in (example.name, example.frame)}
    pairs = zip(sequences, frames, strict=True)
    row_of = {image_id(sequence, frame, known): row for row, (sequence, frame) in enumerate(pairs)}
    return [row_of.get(example.name, row_of.get(example.frame)) for example in examples]


def _word(name: Any) -> str:
    """A name without the character that parts sequence names."""
    return str(name).replace("_", "-")


def _true_array(
    image: Mapping[str, Any], key: str, shape: tuple[int, ...], path: Path, name: str
) -> np.ndarray:
    where = f"{path}: image {name}: key {key!r}"
    array = numbers(entry(path, f"image {name}", image, key), shape, where)
    if key == "obj_rot":
        check_rotations(array[None], where)
    return array


def _annotation(path: Path, name: str, images: list[tuple[str, dict[str, np.ndarray]]]) -> SequenceAnnotation:
    stacked = {key: np.stack([arrays[key] for _, arrays in images]) for key in _TRUE_SHAPES}
    frames = [frame for frame, _ in images]
    check_names(frames, f"{path}: key 'annotations'", paths=True)
    arrays = {
        "poses": stacked["pose"],
        "betas": stacked["betas"],
        "trans": stacked["trans"],
        "obj_rots": Rotation.from_matrix(stacked["obj_rot"]).as_rotvec(),
        "obj_trans": stacked["obj_trans"],
        "occ_ratios": np.ones(len(images)),
    }
    check_values(arrays, frames, f"{path}: images of {name}")
    return SequenceAnnotation(frames=frames, gender=name.split("_")[1], **arrays)


def _sequence(name: str, frames: Mapping[str, Mapping[str, Any]], source: str) -> dict[str, Any]:
    order = sorted(frames)
    record: dict[str, Any] = {"frames": order}
    for key in sorted(set().union(*frames.values()) & set(IMAGE_KEYS)):
        absent = next((frame for frame in order if key not in frames[frame]), None)
        if absent is not None:
            raise SubmissionError(f"{source}: image {name}/{absent}: key {key!r} is missing.")
        try:
            record[IMAGE_KEYS[key]] = np.stack([_row(frames[frame][key], key) for frame in order])
        except ValueError as error:
            raise SubmissionError(f"{source}: sequence {name}: key {key!r}: {error}.") from error
    return record


def _row(value: Any, key: str) -> np.ndarray:
    """One image's value; a leading axis of one, as ``trans`` may have, is dropped."""
    array = np.asarray(value)
    flat = key in {"pose", "betas", "trans", "obj_trans"} and array.ndim == 2 and len(array) == 1
    return array[0] if flat else array
