"""Binary PLY files of meshes."""

from __future__ import annotations

from pathlib import Path

import numpy as np


def write_ply(path: Path, verts: np.ndarray, faces: np.ndarray) -> None:
    """Write a binary PLY: vertices (V, 3) in metres as float32, triangles (F, 3)."""
    verts = np.ascontiguousarray(verts, "<f4")
    triangles = np.empty(len(faces), np.dtype([("count", "u1"), ("index", "<i4", 3)]))
    triangles["count"], triangles["index"] = 3, faces
    header = (
        "ply\nformat binary_little_endian 1.0\n"
        f"element vertex {len(verts)}\nproperty float x\nproperty float y\nproperty float z\n"
        f"element face {len(faces)}\nproperty list uchar int vertex_indices\nend_header\n"
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(header.encode() + verts.tobytes() + triangles.tobytes())
