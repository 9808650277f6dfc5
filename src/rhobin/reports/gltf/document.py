"""A glTF 2.0 document as it grows: lists of JSON entries, and the one buffer that their arrays lie in."""

from __future__ import annotations

import json
import struct
from typing import Any

import numpy as np

from rhobin import __version__

VERTICES, INDICES = 34962, 34963
"""What a graphics card uses an array for."""

COMPONENTS = {np.dtype("<f4"): 5126, np.dtype("<u4"): 5125, np.dtype("<u2"): 5123, np.dtype("u1"): 5121}
SHAPES = {(): "SCALAR", (3,): "VEC3", (4,): "VEC4", (4, 4): "MAT4"}
LAST_SHORT = 65534  # 65535 is no vertex: it restarts a strip


class Document:
    """Entries by list, and their arrays; every entry is named by its place in its list."""

    def __init__(self) -> None:
        self.lists: dict[str, list[dict[str, Any]]] = {}
        self._buffer = bytearray()

    def add(self, kind: str, **entry: Any) -> int:
        """Append an entry to a list of the document, such as ``nodes``; returns its place."""
        entries = self.lists.setdefault(kind, [])
        entries.append(entry)
        return len(entries) - 1

    def array(self, values: np.ndarray, use: int | None = None, bounds: bool = False) -> int:
        """Store an array.

        Args:
            values: (n, ...) numbers; real ones are stored with 32 bits. Matrices as glTF has them, by column.
            use: `VERTICES` or `INDICES`; None for what is neither.
            bounds: tell the least and largest number of each column, too.

        Returns:
            Its place among the accessors.
        """
        stored = np.ascontiguousarray(values, "<f4" if values.dtype.kind == "f" else None)
        entry = {"componentType": COMPONENTS[stored.dtype], "count": len(stored)}
        if bounds:
            columns = stored.reshape(len(stored), -1)
            entry |= {"min": columns.min(axis=0).tolist(), "max": columns.max(axis=0).tolist()}
        view = self._view(stored.tobytes(), use)
        return self.add("accessors", bufferView=view, type=SHAPES[stored.shape[1:]], **entry)

    def triangles(self, faces: np.ndarray) -> int:
        """Store triangles (F, 3) with as few bytes as the largest index needs."""
        small = faces.max() <= LAST_SHORT
        return self.array(faces.ravel().astype("<u2" if small else "<u4"), INDICES)

    def _view(self, raw: bytes, use: int | None) -> int:
        start = len(self._buffer)
        self._buffer += raw + bytes(-len(raw) % 4)
        target = {} if use is None else {"target": use}
        return self.add("bufferViews", buffer=0, byteOffset=start, byteLength=len(raw), **target)

    def to_bytes(self, roots: list[int], extras: dict[str, Any]) -> bytes:
        """The document as a GLB file.

        Args:
            roots: the nodes that have no parent.
            extras: what is to be told of the whole file.

        Returns:
            The file's bytes.
        """
        head = {
            "asset": {"version": "2.0", "generator": f"rhobin {__version__}", "extras": extras},
            "scene": 0,
            "scenes": [{"nodes": roots}],
            "buffers": [{"byteLength": len(self._buffer)}],
        }
        text = json.dumps(head | self.lists, separators=(",", ":"), allow_nan=False).encode()
        text += b" " * (-len(text) % 4)
        chunks = struct.pack("<I4s", len(text), b"JSON") + text
        chunks += struct.pack("<I4s", len(self._buffer), b"BIN\0") + self._buffer
        return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks
