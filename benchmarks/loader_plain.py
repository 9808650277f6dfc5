"""A data loader in the style of the published ones, to compare with."""

import pickle
from pathlib import Path

import cv2
import numpy as np
import torch
from loader_root import HEIGHT, WIDTH

import rhobin.nets.images as nets
from rhobin.data.images.crops import crop_square
from rhobin.data.images.source import read_source
from rhobin.data.splits import available_splits

STYLES = {
    "reference": "float32 frames, cropped by one warp",
    "reference, bytes": "uint8 frames, cropped by one warp",
    "reference, frames": "uint8 frames, turned whole and then cropped",
}
MEAN, STD = (torch.tensor(values[:3])[:, None, None] for values in (nets.MEAN, nets.STD))


class Reference:
    """One sample as published loaders make it.

    Attributes:
        views: files of colour, person mask, object mask.
        squares: centre and side of each crop, which their annotation files hold.
        nocs: pickled crops by view, for the object track.
        style: a key of `STYLES`.
    """

    def __init__(self, views: list, squares: list, nocs: list | None, style: str):
        self.views, self.squares, self.nocs, self.style = views, squares, nocs, style

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        rng = np.random.default_rng(index)
        turn, cut = self._affine(index, rng)
        image = np.asarray(cv2.imread(str(self.views[index][0]), cv2.IMREAD_COLOR))
        if self.style == "reference":
            image = image[:, :, ::-1].astype(np.float32).copy()
        patch: np.ndarray = self._warp(image, turn, cut).astype(np.float32)
        patch = np.clip(patch * rng.uniform(0.8, 1.2, 3), 0, 255).astype(np.float32) / 255
        planes = (torch.from_numpy(patch.transpose(2, 0, 1).copy()) - MEAN) / STD
        masks = []
        for file in self.views[index][1:]:
            mask = self._warp(np.asarray(cv2.imread(str(file), cv2.IMREAD_GRAYSCALE)), turn, cut)
            masks.append(torch.from_numpy((mask > 127).astype(np.float32))[None])
        sample = {"image": torch.cat([planes, *masks])}
        return sample | ({"nocs": self._nocs(self.nocs[index], compose(cut, turn))} if self.nocs else {})

    def _warp(self, image: np.ndarray, turn: np.ndarray, cut: np.ndarray) -> np.ndarray:
        """The crop: in one step, or by turning the whole frame first."""
        if self.style == "reference, frames":
            image = cv2.warpAffine(image, turn, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR)
            return cv2.warpAffine(image, cut, (256, 256), flags=cv2.INTER_LINEAR)
        return cv2.warpAffine(image, compose(cut, turn), (256, 256), flags=cv2.INTER_LINEAR)

    def _nocs(self, file: Path, matrix: np.ndarray) -> torch.Tensor:
        content = pickle.loads(file.read_bytes())  # noqa: S301
        (x, y), crop = content["corner"], content["nocs"]
        frame = np.zeros((HEIGHT, WIDTH, 3), np.float32)
        frame[y : y + crop.shape[0], x : x + crop.shape[1]] = crop
        small = matrix / 4
        return torch.from_numpy(
            cv2.warpAffine(frame, small, (64, 64), flags=cv2.INTER_NEAREST).transpose(2, 0, 1).copy()
        )

    def _affine(self, index: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """The roll of the frame about the crop's centre, and the crop."""
        (x, y), side = self.squares[index]
        side = side * (1 + 0.2 * np.clip(rng.standard_normal(), -1, 1))
        angle = 30 * np.clip(rng.standard_normal(), -2, 2) if rng.random() < 0.6 else 0.0
        zoom = 256 / side
        turn = cv2.getRotationMatrix2D((float(x), float(y)), angle, 1.0)
        return turn, np.array([[zoom, 0, 128 - zoom * x], [0, zoom, 128 - zoom * y]])


def compose(second: np.ndarray, first: np.ndarray) -> np.ndarray:
    """One affine map (2, 3) after another."""
    return second @ np.vstack([first, [0, 0, 1]])


def make_reference(root: Path, crop: str, folder: Path, style: str) -> Reference:
    """The reference loader for the training views of a raw root."""
    release = available_splits(root).releases["train"]
    views = [release.view_files(view) for view in range(len(release.views.frame))]
    squares, nocs = [], []
    folder.mkdir(exist_ok=True)
    for view, files in enumerate(views):
        picture = read_source(files)
        squares.append(crop_square(picture.boxes, crop, None, picture.size))
        x, y, w, h = picture.boxes[1].astype(int)
        file = folder / f"{view}.pkl"
        crop_nocs = np.random.default_rng(view).random((h, w, 3)).astype(np.float16)
        file.write_bytes(pickle.dumps({"corner": (x, y), "nocs": crop_nocs}))
        nocs.append(file)
    return Reference(views, squares, nocs if crop == "object" else None, style)
