"""Binary PLY files of meshes."""

from __future__ import annotations

from pathlib import Path

import numpy as np


def write_ply(path: Path, verts: np.ndarray, faces: np.ndarray, colors: np.ndarray | None = None) -> None:
    """Write a binary PLY: vertices (V, 3) in metres as float32, triangles (F, 3) and their colours (F, 3)."""
    verts = np.ascontiguousarray(verts, "<f4")
    fields = [("count", "u1"), ("index", "<i4", 3)] + ([] if colors is None else [("color", "u1", 3)])
    triangles = np.empty(len(faces), np.dtype(fields))
    triangles["count"], triangles["index"] = 3, faces
    if colors is not None:
        triangles["color"] = colors
    channels = "" if colors is None else "".join(f"property uchar {c}\n" for c in ("red", "green", "blue"))
    header = (
        "ply\nformat binary_little_endian 1.0\n"
        f"element vertex {len(verts)}\nproperty float x\nproperty float y\nproperty float z\n"
        f"element face {len(faces)}\nproperty list uchar int vertex_indices\n{channels}end_header\n"
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(header.encode() + verts.tobytes() + triangles.tobytes())
