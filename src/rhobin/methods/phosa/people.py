"""The person that PHOSA starts from: never the truth (decision 0175)."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from rhobin.behave.readers.frankmocap import mocap_file, read_mocap
from rhobin.body.bodyset import BodySet
from rhobin.body.transform import change_camera
from rhobin.geometry.rotation import rotvec_to_rotmat
from rhobin.pickles import load_pickle
from rhobin.types import SampleKey

MEAN = "mean"
RESULTS = "results.pkl"
Guess = tuple[Tensor, Tensor, Tensor | None]
"""Local rotations (52, 3, 3), shape (10,), translation (3,) in metres where it is known; the view's frame."""


class GuessError(ValueError):
    """There is no person to start from."""


class FrankMocap:
    """The guesses of FrankMocap beside the images of a BEHAVE root: `k1.mocap.json`, without a translation.

    Args:
        root: the BEHAVE root.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def __call__(self, key: SampleKey, gender: Tensor, bodies: BodySet) -> Guess:
        """The guess of one view, with mean hands."""
        path = mocap_file(self.root / "sequences" / key.sequence / key.frame, key.camera)
        guess = read_mocap(path) if path.is_file() else None
        if guess is None or guess.missing:
            raise GuessError(
                f"expected FrankMocap's guess of a person in {path}, found none. Start from another run's "
                "people (model.initial=RUN) or from the mean body (model.initial=mean)"
            )
        theta = torch.cat((_rotations(guess.pose[:66]), bodies.mean_hands(gender[None])[0].cpu()))
        return theta, torch.from_numpy(guess.betas).float(), None


class Results:
    """The people of stored results: of a run, of an ensemble, of anybody.

    Args:
        path: a `results.pkl` in the challenge's layout.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.content = path, load_pickle(path)

    def __call__(self, key: SampleKey, gender: Tensor, bodies: BodySet) -> Guess:
        """The person of one view."""
        record = self.content.get(key.sequence, {})
        frames = list(record.get("frames", ()))
        if key.frame not in frames or "poses" not in record:
            raise GuessError(
                f"expected a person of {key.sequence}/{key.frame} in {self.path}, found none. Predict it "
                "there, or start from the mean body: model.initial=mean"
            )
        row = frames.index(key.frame)
        beta, trans = (torch.as_tensor(record[name][row]).float() for name in ("betas", "trans"))
        return _rotations(record["poses"][row]), beta, trans


def guesses_of(initial: str) -> FrankMocap | Results | None:
    """Where people come from; None for the mean body.

    Args:
        initial: "mean", a run folder or a `results.pkl`, or a BEHAVE root with FrankMocap's guesses.

    Raises:
        FileNotFoundError: it is none of these.
    """
    if initial == MEAN:
        return None
    place = Path(initial)
    file = place if place.suffix == ".pkl" else place / RESULTS
    if file.is_file():
        return Results(file)
    if (place / "sequences").is_dir():
        return FrankMocap(place)
    raise FileNotFoundError(
        f"model.initial is {initial}; expected {MEAN}, a folder or file of a run's people ({RESULTS}; write "
        f"it with python eval.py run={initial}), or a BEHAVE root whose sequences have k1.mocap.json"
    )


def hash_of(guesses: FrankMocap | Results | None) -> Tensor:
    """SHA-256 of the results' file as 32 bytes; zeros where people do not come from one."""
    content = guesses.path.read_bytes() if isinstance(guesses, Results) else None
    digest = hashlib.sha256(content).digest() if content is not None else bytes(32)
    return torch.tensor(list(digest), dtype=torch.uint8)


def turned(guess: Guess, turn: Tensor, gender: Tensor, bodies: BodySet) -> Guess:
    """A guess told in the frame of the crops' camera: X_crop = turn X_view."""
    theta, beta, trans = guess
    device = bodies.faces.device
    pelvis = bodies.rest_joints(beta[None].to(device), gender[None].to(device))[0, 0].cpu()
    root, moved = change_camera(
        theta[0], torch.zeros(3) if trans is None else trans, pelvis, turn, torch.zeros(3)
    )
    return torch.cat((root[None], theta[1:])), beta, None if trans is None else moved


def _rotations(rotvecs: Any) -> Tensor:
    return rotvec_to_rotmat(torch.as_tensor(rotvecs).double().reshape(-1, 3)).float()
