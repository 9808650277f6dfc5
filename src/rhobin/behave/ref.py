"""The challenge's `ref.pkl`: annotations of the test frames and the object templates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rhobin.files import write_bytes
from rhobin.objects.template import Template
from rhobin.pickles import load_pickle
from rhobin.pickles.write import pickled
from rhobin.types import gender_name


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
        "templates": {
            name: {
                "verts": np.asarray(template.verts, np.float64),
                "faces": np.asarray(template.faces, np.int64),
                "symmetries": [
                    {"R": np.asarray(R, np.float64), "t": np.asarray(t, np.float64).reshape(3)}
                    for R, t in zip(template.symmetries, template.symmetry_offsets, strict=True)
                ],
            }
            for name, template in templates.items()
        },
    }
    write_bytes(path, pickled(content))


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
    path: Path, centred: bool = True, content: Any = None
) -> tuple[dict[str, SequenceAnnotation], dict[str, RefTemplate]]:
    """Read `ref.pkl` without running any code in it.

    Args:
        path: the file, or a folder that `find_ref` knows.
        centred: refuse templates that are off their centre, as BEHAVE's are not; the evaluators take any.
        content: what the file holds, where it was read before.

    Raises:
        FileNotFoundError: when there is no such file.
        ValueError: when a key is missing, templates are off centre, or a sequence's arrays differ in length.
    """
    path = need_ref(path)
    content = load_pickle(path) if content is None else content
    annotations = _need(path, "", content, "annotations")
    templates = _need(path, "", content, "templates")
    return (
        {name: _annotation(path, name, value) for name, value in annotations.items()},
        {name: _template(path, name, value, centred) for name, value in templates.items()},
    )


def _need(path: Path, name: str, value: Any, key: str) -> Any:
    """An entry of one of the file's dicts, or an error that names the dict."""
    if not isinstance(value, Mapping) or key not in value:
        found = ", ".join(sorted(map(str, value))) if isinstance(value, Mapping) else type(value).__name__
        raise ValueError(f"{path}: {name or 'the file'} has no '{key}' (found: {found})")
    return value[key]


def _annotation(path: Path, name: str, value: Mapping) -> SequenceAnnotation:
    frames = [str(frame) for frame in _need(path, name, value, "frames")]
    arrays = {
        key: np.asarray(_need(path, name, value, key), np.float64)
        for key in ("poses", "betas", "trans", "obj_rots", "obj_trans", "occ_ratios")
    }
    for key, array in arrays.items():
        if len(array) != len(frames):
            raise ValueError(f"{path}: {name} lists {len(frames)} frames but {len(array)} {key}")
    return SequenceAnnotation(frames=frames, gender=gender_name(_need(path, name, value, "gender")), **arrays)


def _template(path: Path, name: str, value: Mapping, centred: bool) -> RefTemplate:
    verts = np.asarray(_need(path, name, value, "verts"), np.float64)
    offset = np.abs(verts.mean(0)).max()
    if centred and offset > 1e-4:
        raise ValueError(
            f"{path}: template {name} is {offset * 1000:.1f} mm off its centre; the evaluator adds none"
        )
    symmetries = [
        (np.asarray(s["R"], np.float64), np.asarray(s["t"], np.float64).reshape(3))
        for s in _need(path, name, value, "symmetries")
    ]
    return RefTemplate(verts, np.asarray(_need(path, name, value, "faces"), np.int64), symmetries)
