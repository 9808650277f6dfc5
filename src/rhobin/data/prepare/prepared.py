"""Training from a prepared root: the same release, with sources in the store."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rhobin.behave.release import Release, Views
from rhobin.behave.skips import REASONS, Skip
from rhobin.data.images.decode import BadSampleError
from rhobin.data.images.source import RawSource, read_source
from rhobin.data.prepare.index import read_arrays, read_cameras, read_header
from rhobin.data.prepare.recipe import PREPARED, TEMPLATES, Recipe, sequence_store, view_stem
from rhobin.data.prepare.stored import StoredSource
from rhobin.data.prepare.templates import read_templates
from rhobin.data.prepare.view import place_of, unpack_masks
from rhobin.objects.template import Template


@dataclass(frozen=True, kw_only=True)
class PreparedRelease(Release):
    """A release whose views were cut and stored by `rhobin prepare`.

    `views.files` names what is stored; for a view that could not be used, it names the raw files.

    Attributes:
        stored: (N,) rows of `rhobin.data.prepare.recipe.STORED`.
        recipe: how views are stored.
    """

    stored: np.ndarray
    recipe: Recipe

    @property
    def hidden(self) -> int:
        """How many stored views show the person or the object only, the other one being wholly hidden."""
        empty = (self.stored["boxes"][..., 2:] == 0).any(axis=2) & self.views.shown
        return int((empty.any(axis=1) & (self.stored["reason"] == b"")).sum())

    def unusable(self) -> list[Skip]:
        """Views that could not be used when they were prepared."""
        rows = np.flatnonzero(self.stored["reason"] != b"").tolist()
        reasons = [self.stored["reason"][row].decode() for row in rows]
        files = [str(self.views.files[row][self.stored["bad_file"][row]]) for row in rows]
        return [Skip(file, why, REASONS[why], 1) for file, why in zip(files, reasons, strict=True)]

    def source(self, view: int) -> StoredSource:
        """The stored part of a view.

        Raises:
            BadSampleError: the view could not be used when it was prepared, or its files have changed since.
        """
        row, files = self.stored[view], self.view_files(view)
        if row["reason"]:
            reason = row["reason"].decode()
            raise BadSampleError(files[int(row["bad_file"])] or files[0], reason, REASONS[reason])
        boxes, bits = row["boxes"], self.masks_file(view)
        try:
            masks = unpack_masks(self.content(bits, row["masks"]), boxes)
        except ValueError as error:
            raise BadSampleError(bits, "unreadable_image", str(error)) from error
        return StoredSource(
            content=self.content(files[0], row["color"]),
            file=files[0],
            masks=masks,
            boxes=boxes.astype(np.float64),
            size=(int(row["size"][0]), int(row["size"][1])),
            stored=(int(row["stored"][0]), int(row["stored"][1])),
            from_image=place_of(row["patch"], row["stored"]),
        )

    def masks_file(self, view: int) -> Path:
        """Where the masks of a view are stored."""
        color, person, obj = self.view_files(view)
        return person or obj or color

    def content(self, file: Path, place: np.ndarray) -> bytes:
        """What is stored under a name at (offset, length, CRC-32) of the index; the CRC is not looked at.

        Raises:
            BadSampleError: the file is missing or has another length.
        """
        start, length = int(place[0]), int(place[1])
        try:
            with _container(file).open("rb", buffering=0) as stream:
                if start:
                    stream.seek(start)
                content = stream.read(length + (not self.recipe.shards))
                while len(content) < length and (more := stream.read(length - len(content))):
                    content += more  # unbuffered reads may stop early
        except OSError as error:
            raise BadSampleError(file, "unreadable_image", f"cannot be read: {error.strerror}") from error
        if len(content) != length:
            detail = (
                f"does not have the {length} bytes that the index says: changed since it was prepared "
                f"(rhobin prepare --check {self.root} lists all such files)"
            )
            raise BadSampleError(file, "unreadable_image", detail)
        return content


def is_prepared(root: Path) -> bool:
    """Whether a root was written by `rhobin prepare` and is complete."""
    return (Path(root) / PREPARED).is_file()


def read_prepared(root: Path, split: str, templates: dict[str, Template] | None = None) -> PreparedRelease:
    """Open one split of a prepared root.

    Args:
        root: prepared root.
        split: "train" or "test".
        templates: those of the root, if they were read before.

    Raises:
        ValueError: the index is broken or of another version, or lacks the split.
    """
    root = Path(root)
    header = read_header(root)
    if split not in header["splits"]:
        raise ValueError(f"{root} holds {', '.join(header['splits'])}, not {split}")
    facts, recipe = header["splits"][split], Recipe(**header["recipe"])
    frames, views, stored = read_arrays(root, split)
    owner = frames.sequence[views.frame].tolist()
    names = frames.name[views.frame].tolist()
    stores = [sequence_store(split, name, recipe.shards) for name in facts["sequences"]]
    mark = "#" if recipe.shards else "/"
    stems = [
        f"{stores[sequence]}{mark}{view_stem(name, kinect)}"
        for sequence, name, kinect in zip(owner, names, views.kinect.tolist(), strict=True)
    ]
    files = [(f"{stem}.jpg", f"{stem}.bits", f"{stem}.bits") for stem in stems]
    for row, raw in zip(np.flatnonzero(stored["reason"] != b""), views.files.tolist(), strict=True):
        files[row] = tuple(raw)
    names = np.array(files).reshape(-1, 3)
    names[:, 1:][~views.shown] = ""
    return PreparedRelease(
        root=root,
        split=split,
        layout=facts["layout"],
        sequences=facts["sequences"],
        frames=frames,
        views=Views(views.frame, views.kinect, views.camera, names, views.shown),
        cameras=read_cameras(facts),
        templates=read_templates(root / TEMPLATES) if templates is None else templates,
        skips=[Skip(**skip) for skip in facts["skips"]],
        data_hash=facts["data_hash"],
        exceptions=facts["exceptions"],
        stored=stored,
        recipe=recipe,
    )


def read_prepared_splits(root: Path) -> list[PreparedRelease]:
    """Every split of a prepared root."""
    first, *others = read_header(Path(root))["splits"]
    found = [read_prepared(root, first)]
    return found + [read_prepared(root, split, found[0].templates) for split in others]


def open_source(
    release: Release, view: int, known: tuple[np.ndarray, tuple[int, int]] | None = None
) -> RawSource | StoredSource:
    """A view of any release, prepared or not.

    Args:
        release: with the view.
        view: its row.
        known: see `read_source`.

    Raises:
        BadSampleError: naming the file and what is wrong with it.
    """
    if isinstance(release, PreparedRelease):
        return release.source(view)
    return read_source(release.view_files(view), known)


def _container(file: Path) -> Path:
    """The tar file of a member, or the file itself."""
    name, mark, _ = file.name.rpartition("#")
    return file.with_name(name) if mark else file
