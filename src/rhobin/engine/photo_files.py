"""What is written of a photograph's person: numbers, mesh and picture, all in one frame."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np

import rhobin
from rhobin.engine.photos import PhotoPrediction
from rhobin.files import write_bytes, write_json, write_text
from rhobin.reports.photo_overlay import draw_photo, jpeg

FRAME = "camera of the photograph as seen upright: x right, y down, z forward; metres"
SUFFIXES = (".npz", ".json", ".obj", ".overlay.jpg")


def write_photo(out: Path, name: str, found: PhotoPrediction, origin: dict[str, Any]) -> None:
    """Write NAME.npz, NAME.json, NAME.obj and NAME.overlay.jpg.

    Args:
        out: folder, made where it is missing.
        name: of the files.
        found: the person.
        origin: what to say of the network.
    """
    facts = _facts(found, origin)
    packed = io.BytesIO()
    told: dict[str, Any] = found.arrays | {key: np.array(facts[key]) for key in ("gender", "body", "frame")}
    np.savez_compressed(packed, **told)
    picture = draw_photo(found.subject.source, found.verts, found.faces, found.camera.K)
    title = f"rhobin: the person in {found.photo.file.name}; {FRAME}"
    npz, json, obj, overlay = (out / f"{name}{suffix}" for suffix in SUFFIXES)
    write_bytes(npz, packed.getvalue())
    write_json(json, facts | {key: array.tolist() for key, array in found.arrays.items()})
    write_text(obj, mesh_text(found.verts, found.faces, title))
    write_bytes(overlay, jpeg(picture))


def mesh_text(verts: np.ndarray, faces: np.ndarray, title: str) -> str:
    """A mesh as a Wavefront OBJ.

    Args:
        verts: (V, 3) metres.
        faces: (F, 3) triangles.
        title: a comment.
    """
    points = "".join(f"v {x:.6f} {y:.6f} {z:.6f}\n" for x, y, z in verts.tolist())
    triangles = "".join(f"f {a} {b} {c}\n" for a, b, c in (faces + 1).tolist())
    return f"# {title}\n{points}{triangles}"


def _facts(found: PhotoPrediction, origin: dict[str, Any]) -> dict[str, Any]:
    """What is said beside the numbers."""
    return {
        "rhobin": rhobin.__version__,
        **origin,
        "image": str(found.photo.file),
        "size": list(found.photo.size),
        "frame": FRAME,
        "gender": found.gender,
        "person_from": found.subject.how,
        "person_box": found.subject.source.boxes[0].tolist(),
        "camera_from": found.camera.how,
        "notes": list(found.subject.notes),
    }
