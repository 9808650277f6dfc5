"""Find and load body models: the stand-in that ships with the package, or licensed SMPL-H files."""

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

import torch

from rhobin.body.arrays import read_arrays
from rhobin.body.bodyset import BodySet
from rhobin.body.model import BodyModel
from rhobin.types import GENDERS

SUFFIXES = (".npz", ".pkl")


def load_body(gender: str, folder: Path | str | None = None, dtype: torch.dtype = torch.float32) -> BodyModel:
    """Load one body model.

    Args:
        gender: male, female or neutral.
        folder: where the licensed files ``SMPLH_<gender>.pkl`` or ``.npz`` lie (any letter case); None loads
            the licence-free stand-in of the package.
        dtype: of the model's buffers; ask for float64 here rather than converting afterwards, to keep the
            file's precision.

    Returns:
        The body model on the CPU.

    Raises:
        ValueError: unknown gender, or a file that does not hold a body model.
        FileNotFoundError: no file for that gender.
    """
    if gender not in GENDERS:
        raise ValueError(f"unknown gender {gender!r}; expected one of {', '.join(GENDERS)}")
    return BodyModel(read_arrays(_find(gender, folder), gender), dtype)


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
    wanted = [g for g in genders if g != "neutral" or len(genders) == 1 or _search(g, folder)]
    return BodySet([load_body(gender, folder, dtype) for gender in wanted])


def _find(gender: str, folder: Path | str | None) -> Path:
    found = _search(gender, folder)
    if found:
        return found
    if folder is None:
        raise FileNotFoundError(
            f"the stand-in body for {gender} is not in the package; build it with tools/build_standin_body.py"
        )
    raise FileNotFoundError(
        f"no SMPLH_{gender}.pkl or SMPLH_{gender}.npz in {Path(folder).resolve()}; download SMPL-H from "
        "https://mano.is.tue.mpg.de and copy the files there, or leave the folder out to use the stand-in"
    )


def _search(gender: str, folder: Path | str | None) -> Path | None:
    if folder is None:
        path = Path(str(files("rhobin.body"))) / "assets" / f"standin_{gender}.npz"
        return path if path.is_file() else None
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"no folder {folder.resolve()} for body models; check the setting `body`")
    names = {f"smplh_{gender}{suffix}" for suffix in SUFFIXES}
    return next((p for p in sorted(folder.iterdir()) if p.name.lower() in names), None)
