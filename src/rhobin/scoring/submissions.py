"""Challenge files on disk: the official folder layout, other people's results, and both editions' formats."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rhobin.files import write_bytes
from rhobin.metrics.submission import SubmissionError
from rhobin.metrics.tracks import TRACKS
from rhobin.pickles import BrokenFileError, UnsafePickleError, load_pickle
from rhobin.pickles.write import pickled
from rhobin.scoring.archives import unpack_results
from rhobin.scoring.by_image import from_images, is_by_image, to_images
from rhobin.scoring.challenge import Challenge
from rhobin.scoring.conversion import TORCH_MAGIC, how_to_convert, is_packed, saved_by

PART_KEYS = {"human": ("poses", "betas", "trans"), "object": ("obj_rots", "obj_trans")}
"""Keys of a prediction by sequence, by part, as every track needs them."""

_ALL_KEYS = {"human": ("gender", *PART_KEYS["human"]), "object": (*PART_KEYS["object"], "obj_scales")}


def predicted_parts(results: Mapping[str, Any]) -> tuple[str, ...]:
    """Parts that every sequence of predictions has: human, object."""
    return tuple(
        part
        for part, keys in PART_KEYS.items()
        if results
        and all(isinstance(record, Mapping) and set(keys) <= set(record) for record in results.values())
    )


def possible_tracks(results: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of the tracks whose parts were predicted, the one with the most parts first."""
    parts = predicted_parts(results)
    return tuple(track.name for track in TRACKS.values() if set(track.parts) <= set(parts))


def check_track(track: str, results: Mapping[str, Any], command: str) -> None:
    """Refuse predictions that are wholly of another track.

    Args:
        track: human, object or joint.
        results: predictions by sequence.
        command: that scores them, with TRACK where the track stands.

    Raises:
        SubmissionError: naming the track that they are of.
    """
    told = {key for record in results.values() if isinstance(record, Mapping) for key in record}
    absent = [part for part in TRACKS[track].parts if not told & {*PART_KEYS[part]}]
    possible = possible_tracks(results)
    if absent and possible:
        raise SubmissionError(
            f"expected predictions of the {track} track, found those of the {possible[0]} track without any "
            f"{' or '.join(absent)}; score them by: {command.replace('TRACK', possible[0])}"
        )


def track_results(results: Mapping[str, Any], track: str, source: str) -> dict[str, dict[str, Any]]:
    """What a track's submission holds of predictions: frames and the track's parts.

    Raises:
        SubmissionError: a part of the track was not predicted.
    """
    parts = predicted_parts(results)
    missing = [part for part in TRACKS[track].parts if part not in parts]
    if missing:
        possible = ", ".join(possible_tracks(results)) or "none"
        raise SubmissionError(
            f"{source}: the {track} track needs the {' and the '.join(missing)}, which these predictions "
            f"lack; tracks that can be packed: {possible}."
        )
    keys = {"frames", *(key for part in TRACKS[track].parts for key in _ALL_KEYS[part])}
    return {
        name: {key: value for key, value in record.items() if key in keys} for name, record in results.items()
    }


def submission_path(run_dir: Path, track: str, edition: str) -> Path:
    """Where a run's submission goes."""
    return run_dir / f"submission-{track}-{edition}.zip"


def pack(path: Path, results: Mapping[str, Any], edition: str, challenge: Challenge | None = None) -> None:
    """Write predictions as a submission of an edition.

    Args:
        path: the zip.
        results: predictions by sequence name.
        edition: 2023 (by sequence) or 2024 (by image).
        challenge: ground truth; one by image says what its images are called.
    """
    if edition == "2023":
        write_zip(path, results)
        return
    by_image = challenge is not None and challenge.edition == "2024"
    ids = {f for a in challenge.annotations.values() for f in a.frames} if challenge and by_image else ()
    write_zip(path, to_images(results, ids))


def read_submission(path: Path, challenge: Challenge | None = None) -> dict[str, Any]:
    """Read results in any of the challenge's formats, without running code in them.

    Args:
        path: ``results.pkl`` of 2023 (by sequence; also the organisers' ``chore_joint.pkl``,
            ``chore_object.pkl`` and ``mocap_results.pkl``) or of 2024 (by image), or a zip of one.
        challenge: the ground truth; one by image says where image ids belong.

    Returns:
        Predictions by sequence name, in the format of 2023.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is broken, carries code, or holds something else.
    """
    if not path.is_file():
        raise FileNotFoundError(
            f"no results at {path}: expected the challenge's results.pkl or its zip; rhobin score takes "
            "one from elsewhere with --results FILE"
        )
    content = _load(path)
    if not isinstance(content, Mapping):
        raise SubmissionError(f"{path}: expected a dict of sequences, found {type(content).__name__}.")
    by_image = challenge is not None and challenge.edition == "2024"
    if is_by_image(content):
        return from_images(content, str(path), challenge.annotations if challenge and by_image else None)
    if by_image:
        raise SubmissionError(
            f"{path}: expected predictions by image id with pose, betas, trans, obj_rot or obj_trans each, "
            f"as the ground truth is by image; found keys {sorted(map(str, content))[:3]}."
        )
    return dict(content)


def write_zip(path: Path, content: Mapping[str, Any]) -> None:
    """Write a submission: a zip that holds ``results.pkl`` and nothing else; the same bytes each time."""
    with tempfile.TemporaryDirectory() as folder:
        packed = Path(folder) / "results.zip"
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            entry = zipfile.ZipInfo("results.pkl", date_time=(2023, 1, 1, 0, 0, 0))
            archive.writestr(entry, pickled(dict(content)), zipfile.ZIP_DEFLATED)
        write_bytes(path, packed.read_bytes())


def _load(path: Path) -> Any:
    """What a file or zip holds; errors name the file that the user knows."""
    if not zipfile.is_zipfile(path):
        return _load_plain(path, path)
    with tempfile.TemporaryDirectory() as folder:
        unpacked = unpack_results(path, Path(folder))
        try:
            return _load_plain(unpacked, Path("results.pkl"))
        except (SubmissionError, UnsafePickleError, BrokenFileError) as error:
            told = str(error).replace(str(unpacked), "results.pkl")
            raise type(error)(f"{path}: {told}") from error


def _load_plain(path: Path, called: Path) -> Any:
    """A pickle of plain data; for others, how to convert the file that is `called` so."""
    try:
        content = load_pickle(path)
    except UnsafePickleError as error:
        told = str(error).partition(" If you trust")[0]
        raise UnsafePickleError(f"{told} {how_to_convert(saved_by(told), called)}") from error
    except BrokenFileError as error:
        if not is_packed(path):
            raise
        told = f"{path}: found a compressed file. {how_to_convert('joblib', called)}"
        raise SubmissionError(told) from error
    if isinstance(content, int) and content == TORCH_MAGIC:
        raise SubmissionError(f"{path}: found a file of torch.save. {how_to_convert('torch', called)}")
    return content
