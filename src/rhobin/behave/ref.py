"""The challenge's `ref.pkl`: annotations of the test frames and the object templates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rhobin.behave.ref_check import check_names, check_values, entry, frame_names, numbers
from rhobin.behave.ref_template import template_parts
from rhobin.files import write_bytes
from rhobin.objects.template import Template
from rhobin.pickles import load_pickle
from rhobin.pickles.write import pickled
from rhobin.types import GENDERS, gender_name

WIDTHS: dict[str, tuple[int, ...]] = {
    "poses": (156,),
    "betas": (10,),
    "trans": (3,),
    "obj_rots": (3,),
    "obj_trans": (3,),
    "occ_ratios": (),
}
"""Arrays of an annotation, and the shape of a frame in each."""


@dataclass(frozen=True)
class SequenceAnnotation:
    """Ground truth of one sequence in the frame of kinect 1.

    Attributes:
        frames: T frame names.
        gender: "male" or "female".
        poses: (T, 156) SMPL-H axis-angle.
        betas: (T, 10).
        trans: (T, 3) metres.
        obj_rots: (T, 3) rotation vectors, centred template to camera.
        obj_trans: (T, 3) metres.
        occ_ratios: (T,) visible fraction of the object: 1 is fully visible, despite the name.
    """

    frames: list[str]
    gender: str
    poses: np.ndarray
    betas: np.ndarray
    trans: np.ndarray
    obj_rots: np.ndarray
    obj_trans: np.ndarray
    occ_ratios: np.ndarray


@dataclass(frozen=True)
class RefTemplate:
    """A centred template as the evaluator uses it.

    Attributes:
        verts: (V, 3) metres.
        faces: (F, 3).
        symmetries: rotations (3, 3) and translations (3,) that leave the object unchanged.
    """

    verts: np.ndarray
    faces: np.ndarray
    symmetries: list[tuple[np.ndarray, np.ndarray]]


def write_ref(
    path: Path, annotations: Mapping[str, SequenceAnnotation], templates: Mapping[str, Template]
) -> None:
    """Write `ref.pkl` in the format of the 2023 evaluators."""
    content = {
        "annotations": {name: dict(vars(annotation)) for name, annotation in annotations.items()},
        "templates": template_entries(templates),
    }
    write_bytes(path, pickled(content))


def template_entries(templates: Mapping[str, Template]) -> dict[str, dict[str, Any]]:
    """Templates by name as the evaluators of every edition read them: verts, faces, symmetries."""
    return {
        name: {
            "verts": np.asarray(template.verts, np.float64),
            "faces": np.asarray(template.faces, np.int64),
            "symmetries": [
                {"R": np.asarray(R, np.float64), "t": np.asarray(t, np.float64).reshape(3)}
                for R, t in zip(template.symmetries, template.symmetry_offsets, strict=True)
            ],
        }
        for name, template in templates.items()
    }


def find_ref(place: Path) -> Path | None:
    """The challenge's `ref.pkl` of a place, None where it has none.

    Args:
        place: a folder that holds `ref.pkl` or `ref/ref.pkl`, as a dataset root or a package of the challenge
            does; or the file itself.
    """
    files = (place, place / "ref.pkl", place / "ref" / "ref.pkl")
    return next((file for file in files if file.is_file()), None)


def need_ref(place: Path) -> Path:
    """The challenge's `ref.pkl` of a place, which `find_ref` finds.

    Raises:
        FileNotFoundError: it has none; says what was expected.
    """
    found = find_ref(Path(place))
    if found is None:
        raise FileNotFoundError(
            f"no ground truth at {place}: expected the challenge's ref.pkl there or in a folder ref/. "
            "Take it from the challenge page; or give a generated data set, which holds its own: "
            "`rhobin synth --out DIR --size tiny` writes DIR/ref.pkl."
        )
    return found


def read_ref(
    path: Path, centred: bool = True, content: Any = None, scored: bool = False
) -> tuple[dict[str, SequenceAnnotation], dict[str, RefTemplate]]:
    """Read `ref.pkl` without running any code in it.

    Args:
        path: the file, or a folder that `find_ref` knows.
        centred: refuse templates that are off their centre, as BEHAVE's are not; the evaluators take any.
        content: what the file holds, where it was read before.
        scored: refuse annotations that nothing can be scored against, of which readers of images leave out
            single frames.

    Raises:
        FileNotFoundError: when there is no such file.
        ValueError: when a key is missing or of another shape, names are paths, templates are not in metres or
            have symmetries that are no motions or are off their centre; with `scored`, numbers are not finite
            or not in metres and radians. The message says key, what was found and what is expected.
    """
    path = need_ref(path)
    content = load_pickle(path) if content is None else content
    annotations = _dict(path, content, "annotations")
    templates = _dict(path, content, "templates")
    return (
        {str(name): _annotation(path, str(name), value, scored) for name, value in annotations.items()},
        {
            str(name): RefTemplate(*template_parts(path, str(name), value, centred))
            for name, value in templates.items()
        },
    )


def _dict(path: Path, content: Any, key: str) -> Mapping[str, Any]:
    """One of the file's two dicts."""
    value = entry(path, "", content, key)
    if not isinstance(value, Mapping):
        raise ValueError(f"{path}: key {key!r}: expected a dict by name, found {type(value).__name__}")
    check_names([str(name) for name in value], f"{path}: key {key!r}")
    return value


def _annotation(path: Path, name: str, value: Mapping, scored: bool) -> SequenceAnnotation:
    where = f"{path}: {name}"
    frames = frame_names(entry(path, name, value, "frames"), where)
    check_names(frames, f"{where}: key 'frames'")
    arrays: dict[str, np.ndarray] = {}
    for key, width in WIDTHS.items():
        array = numbers(entry(path, name, value, key), (-1, *width), f"{where}: key {key!r}", finite=False)
        if len(array) != len(frames):
            raise ValueError(f"{path}: {name} lists {len(frames)} frames but {len(array)} {key}")
        arrays[key] = array
    gender = gender_name(entry(path, name, value, "gender"))
    if scored:
        check_values(arrays, frames, where)
    if scored and gender not in GENDERS:
        raise ValueError(f"{where}: key 'gender': expected one of {', '.join(GENDERS)}, found {gender!r:.40}")
    return SequenceAnnotation(frames=frames, gender=gender, **arrays)
