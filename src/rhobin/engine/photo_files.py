"""What is written of a photograph: numbers, mesh and picture, all in one frame."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

import rhobin
from rhobin.data.photos.pointer import PARTS
from rhobin.engine.photo_network import PhotoNetwork
from rhobin.engine.photos import PhotoMesh, PhotoPrediction, Shot
from rhobin.files import write_bytes
from rhobin.reports.overlay import Surface
from rhobin.reports.palette import PRED_BODY, PRED_OBJECT, RGB
from rhobin.reports.photo_overlay import draw_photo, jpeg

FRAME = "camera of the photograph as seen upright: x right, y down, z forward; metres"
TEXTS = ("gender", "body", "object", "frame", "smoother")
COLORS: dict[str, RGB] = {"person": PRED_BODY, "object": PRED_OBJECT}


def write_photo(out: Path, name: str, found: PhotoPrediction) -> None:
    """Write NAME with every ending of `WRITERS`.

    Args:
        out: folder, made where it is missing.
        name: of the files.
        found: what was predicted.
    """
    for ending, content in WRITERS.items():
        write_bytes(out / f"{name}{ending}", content(found))


def packed(arrays: Mapping[str, Any], facts: Mapping[str, Any]) -> bytes:
    """Arrays and the texts among the facts as an NPZ."""
    file = io.BytesIO()
    told = {key: np.array(facts[key]) for key in TEXTS if facts.get(key) is not None}
    np.savez_compressed(file, **{**arrays, **told})
    return file.getvalue()


def plain_json(arrays: Mapping[str, np.ndarray], facts: Mapping[str, Any]) -> bytes:
    """The same numbers as JSON, with all facts."""
    plain = {**facts, **{key: array.tolist() for key, array in arrays.items()}}
    return (json.dumps(plain, indent=1) + "\n").encode()


def shot_facts(shot: Shot, network: PhotoNetwork) -> dict[str, Any]:
    """What is said beside the numbers of a photograph, or of the frames of a video.

    Args:
        shot: the photograph.
        network: that predicted.
    """
    template = shot.template
    return {
        "rhobin": rhobin.__version__,
        **network.origin,
        "image": str(shot.photo.file),
        "size": list(shot.photo.size),
        "frame": FRAME,
        "gender": shot.gender,
        "object": None if template is None else template.name,
        "template_sha256": None if template is None else template.sha256,
        **{f"{part}_from": how for part, how in shot.subject.how.items()},
        **{f"{part}_box": shot.subject.source.boxes[PARTS.index(part)].tolist() for part in shot.subject.how},
        "camera_from": shot.camera.how,
        "notes": [*network.notes, *shot.subject.notes],
    }


def mesh_text(meshes: Mapping[str, PhotoMesh], title: str) -> str:
    """Meshes as one Wavefront OBJ with an object of each.

    Args:
        meshes: by name.
        title: a comment.
    """
    lines, first = [f"# {title}\n"], 1
    for name, mesh in meshes.items():
        lines.append(f"o {name}\n")
        lines += [f"v {x:.6f} {y:.6f} {z:.6f}\n" for x, y, z in mesh.verts.tolist()]
        lines += [f"f {a} {b} {c}\n" for a, b, c in (mesh.faces + first).tolist()]
        first += len(mesh.verts)
    return "".join(lines)


def surfaces(meshes: Mapping[str, PhotoMesh]) -> list[Surface]:
    """Meshes in the colours of their parts."""
    return [Surface(mesh.verts, mesh.faces, COLORS[name]) for name, mesh in meshes.items()]


def _numbers(found: PhotoPrediction) -> bytes:
    return packed(found.arrays, _facts(found))


def _json(found: PhotoPrediction) -> bytes:
    return plain_json(found.arrays, _facts(found))


def _mesh(found: PhotoPrediction) -> bytes:
    parts = " and the ".join(found.meshes)
    title = f"rhobin: the {parts} in {found.shot.photo.file.name}; {FRAME}"
    return mesh_text(found.meshes, title).encode()


def _picture(found: PhotoPrediction) -> bytes:
    return jpeg(draw_photo(found.shot.subject.source, surfaces(found.meshes), found.shot.camera.K))


def _facts(found: PhotoPrediction) -> dict[str, Any]:
    return shot_facts(found.shot, found.network)


WRITERS: dict[str, Callable[[PhotoPrediction], bytes]] = {
    ".npz": _numbers,
    ".json": _json,
    ".obj": _mesh,
    ".overlay.jpg": _picture,
}
"""What is written of a photograph, by ending."""
