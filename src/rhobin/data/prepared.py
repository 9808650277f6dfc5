"""Training from a prepared root: the same release, with pictures from the cache."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rhobin.behave.release import Release, Views
from rhobin.behave.skips import REASONS, Skip
from rhobin.data.crops import crop_square, union_box
from rhobin.data.images import (
    BadSampleError,
    Grid,
    RawPicture,
    decode_color,
    read_picture,
    reduce_mask,
    shrink_mask,
)
from rhobin.data.prepare.index import read_arrays, read_cameras, read_header
from rhobin.data.prepare.recipe import PREPARED, TEMPLATES, Recipe, sequence_store, view_stem
from rhobin.data.prepare.templates import read_templates
from rhobin.data.prepare.view import place_of, unpack_masks
from rhobin.objects.template import Template

log = logging.getLogger(__name__)

_BORDER = 3.0  # pixels; a patch is decoded a little wider than its crops look
_FINE = 0.95  # stored pixels may be so much coarser than those that a raw view would keep


@dataclass(frozen=True)
class StoredPicture:
    """A view of a prepared root: a patch of the image, perhaps shrunk, and masks at full size.

    Its contexts have the raw view's masks to the bit; colour keeps the pixels that are stored.

    Attributes:
        content: the JPEG.
        file: where it lies, for errors.
        parts: masks of person and object inside their boxes, uint8 of 0 or 255.
        boxes: (2, 4) x, y, width, height.
        size: width and height of the full image.
        from_image: (3, 3) map from pixels of the full image to stored pixels.
    """

    content: bytes
    file: Path
    parts: tuple[np.ndarray, np.ndarray]
    boxes: np.ndarray
    size: tuple[int, int]
    from_image: np.ndarray

    def read_color(self, factor: int) -> np.ndarray:
        """Decode what is stored at 1/factor of its size.

        Raises:
            BadSampleError: it cannot be decoded.
        """
        return decode_color(self.file, self.content, factor)

    def color_on(self, grid: Grid) -> tuple[np.ndarray, np.ndarray]:
        """Colour with pixels that are at least as fine as a grid's where so much is stored, and their map."""
        finer = self.from_image[0, 0] / grid.from_image[0, 0]
        factor = max(f for f in (1, 2, 4, 8) if f == 1 or finer / f >= _FINE)
        shrink = np.array(
            [[1 / factor, 0, 0.5 / factor - 0.5], [0, 1 / factor, 0.5 / factor - 0.5], [0, 0, 1]]
        )
        color, place = self.read_color(factor), shrink @ self.from_image
        corners = np.array([[-1, -1, 1], [*grid.size, 1]]) @ (place @ np.linalg.inv(grid.from_image)).T
        left, top = np.maximum(np.floor(corners[0, :2]), 0).astype(int)
        right, bottom = np.ceil(corners[1, :2]).astype(int) + 1
        shift = np.array([[1.0, 0, -left], [0, 1, -top], [0, 0, 1]])
        return color[top:bottom, left:right], shift @ place

    def masks_on(self, grid: Grid) -> np.ndarray:
        """The raw view's masks on a grid."""
        return np.stack([_mask_on(grid, part, box) for part, box in zip(self.parts, self.boxes, strict=True)])


@dataclass(frozen=True, kw_only=True)
class PreparedRelease(Release):
    """A release whose pictures were cut and stored by `rhobin prepare`.

    `views.files` names what is stored; for a view that could not be used, it names the raw files.

    Attributes:
        stored: (N,) rows of `rhobin.data.prepare.recipe.STORED`.
        recipe: how views are stored.
    """

    stored: np.ndarray
    recipe: Recipe

    def picture(self, view: int) -> StoredPicture:
        """The stored part of a view.

        Raises:
            BadSampleError: the view could not be used when it was prepared, or its files have changed since.
        """
        row, files = self.stored[view], self.view_files(view)
        if row["reason"]:
            reason = row["reason"].decode()
            raise BadSampleError(files[int(row["bad_file"])], reason, REASONS[reason])
        boxes = row["boxes"]
        try:
            parts = unpack_masks(self.content(files[1], row["masks"]), boxes)
        except ValueError as error:
            raise BadSampleError(files[1], "unreadable_image", str(error)) from error
        return StoredPicture(
            content=self.content(files[0], row["color"]),
            file=files[0],
            parts=parts,
            boxes=boxes.astype(np.float64),
            size=(int(row["size"][0]), int(row["size"][1])),
            from_image=place_of(row["patch"], row["stored"]),
        )

    def content(self, file: Path, place: np.ndarray) -> bytes:
        """What is stored under a name at (offset, length, CRC-32) of the index; the CRC is not looked at.

        Raises:
            BadSampleError: the file is missing or has another length.
        """
        start, length = int(place[0]), int(place[1])
        try:
            with _container(file).open("rb") as stream:
                stream.seek(start)
                content = stream.read(length + (not self.recipe.shards))
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
    return PreparedRelease(
        root=root,
        split=split,
        layout=facts["layout"],
        sequences=facts["sequences"],
        frames=frames,
        views=Views(views.frame, views.kinect, views.camera, np.array(files).reshape(-1, 3)),
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


def view_picture(release: Release, view: int) -> RawPicture | StoredPicture:
    """A view of any release, prepared or not.

    Raises:
        BadSampleError: naming the file and what is wrong with it.
    """
    if isinstance(release, PreparedRelease):
        return release.picture(view)
    return read_picture(release.view_files(view))


def require_margin(
    release: Release, views: np.ndarray, crop: str, expand: float | None, reach: float, output: int
) -> None:
    """Check that what is stored of some views holds all that their crops can show.

    Args:
        release: nothing is checked unless it is a prepared one.
        views: (M,) its rows.
        crop: one of `CROPS`.
        expand: factor on the crop's box; None for the method's own.
        reach: how far augmented crops look beyond the square, as a factor on its side.
        output: width of the network's input, pixels; coarser crops only give a warning.

    Raises:
        ValueError: crops would show black where the raw image goes on; says which margin would do.
    """
    if not isinstance(release, PreparedRelease):
        return
    wanted, coarse, usable = 0.0, 0, 0
    for row in release.stored[views]:
        if row["reason"]:
            continue
        centre, side = crop_square(row["boxes"].astype(np.float64), crop, expand, tuple(row["size"].tolist()))
        wanted = max(wanted, _missing_margin(row, centre, side * reach))
        scale = row["stored"][0] / (row["patch"][2] - row["patch"][0])
        coarse += bool(scale < 1 and side * scale < output)
        usable += 1
    if wanted:
        raise ValueError(
            f"{release.root} was prepared with --margin {release.recipe.margin:g}; data.crop, data.expand "
            f"and data.augment look as far as {wanted:.2f} times the box around person and object. "
            f"Prepare again with --margin {np.ceil(wanted * 10) / 10:g}, or turn, scale and shift less."
        )
    if coarse:
        log.warning(
            "%s: of %d of %d %s views, fewer pixels are stored than data.input_size=%d shows; prepare with a "
            "larger --size for all the detail of the raw images",
            release.root, coarse, usable, release.split, output,
        )  # fmt: skip


def _missing_margin(row: np.ndarray, centre: np.ndarray, side: float) -> float:
    """The margin that would hold a square, or 0 when the stored patch does."""
    patch, size = row["patch"].astype(np.float64), row["size"]
    needed = np.concatenate(
        [np.maximum(centre + 0.5 - side / 2, 0), np.minimum(centre + 0.5 + side / 2, size)]
    )
    outside = np.concatenate([patch[:2] - needed[:2], needed[2:] - patch[2:]])
    if outside.max() <= _BORDER:
        return 0.0
    box = union_box(row["boxes"].astype(np.float64))
    middle = box[:2] + box[2:] / 2
    reach = np.abs(np.concatenate([middle - needed[:2], needed[2:] - middle]))[outside > _BORDER].max()
    return float(2 * reach / box[2:].max())


def _mask_on(grid: Grid, part: np.ndarray, box: np.ndarray) -> np.ndarray:
    """A mask on a grid, of which only the part inside its box is touched."""
    f, (x, y) = grid.factor, box[:2].astype(int).tolist()
    left, top = x // f, y // f
    right, bottom = -(-(x + part.shape[1]) // f), -(-(y + part.shape[0]) // f)
    cells = np.zeros(((bottom - top) * f, (right - left) * f), np.uint8)
    cells[y - top * f :, x - left * f :][: part.shape[0], : part.shape[1]] = part
    reduced = reduce_mask(cells, (right - left, bottom - top))
    patch = np.zeros(grid.patch[::-1], np.uint8)
    first, last = max(top, grid.top), min(bottom, grid.rows.stop)
    start, stop = max(left, grid.left), min(right, grid.columns.stop)
    if first < last and start < stop:
        seen = reduced[first - top : last - top, start - left : stop - left]
        patch[first - grid.top : last - grid.top, start - grid.left : stop - grid.left] = seen
    return shrink_mask(patch, grid.size)


def _container(file: Path) -> Path:
    """The tar file of a member, or the file itself."""
    name, mark, _ = file.name.rpartition("#")
    return file.with_name(name) if mark else file
