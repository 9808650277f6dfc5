"""Writing layouts of frame folders: the raw release, and the package of the 2023 challenge."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rhobin.behave.layout import TEST_KINECT, depth_file, object_dirs, object_fit_file, person_fit_file
from rhobin.behave.ref import SequenceAnnotation, write_ref
from rhobin.behave.release import Release
from rhobin.behave.video import split_frame
from rhobin.behave.writers.files import copy_image, read_mask, sequence_rows, views_by_frame, write_common
from rhobin.behave.writers.tree import write_info
from rhobin.objects.names import names_by_id
from rhobin.pickles.write import pickled, single
from rhobin.types import GENDERS

_PARTS = 3
_FULL = ("obj_rend_full", "person_full")


def write_raw(out: Path, releases: Sequence[Release]) -> None:
    """Write the raw (1 fps) layout; frames are taken as they come, at whatever rate."""
    write_common(out, releases)
    for release in releases:
        places = {name: out / "sequences" / name for name in release.sequences}
        _write_frames(release, places, fits=True, full=True)


def write_2023(out: Path, releases: Sequence[Release]) -> None:
    """Write the 2023 package: training sequences in three parts, test images, `ref.pkl`.

    The published package has neither `calibs/` nor `objects/` of its own; they are written beside it, where
    the reader also finds those of the raw release.
    """
    write_common(out, releases)
    for release in releases:
        if release.split == "test":
            places = {name: out / "test_images" / name for name in release.sequences}
            _write_frames(release, places, fits=False, full=False, kinects=(TEST_KINECT,))
            annotations = {name: _annotation(release, rows) for name, rows in sequence_rows(release)}
            write_ref(out / "ref.pkl", annotations, release.templates)
        else:
            share = -(-len(release.sequences) // _PARTS)
            places = {
                name: out / f"train_part{1 + number // share}" / name
                for number, name in enumerate(release.sequences)
            }
            _write_frames(release, places, fits=True, full=False)


def _write_frames(
    release: Release,
    places: dict[str, Path],
    fits: bool,
    full: bool,
    kinects: tuple[int, ...] = (0, 1, 2, 3),
) -> None:
    """Write frame folders, each sequence at its place.

    Args:
        release: what to write.
        places: folder of each sequence.
        fits: write the parameters and `info.json`, and copy the posed meshes, where the source has them.
        full: copy the masks of whole silhouettes and the depth images, where the source has them.
        kinects: whose views to write.
    """
    frames, names = release.frames, names_by_id(release.templates)
    for frame, views in views_by_frame(release):
        name = release.sequences[frames.sequence[frame]]
        folder = places[name] / str(frames.name[frame])
        folder.mkdir(parents=True, exist_ok=True)
        object_name = names[frames.object_id[frame]]
        if fits:
            _write_fits(release, frame, folder, object_name)
            _copy_meshes(release, views, folder, object_name)
        for view in views:
            if release.views.kinect[view] in kinects:
                _write_view(release, view, folder, full)
    if fits:
        for name, rows in sequence_rows(release):
            first = rows[0]
            object_name, gender = names[frames.object_id[first]], GENDERS[frames.gender[first]]
            write_info(places[name], object_name, gender, frames.betas[first])


def _write_fits(release: Release, frame: int, folder: Path, object_name: str) -> None:
    frames = release.frames
    person = {"pose": frames.pose[frame], "betas": frames.betas[frame], "trans": frames.trans[frame]}
    placed = {"angle": frames.obj_angle[frame], "trans": frames.obj_trans[frame]}
    fits = (
        (person_fit_file(folder), person),
        (object_fit_file(folder, object_dirs(object_name)[0]), placed),
    )
    for file, values in fits:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(pickled(single(values)))


def _copy_meshes(release: Release, views: list[int], folder: Path, object_name: str) -> None:
    folders = object_dirs(object_name)
    target = object_fit_file(folder, folders[0], "ply")
    for source in {release.view_files(view)[0].parent for view in views}:
        meshes = {person_fit_file(source, "ply"): person_fit_file(folder, "ply")}
        meshes |= {object_fit_file(source, name, "ply"): target for name in reversed(folders)}
        for mesh, place in meshes.items():
            if mesh.is_file():
                shutil.copyfile(mesh, place)


def _write_view(release: Release, view: int, folder: Path, full: bool) -> None:
    color, person, obj = release.complete_files(view)
    kinect = int(release.views.kinect[view])
    color_ending = ".jpg" if split_frame(color) is not None else color.suffix
    copy_image(color, folder / f"k{kinect}.color{color_ending}")
    copy_image(person, folder / f"k{kinect}.person_mask{person.suffix}")
    copy_image(obj, folder / f"k{kinect}.obj_rend_mask{obj.suffix}")
    for name in _FULL if full else ():
        whole = full_mask(obj, name)
        if whole is not None:
            copy_image(whole, folder / f"k{kinect}.{name}{whole.suffix}")
    depth = depth_file(color.parent, kinect)
    if full and depth.is_file():
        shutil.copyfile(depth, depth_file(folder, kinect))


def full_mask(object_mask: Path, name: str = "obj_rend_full") -> Path | None:
    """The mask of the whole silhouette that lies beside a view's object mask, None without one."""
    prefix = object_mask.name.split(".")[0]
    files = [object_mask.with_name(f"{prefix}.{name}.{ending}") for ending in ("png", "jpg")]
    return next((file for file in files if file.is_file()), None)


def _annotation(release: Release, rows: np.ndarray) -> SequenceAnnotation:
    """Ground truth of a test sequence in the frame of kinect 1."""
    frames = release.frames
    return SequenceAnnotation(
        frames=[str(name) for name in frames.name[rows]],
        gender=GENDERS[frames.gender[rows[0]]],
        poses=frames.pose[rows],
        betas=frames.betas[rows],
        trans=frames.trans[rows],
        obj_rots=frames.obj_angle[rows],
        obj_trans=frames.obj_trans[rows],
        occ_ratios=np.array([visible_fraction(release, int(row)) for row in rows]),
    )


def visible_fraction(release: Release, frame: int) -> float:
    """Visible fraction of a frame's object in the test Kinect: as read, or from the masks.

    Raises:
        ValueError: the release does not say, and has no mask of the whole object.
    """
    known = float(release.frames.visible[frame])
    if np.isfinite(known):
        return known
    shown = np.flatnonzero((release.views.frame == frame) & (release.views.kinect == TEST_KINECT))
    masks = [release.complete_files(int(view))[2] for view in shown]
    whole = full_mask(masks[0]) if masks else None
    if whole is None:
        name = f"{release.sequences[release.frames.sequence[frame]]}/{release.frames.name[frame]}"
        raise ValueError(
            f"{release.root}: how much of the object is visible in {name} is not known: expected "
            f"k{TEST_KINECT}.obj_rend_full.jpg beside its masks (behave-test-object-fullmask.zip)"
        )
    seen, all_of_it = (int(np.count_nonzero(read_mask(file))) for file in (masks[0], whole))
    return seen / all_of_it if all_of_it else 0.0
