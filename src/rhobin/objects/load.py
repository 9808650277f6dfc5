"""One way to the templates, built in or scanned."""

from pathlib import Path

import numpy as np

from rhobin.objects.catalogue import built_in
from rhobin.objects.names import OBJECT_NAMES
from rhobin.objects.scans import load_scan, read_mesh, simplified_path
from rhobin.objects.template import Template

SAME_MESH = 2e-5


def load_templates(folder: Path | None = None) -> dict[str, Template]:
    """Load the templates by object name, in the order of `OBJECT_NAMES`.

    Args:
        folder: a BEHAVE `objects` folder; None for the built-in templates. A file that holds a
            built-in mesh (as generated data do) gives the built-in template. An object without a
            folder in it has no template.

    Returns:
        Template of each object that there is.

    Raises:
        FileNotFoundError: the folder is missing or holds no object, or an object lacks its simplified mesh.
        ValueError: a mesh cannot be read.
    """
    if folder is None:
        return {name: built_in(name) for name in OBJECT_NAMES}
    folder = Path(folder)
    names = [name for name in OBJECT_NAMES if (folder / name).is_dir()]
    if not names:
        raise FileNotFoundError(
            f"expected BEHAVE's objects folder at {folder}, found no object's folder there; "
            "unpack objects.zip there or write a generated data set with: rhobin synth --out DIR"
        )
    return {name: load_template(folder, name) for name in names}


def load_template(folder: Path, name: str) -> Template:
    """Load one object of a BEHAVE `objects` folder; errors as `load_templates`."""
    verts, faces, _ = read_mesh(simplified_path(folder, name))
    own = built_in(name)
    same_grid = verts.shape == own.verts.shape and np.array_equal(faces, own.faces)
    if same_grid and np.abs(verts - verts.mean(axis=0) - own.verts).max() < SAME_MESH:
        return own
    return load_scan(folder, name, own.group)
