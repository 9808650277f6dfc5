"""Find and load body models: the stand-in that ships with the package, or licensed files.

A licensed file is looked for in the given folder, then in its subfolders `smplh` (or `smpl`, `smplx`),
`models`, `mano_v1_2/models`, `body_models/smplh` (or `smpl`, `smplx`); in each of them by these names, in any
letter case, .npz before .pkl:

- SMPL-H: `SMPLH_<gender>`, then AMASS's `<gender>/model`;
- SMPL-X: `SMPLX_<gender>`;
- SMPL: `SMPL_<gender>`, then the original `basicmodel_<m, f or neutral>_lbs_10_207_0_v<any version>`.

The first that exists is taken.
"""

from collections.abc import Sequence
from copy import deepcopy
from fnmatch import fnmatch
from functools import cache
from importlib.resources import files
from pathlib import Path

import torch

from rhobin.body.arrays import KINDS, read_arrays
from rhobin.body.bodyset import BodySet
from rhobin.body.model import BodyModel
from rhobin.types import GENDERS

SUFFIXES = (".npz", ".pkl")
SOURCES = {
    "smplh": "SMPL-H from https://mano.is.tue.mpg.de",
    "smpl": "SMPL from https://smpl.is.tue.mpg.de",
    "smplx": "SMPL-X from https://smpl-x.is.tue.mpg.de",
}


def load_body(
    gender: str, folder: Path | str | None = None, dtype: torch.dtype = torch.float32, kind: str = "smplh"
) -> BodyModel:
    """Load one body model.

    Args:
        gender: male, female or neutral.
        folder: where the licensed files lie, searched as the module describes; None loads the licence-free
            stand-in of the package.
        dtype: of the model's buffers; ask for float64 here rather than converting afterwards, to keep the
            file's precision.
        kind: smplh (52 joints), smpl (24) or smplx (55, without expressions); the stand-in is an smplh.

    Returns:
        The body model on the CPU.

    Raises:
        ValueError: unknown gender, or a file that does not hold a body model.
        FileNotFoundError: no file for that gender.
    """
    if gender not in GENDERS:
        raise ValueError(f"unknown gender {gender!r}; expected one of {', '.join(GENDERS)}")
    path = find(gender, folder, kind)
    if folder is None:
        return deepcopy(_stand_in(path, gender, dtype))
    arrays = read_arrays(path, gender)
    if len(arrays.parents) != KINDS[kind]:
        raise ValueError(
            f"{path}: kintree_table: expected {KINDS[kind]} joints of {kind}, found {len(arrays.parents)}; "
            f"download {SOURCES[kind]}"
        )
    return BodyModel(arrays, dtype)


@cache
def _stand_in(path: Path, gender: str, dtype: torch.dtype) -> BodyModel:
    """A file of the package, read once in a process; whoever asks gets a copy."""
    return BodyModel(read_arrays(path, gender), dtype)


def load_bodies(
    folder: Path | str | None = None,
    genders: Sequence[str] = GENDERS,
    dtype: torch.dtype = torch.float32,
) -> BodySet:
    """Load several genders as one batched body.

    Licensed SMPL-H has no neutral model, so a folder without one is fine unless only neutral is asked for;
    a batch that then holds a neutral body raises an error.

    Args:
        folder: as for `load_body`.
        genders: which to load.
        dtype: of the buffers.

    Returns:
        The models, indexed by the order of `rhobin.types.GENDERS`.
    """
    wanted = [g for g in genders if g != "neutral" or len(genders) == 1 or search(g, folder)]
    return BodySet([load_body(gender, folder, dtype) for gender in wanted])


def search(gender: str, folder: Path | str | None, kind: str = "smplh") -> Path | None:
    """The file of a body model, or None; arguments as for `load_body`.

    Raises:
        FileNotFoundError: there is no such folder.
    """
    if folder is None:
        path = Path(str(files("rhobin.body"))) / "assets" / f"standin_{gender}.npz"
        return path if kind == "smplh" and path.is_file() else None
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(
            f"no folder {folder.resolve()}: expected one with body models ({kind.upper()}_male.pkl and "
            "others), as --body or data.body=FOLDER names it"
        )
    places = [folder, *(folder / name for name in _subfolders(kind))]
    return next(filter(None, (_match(place, gender, kind) for place in places if place.is_dir())), None)


def find(gender: str, folder: Path | str | None, kind: str = "smplh") -> Path:
    """The file of a body model; arguments as for `load_body`.

    Raises:
        FileNotFoundError: there is none; says where it was looked for and where to download it.
    """
    found = search(gender, folder, kind)
    if found:
        return found
    if folder is None:
        raise FileNotFoundError(
            f"the stand-in body for {gender} is not in the package; build it with tools/build_standin_body.py"
            if kind == "smplh"
            else f"the stand-in body has SMPL-H's 52 joints; give the folder of licensed {kind.upper()} files"
        )
    raise FileNotFoundError(
        f"no {kind.upper()}_{gender}.npz or {kind.upper()}_{gender}.pkl in {Path(folder).resolve()} or its "
        f"subfolders {', '.join(_subfolders(kind))}; download {SOURCES[kind]} and copy the files there, "
        "or leave the folder out to use the stand-in"
    )


def _subfolders(kind: str) -> tuple[str, ...]:
    return (kind, "models", "mano_v1_2/models", f"body_models/{kind}")


def _match(place: Path, gender: str, kind: str) -> Path | None:
    """The first file of a folder by the order of names, then of suffixes."""
    present = {path.name.lower(): path for path in sorted(place.iterdir())}
    patterns = [f"{kind}_{gender}"]
    if kind == "smpl":
        short = gender if gender == "neutral" else gender[0]
        patterns.append(f"basicmodel_{short}_lbs_10_207_0_v*")
    for pattern in patterns:
        for suffix in SUFFIXES:
            for name, path in present.items():
                if fnmatch(name, pattern + suffix):
                    return path
    own = present.get(gender)
    if kind == "smplh" and own and own.is_dir():
        return next(
            (p for s in SUFFIXES for p in sorted(own.iterdir()) if p.name.lower() == f"model{s}"), None
        )
    return None
