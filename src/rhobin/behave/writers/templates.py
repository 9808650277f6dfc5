"""Writing the object templates as the release has them: a simplified PLY and a textured OBJ each."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np

from rhobin.behave.ply import write_ply
from rhobin.objects.names import OBJECT_NAMES
from rhobin.objects.scans import SIMPLIFIED
from rhobin.objects.symmetry_file import SYMMETRY_FILE, write_symmetry
from rhobin.objects.template import Template

_CELL = 16


def write_templates(root: Path, templates: Mapping[str, Template]) -> None:
    """Write `objects/<name>/`: the simplified PLY, and an OBJ with material and palette texture.

    Objects that are not BEHAVE's also get their colours in the PLY, and the `symmetry.json` by which they are
    known as objects.
    """
    for name, template in templates.items():
        folder, own = Path(root) / "objects" / name, name not in OBJECT_NAMES
        path = folder / SIMPLIFIED.get(name, f"{name}_f1000.ply")
        write_ply(path, template.verts, template.faces, template.colors if own else None)
        if own:
            write_symmetry(folder / SYMMETRY_FILE, template.group, template.centre)
        _write_obj(folder, name, template)


def _write_obj(folder: Path, name: str, template: Template) -> None:
    palette, cell = np.unique(template.colors, axis=0, return_inverse=True)
    side = int(np.ceil(np.sqrt(len(palette))))
    texture = np.zeros((side, side, 3), np.uint8)
    texture.reshape(-1, 3)[: len(palette)] = palette[:, ::-1]
    texture = np.kron(texture, np.ones((_CELL, _CELL, 1), np.uint8))
    code = cv2.imencode(".jpg", texture, [cv2.IMWRITE_JPEG_QUALITY, 95])[1]
    (folder / f"{name}_tex.jpg").write_bytes(code.tobytes())

    cells = np.arange(len(palette))
    uv = np.stack([(cells % side + 0.5) / side, 1 - (cells // side + 0.5) / side], axis=1)
    lines = [f"mtllib {name}.obj.mtl", "usemtl template"]
    lines += [f"v {x:.6f} {y:.6f} {z:.6f}" for x, y, z in template.verts]
    lines += [f"vt {u:.6f} {v:.6f}" for u, v in uv]
    corners = template.faces + 1
    lines += [f"f {a}/{t} {b}/{t} {c}/{t}" for (a, b, c), t in zip(corners, cell.ravel() + 1, strict=True)]
    (folder / f"{name}.obj").write_text("\n".join(lines) + "\n", encoding="utf-8")
    material = f"newmtl template\nKa 1 1 1\nKd 1 1 1\nmap_Kd {name}_tex.jpg\n"
    (folder / f"{name}.obj.mtl").write_text(material, encoding="utf-8")
