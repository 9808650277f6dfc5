"""Reading rendered objects: a training split that shows no people, each view with its own camera."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from rhobin.behave.builder import EmptySplitError
from rhobin.behave.layout import left_by_system
from rhobin.behave.release import Frames, Release, Views
from rhobin.behave.renders import (
    PART,
    PosedViews,
    finished_parts,
    part_folder,
    picture_names,
    read_part,
    read_settings,
)
from rhobin.behave.root_templates import root_templates
from rhobin.behave.skips import Skip
from rhobin.objects.names import names_by_id
from rhobin.objects.template import Template
from rhobin.types import GENDERS, Camera

SEQUENCE = "renders_{name}_{part:05d}"
"""A part as a sequence. All begin alike, so that validation takes parts of objects and not whole objects."""


class RenderCameras(Sequence[Camera]):
    """Cameras of square pictures at the origin, one for each intrinsics; made when asked for."""

    def __init__(self, K: np.ndarray, size: int):
        """Keep the intrinsics (N, 3, 3) of pictures of `size` pixels."""
        self._K, self._size, self._R, self._t = K, size, np.eye(3), np.zeros(3)

    def __len__(self) -> int:
        return len(self._K)

    def __getitem__(self, index):
        if isinstance(index, slice):
            return RenderCameras(self._K[index], self._size)
        return Camera(self._K[index], self._R, self._t, self._size, self._size)


def read_renders(
    root: Path, split: str, kinects: Sequence[int], templates: Mapping[str, Template] | None
) -> Release:
    """Read the complete parts of a root of renders; there are training views only, all of "kinect" 0.

    Arguments and errors as `rhobin.behave.read.read_release`; what cannot be read is left out and noted.
    """
    if split != "train":
        raise EmptySplitError(f"{root}: rendered objects have training views only, no {split} split")
    settings = read_settings(root)
    known = dict(root_templates(root) if templates is None else templates)
    digest = hashlib.sha256(f"{settings['renderer']} {settings['size']}\n".encode())
    parts: list[tuple[str, int, PosedViews]] = []
    skips: list[Skip] = []
    for name in sorted(path.name for path in (root / "renders").glob("*/") if not left_by_system(path.name)):
        if name not in known:
            skips.append(Skip(f"renders/{name}", "unknown_object", f"object {name!r}", 0))
            continue
        for number in finished_parts(root, name):
            file = part_folder(root, name, number) / "poses.npz"
            try:
                parts.append((name, number, read_part(file.parent)))
                digest.update(f"{name} {number} {known[name].sha256}\n".encode() + file.read_bytes())
            except ValueError as error:
                skips.append(Skip(file.relative_to(root).as_posix(), "broken_archive", str(error), PART))
    if not parts:
        raise EmptySplitError(
            f"{root}: no part of the renders is complete; run rhobin synth-objects --out {root} "
            "as before, which goes on where it was"
        )
    return _release(root, settings["size"], known, parts, skips, digest.hexdigest()[:16])


def _release(
    root: Path,
    size: int,
    templates: dict[str, Template],
    parts: list[tuple[str, int, PosedViews]],
    skips: list[Skip],
    data_hash: str,
) -> Release:
    poses = [views for _, _, views in parts]
    counts = [len(views.index) for views in poses]
    row, total = np.arange(sum(counts), dtype=np.int32), sum(counts)
    ids = [names_by_id(templates).index(name) for name, _, _ in parts]
    return Release(
        root=root,
        split="train",
        layout="renders",
        sequences=[SEQUENCE.format(name=name, part=number) for name, number, _ in parts],
        frames=_frames(
            poses, np.repeat(np.arange(len(parts), dtype=np.int32), counts), np.repeat(ids, counts)
        ),
        views=Views(
            row, np.zeros(total, np.int32), row, _files(root, parts), np.array([[False, True]] * total)
        ),
        cameras=RenderCameras(np.concatenate([views.K for views in poses]), size),
        templates=templates,
        skips=skips,
        data_hash=data_hash,
    )


def _frames(poses: list[PosedViews], sequence: np.ndarray, object_id: np.ndarray) -> Frames:
    """Frames without bodies; what they lack takes no memory."""
    count = len(sequence)
    R, t = (np.concatenate([getattr(views, key) for views in poses]) for key in ("R", "t"))
    nobody = np.zeros((1, 1))
    return Frames(
        sequence=sequence,
        name=np.array([f"{index:06d}" for views in poses for index in views.index.tolist()]),
        pose=np.broadcast_to(nobody, (count, 156)),
        betas=np.broadcast_to(nobody, (count, 10)),
        trans=np.broadcast_to(nobody, (count, 3)),
        obj_angle=Rotation.from_matrix(R).as_rotvec(),
        obj_trans=t.astype(np.float64),
        gender=np.full(count, GENDERS.index("neutral")),
        object_id=object_id.astype(np.int64),
        visible=np.ones(count),
        has_body=np.zeros(count, bool),
        has_object=np.ones(count, bool),
    )


def _files(root: Path, parts: list[tuple[str, int, PosedViews]]) -> np.ndarray:
    """(N, 3) colour, no person mask, object mask."""
    rows = []
    for name, number, views in parts:
        folder = part_folder(root, name, number).relative_to(root).as_posix()
        for index in views.index.tolist():
            color, mask, _ = picture_names(index)
            rows.append((f"{folder}/{color}", "", f"{folder}/{mask}"))
    return np.array(rows)
