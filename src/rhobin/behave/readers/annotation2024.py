"""Annotations of single images: `gt/<id>.pkl`, and the `ref.pkl` of the 2024 and 2025 evaluators."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation

from rhobin.behave.numbers import as_floats
from rhobin.behave.readers.frames import UnusableError, load_or_tell, vectors
from rhobin.behave.readers.references import as_mesh
from rhobin.behave.ref import find_ref
from rhobin.objects.template import Template
from rhobin.pickles import load_pickle
from rhobin.types import GENDERS, gender_name

_KEYS = (("pose", 156), ("betas", 10), ("trans", 3), ("obj_angle", 3), ("obj_trans", 3))
_SAME = 1e-3

Meta = tuple[str, str, str]


@dataclass(frozen=True)
class ImageAnnotation:
    """Ground truth of one image in the frame of its camera.

    Attributes:
        gender: of the body model.
        object_name: the object.
        parameters: (175,) pose, betas, trans, object angle, object trans.
    """

    gender: str
    object_name: str
    parameters: np.ndarray


@dataclass(frozen=True)
class References:
    """What a package's `ref.pkl` holds.

    Attributes:
        file: the file, None when the package has none.
        annotations: by image id.
        meshes: vertices (V, 3) and faces (F, 3) by object; None without the file.
    """

    file: Path | None
    annotations: Mapping[str, Any]
    meshes: dict[str, tuple[np.ndarray, np.ndarray]] | None

    def meta(self, name: str) -> Meta | None:
        """Dataset, gender and object of an image, None when the file does not say."""
        entry = self.annotations.get(name)
        meta = entry.get("meta") if isinstance(entry, Mapping) else None
        if not isinstance(meta, list | tuple | np.ndarray) or np.shape(meta) != (3,):
            return None
        dataset, gender, object_name = meta
        return str(dataset), gender_name(gender), str(object_name)

    def annotation(self, name: str) -> ImageAnnotation | None:
        """The annotation of an image, None when the file has none.

        Raises:
            UnusableError: it has one that cannot be used.
        """
        meta = self.meta(name)
        if meta is None or self.file is None:
            return None
        entry = dict(self.annotations[name])
        try:
            if "obj_rot" in entry:
                turn = as_floats(entry["obj_rot"]).reshape(3, 3)
                entry["obj_angle"] = Rotation.from_matrix(turn).as_rotvec()
            return ImageAnnotation(_gender(meta[1]), meta[2], vectors(entry, _KEYS))
        except ValueError as error:
            raise UnusableError(self.file, "bad_parameters", f"{name}: {error}") from error


def read_references(root: Path) -> References:
    """Read a package's `ref.pkl`, if there is one.

    Raises:
        ValueError: the file is not what the evaluators read.
    """
    file = find_ref(root)
    if file is None:
        return References(None, {}, None)
    content = load_pickle(file)
    content = content if isinstance(content, Mapping) else {}
    templates, annotations = content.get("templates"), content.get("annotations", {})
    if not isinstance(templates, Mapping) or not isinstance(annotations, Mapping):
        raise ValueError(f"{file}: expected a dict with templates (and annotations by image id)")
    meshes = {}
    for name, template in templates.items():
        try:
            meshes[name] = as_mesh(template["verts"], template["faces"])
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{file}: template {name}: expected verts and faces: {error}") from error
    return References(file, annotations, meshes)


def read_gt(file: Path, meta: Meta | None, templates: Mapping[str, Template]) -> ImageAnnotation:
    """Read `gt/<id>.pkl`.

    The file does not name its object. Where `ref.pkl` does not either, it is the template that the file's own
    vertices are a rigid motion of.

    Args:
        file: the pickle.
        meta: dataset, gender and object, where known.
        templates: object templates.

    Raises:
        UnusableError: it cannot be read or used.
    """
    content = load_or_tell(file)
    try:
        parameters = vectors(content, _KEYS)
        gender = _gender(gender_name(content["gender"]) if meta is None else meta[1])
        placed = as_floats(content.get("verts_obj", np.zeros((0, 3)))).reshape(-1, 3)
    except (KeyError, TypeError, ValueError) as error:
        raise UnusableError(file, "bad_parameters", str(error)) from error
    if meta is not None:
        if meta[2] not in templates:
            raise UnusableError(file, "unknown_object", f"object {meta[2]!r}")
        return ImageAnnotation(gender, meta[2], parameters)
    return ImageAnnotation(gender, _recognise(file, parameters, placed, templates), parameters)


def _gender(value: str) -> str:
    if value not in GENDERS:
        raise ValueError(f"gender is {value!r}; expected one of {', '.join(GENDERS)}")
    return value


def _recognise(
    file: Path, parameters: np.ndarray, placed: np.ndarray, templates: Mapping[str, Template]
) -> str:
    """Name of the template whose posed vertices are `placed`."""
    R = Rotation.from_rotvec(parameters[169:172]).as_matrix()
    errors = {
        name: float(np.abs(template.verts @ R.T + parameters[172:] - placed).max())
        for name, template in templates.items()
        if len(template.verts) == len(placed)
    }
    best = min(errors, key=errors.__getitem__, default=None)
    if best is None:
        raise UnusableError(file, "unknown_template", f"no template has {len(placed)} vertices, as verts_obj")
    if errors[best] > _SAME:
        detail = f"posed as annotated, {best} is {errors[best] * 1000:.1f} mm off verts_obj"
        raise UnusableError(file, "unknown_template", detail)
    return best
