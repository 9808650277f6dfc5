"""The zip of a submission, opened with care."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path, PurePosixPath

from rhobin.behave.layout import left_by_system
from rhobin.metrics.submission import SubmissionError
from rhobin.pickles import BrokenFileError, check_expansion
from rhobin.scoring.conversion import how_to_convert

RESULTS = "results.pkl"
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
_NAMES = {9: "Deflate64", 93: "Zstandard", 98: "PPMd"}
_PACK = f"Pack it again: python -m zipfile -c submission.zip {RESULTS}"


def unpack_results(path: Path, folder: Path) -> Path:
    """Unpack the results of a submission.

    Args:
        path: a zip that holds ``results.pkl``, and perhaps what operating systems add to zips.
        folder: where to.

    Returns:
        The unpacked file.

    Raises:
        SubmissionError: it holds no or several pickles, is damaged, encrypted, packed by a method that Python
            does not read, or would take far more space than its size. One line, with what to do.
    """
    try:
        check_expansion(path)
        with zipfile.ZipFile(path) as archive:
            entry = _results_entry(path, archive)
            with archive.open(entry) as packed, (folder / RESULTS).open("wb") as unpacked:
                shutil.copyfileobj(packed, unpacked, 1 << 20)
    except SubmissionError:
        raise
    except BrokenFileError as error:
        raise SubmissionError(f"{error}; no predictions do. {_PACK}") from error
    except Exception as error:  # zlib, bz2, lzma and zipfile have each their own
        told = " ".join(str(error).split()) or type(error).__name__
        raise SubmissionError(f"{path}: the zip is damaged ({told}); copy or download it again.") from error
    return folder / RESULTS


def _results_entry(path: Path, archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    """The entry of the results, if it can be read."""
    entries = {_place(entry): entry for entry in archive.infolist() if not entry.is_dir()}
    if any(place.name == "data.pkl" for place in entries) and any(p.name == "version" for p in entries):
        raise SubmissionError(
            f"{path}: expected a pickle, found a file of torch.save. {how_to_convert('torch', path)}"
        )
    pickles = [
        place for place in entries if place.suffix == ".pkl" and not any(map(left_by_system, place.parts))
    ]
    if pickles != [PurePosixPath(RESULTS)]:
        found = ", ".join(map(str, pickles or list(entries)[:3])) or "nothing"
        raise SubmissionError(f"{path}: expected a zip with {RESULTS}, found {found}. {_PACK}")
    entry = entries[pickles[0]]
    if entry.flag_bits & 1:
        raise SubmissionError(f"{path}: {RESULTS} is encrypted; expected a zip without a password. {_PACK}")
    if entry.compress_type not in _METHODS:
        method = _NAMES.get(entry.compress_type, f"method {entry.compress_type}")
        raise SubmissionError(f"{path}: {RESULTS} is packed by {method}; expected Deflate. {_PACK}")
    return entry


def _place(entry: zipfile.ZipInfo) -> PurePosixPath:
    """Where an entry is in the zip; `./results.pkl` is at the top."""
    return PurePosixPath(entry.filename.replace("\\", "/"))
