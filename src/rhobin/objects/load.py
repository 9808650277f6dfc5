"""One way to the templates, built in or scanned."""

from pathlib import Path

import numpy as np

from rhobin.objects.catalogue import built_in
from rhobin.objects.names import OBJECT_NAMES
from rhobin.objects.scans import load_scan, read_mesh, simplified_path
from rhobin.objects.symmetry_file import SYMMETRY_FILE, with_stated_symmetry
from rhobin.objects.template import Template

SAME_MESH = 2e-5


def load_templates(folder: Path | None = None) -> dict[str, Template]:
    """Load the templates by object name: BEHAVE's in the order of `OBJECT_NAMES`, then a user's own.

    Args:
        folder: a BEHAVE `objects` folder; None for the built-in templates. A file that holds a
            built-in mesh (as generated data do) gives the built-in template. An object without a
            folder in it has no template. A folder of another name is a user's object where it has a
            `symmetry.json` (`rhobin object add` writes it).

    Returns:
        Template of each object that there is.

    Raises:
        FileNotFoundError: the folder is missing or holds no object, or an object lacks its simplified mesh.
        ValueError: a mesh cannot be read, or a `symmetry.json` states what does not keep its shape.
    """
    if folder is None:
        return {name: built_in(name) for name in OBJECT_NAMES}
    folder = Path(folder)
    names = [*(name for name in OBJECT_NAMES if (folder / name).is_dir()), *own_objects(folder)]
    if not names:
        raise FileNotFoundError(
            f"expected BEHAVE's objects folder at {folder}, found no object's folder there; "
            "unpack objects.zip there, write a generated data set with: rhobin synth --out DIR, "
            "or add a mesh of your own with: rhobin object add MESH --out DIR"
        )
    return {name: load_template(folder, name) for name in names}


def own_objects(folder: Path) -> list[str]:
    """Names of the objects in an `objects` folder that are not BEHAVE's, sorted."""
    return sorted(
        path.parent.name for path in folder.glob(f"*/{SYMMETRY_FILE}") if path.parent.name not in OBJECT_NAMES
    )


def load_template(folder: Path, name: str) -> Template:
    """Load one object of an `objects` folder, with the symmetry of its `symmetry.json` if it has one.

    Errors as `load_templates`.
    """
    template, stated = _stored(folder, name), folder / name / SYMMETRY_FILE
    return with_stated_symmetry(template, stated) if stated.is_file() else template


def _stored(folder: Path, name: str) -> Template:
    if name not in OBJECT_NAMES:
        return load_scan(folder, name)
    verts, faces, _ = read_mesh(simplified_path(folder, name))
    own = built_in(name)
    same_grid = verts.shape == own.verts.shape and np.array_equal(faces, own.faces)
    if same_grid and np.abs(verts - verts.mean(axis=0) - own.verts).max() < SAME_MESH:
        return own
    return load_scan(folder, name, own.group)
