"""What is written of a photograph: numbers, mesh and picture, all in one frame."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from rhobin.engine.photo_facts import FRAME, shot_facts
from rhobin.engine.photo_scenes import photo_glb, photo_html
from rhobin.engine.photos import PhotoMesh, PhotoPrediction
from rhobin.files import write_bytes
from rhobin.reports.photo_overlay import jpeg

TEXTS = ("gender", "body", "object", "frame", "smoother")


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


def _numbers(found: PhotoPrediction) -> bytes:
    return packed(found.arrays, _facts(found))


def _json(found: PhotoPrediction) -> bytes:
    return plain_json(found.arrays, _facts(found))


def _mesh(found: PhotoPrediction) -> bytes:
    parts = " and the ".join(found.meshes)
    title = f"rhobin: the {parts} in {found.shot.photo.file.name}; {FRAME}"
    return mesh_text(found.meshes, title).encode()


def _picture(found: PhotoPrediction) -> bytes:
    return jpeg(found.picture)


def _facts(found: PhotoPrediction) -> dict[str, Any]:
    overlaps = {f"{part}_mask_iou": round(iou, 4) for part, iou in found.mask_iou.items()}
    return shot_facts(found.shot, found.network) | overlaps


WRITERS: dict[str, Callable[[PhotoPrediction], bytes]] = {
    ".npz": _numbers,
    ".json": _json,
    ".obj": _mesh,
    ".glb": photo_glb,
    ".overlay.jpg": _picture,
    ".html": photo_html,
}
"""What is written of a photograph, by ending."""
