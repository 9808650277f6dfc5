"""The two parameter files of a sequence at 30 fps, joined on the times of their frames."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rhobin.behave.layout import is_frame_name
from rhobin.behave.numbers import as_floats
from rhobin.behave.readers.frames import UnusableError
from rhobin.pickles import read_npz

SMPL_FILE = "smpl_fit_all.npz"
OBJECT_FILE = "object_fit_all.npz"
_SMPL = {"poses": 156, "betas": 10, "trans": 3}
_OBJECT = {"angles": 3, "trans": 3}


@dataclass(frozen=True)
class SequenceFit:
    """Parameters of the frames that both files have.

    Attributes:
        names: T frame names, in the order of the body's file.
        parameters: (T, 175) pose, betas, trans, object angle, object trans.
        unmatched: by file name, times that the other file lacks.
        broken: by frame name, why the parameters of a common frame cannot be used. A time may be listed twice
            where both fits of it are the same.
    """

    names: list[str]
    parameters: np.ndarray
    unmatched: Mapping[str, list[str]]
    broken: Mapping[str, str]


def read_fit(folder: Path) -> SequenceFit:
    """Read a sequence's `smpl_fit_all.npz` and `object_fit_all.npz`.

    Raises:
        UnusableError: one is missing or broken, or its arrays and times differ in length.
    """
    smpl_times, smpl, odd = _read(folder / SMPL_FILE, "missing_person_fit", _SMPL)
    object_times, placed, odd_objects = _read(folder / OBJECT_FILE, "missing_object_fit", _OBJECT)
    rows = {time: row for row, time in enumerate(object_times)}
    common = [(row, rows[time]) for row, time in enumerate(smpl_times) if time in rows]
    left, right = np.array(common, np.int64).reshape(-1, 2).T
    names = [smpl_times[row] for row in left]
    parameters = np.concatenate([smpl[left], placed[right]], axis=1)
    broken = {name: "two fits of this time differ" for name in names if name in odd | odd_objects}
    broken |= {
        names[row]: "parameters are not finite"
        for row in np.flatnonzero(~np.isfinite(parameters).all(axis=1))
    }
    usable = [name not in broken for name in names]
    shared = set(names)
    unmatched = {
        file: [time for time in times if time not in shared]
        for file, times in ((SMPL_FILE, smpl_times), (OBJECT_FILE, object_times))
    }
    return SequenceFit(
        names=[name for name in names if name not in broken],
        parameters=parameters[usable],
        unmatched={file: times for file, times in unmatched.items() if times},
        broken=broken,
    )


def _read(path: Path, missing: str, widths: Mapping[str, int]) -> tuple[list[str], np.ndarray, set[str]]:
    """Frame times and the joined arrays of one file, each time once; times of which it has different fits."""
    if not path.is_file():
        raise UnusableError(path, missing, "no such file")
    try:
        content = read_npz(path)
        times = [str(time) for time in content["frame_times"]]
        arrays = {key: as_floats(content[key]) for key in widths}
    except (KeyError, TypeError, ValueError) as error:
        wanted = ", ".join((*widths, "frame_times"))
        raise UnusableError(path, "broken_archive", f"expected arrays {wanted}: {error}") from error
    for key, array in arrays.items():
        if array.shape != (len(times), widths[key]):
            detail = f"{key} has shape {array.shape}; expected {(len(times), widths[key])} by frame_times"
            raise UnusableError(path, "bad_parameters", detail)
    odd = next((time for time in times if not is_frame_name(time)), None)
    if odd is not None:
        raise UnusableError(path, "bad_parameters", f"frame time {odd!r}; expected t0003.000, t0003.033, ...")
    return _once(times, np.concatenate(list(arrays.values()), axis=1))


def _once(times: list[str], values: np.ndarray) -> tuple[list[str], np.ndarray, set[str]]:
    """The first row of each time, and the times whose rows differ."""
    first: dict[str, int] = {}
    for row, time in enumerate(times):
        first.setdefault(time, row)
    differ = {
        time for row, time in enumerate(times) if not np.array_equal(values[row], values[first[time]], True)
    }
    return list(first), values[list(first.values())], differ
