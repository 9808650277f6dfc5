"""First bodies from elsewhere: from the predictions of a run, or FrankMocap's, as in the paper (sec. 3.3)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rhobin.behave.readers.frankmocap import mocap_file, read_mocap
from rhobin.body.bodyset import BodySet
from rhobin.geometry.rotation import rotvec_to_rotmat
from rhobin.pickles import load_pickle
from rhobin.types import SampleKey

RESULTS = "results.pkl"
BODY = 22  # joints of a pose that are not hands


class KnownBodies:
    """Poses and shapes by view, in the frame of the camera that took it.

    Args:
        source: a folder with a run's `results.pkl`, or a BEHAVE root with FrankMocap's `k*.mocap.json`.

    Raises:
        FileNotFoundError: the folder holds neither.
    """

    def __init__(self, source: Path) -> None:
        self.source, self.results = source, None
        if (source / RESULTS).is_file():
            self.results = load_pickle(source / RESULTS)
        elif not (source / "sequences").is_dir():
            raise FileNotFoundError(
                f"model.start is {source}: expected a run folder with {RESULTS} (python eval.py run=RUN "
                "writes it) or a BEHAVE root with sequences/*/*/k*.mocap.json, found neither. Set "
                "model.start=fields to start from the fields alone"
            )

    def __call__(
        self, keys: Sequence[SampleKey], turn: Tensor, gender: Tensor, bodies: BodySet
    ) -> tuple[Tensor, Tensor]:
        """Local rotations (B, 52, 3, 3) and shapes (B, 10) of views, with mean hands.

        Args:
            keys: which views.
            turn: (B, 3, 3) rotations from the cameras that took them to those of their crops.
            gender: (B,) index into `GENDERS`, which mean hands depend on.
            bodies: body models.
        """
        found = [self._results(key) if self.results is not None else self._mocap(key) for key in keys]
        pose, beta = (
            torch.from_numpy(np.stack(values)).float().to(turn) for values in zip(*found, strict=True)
        )
        theta = torch.cat((rotvec_to_rotmat(pose), bodies.mean_hands(gender)), 1)
        theta[:, 0] = turn @ theta[:, 0]
        return theta, beta

    def _results(self, key: SampleKey) -> tuple[np.ndarray, np.ndarray]:
        record: Any = self.results.get(key.sequence) if self.results else None
        frames = [] if record is None else [str(frame) for frame in record["frames"]]
        if key.frame not in frames:
            raise ValueError(
                f"{self.source / RESULTS} has no body of {key.sequence}/{key.frame}; expected one of every "
                "view that is to be predicted. Predict them with that run first: "
                "python eval.py run=RUN data.root=ROOT"
            )
        row = frames.index(key.frame)
        return np.asarray(record["poses"][row]).reshape(-1, 3)[:BODY], np.asarray(record["betas"][row])

    def _mocap(self, key: SampleKey) -> tuple[np.ndarray, np.ndarray]:
        guess = read_mocap(mocap_file(self.source / "sequences" / key.sequence / key.frame, key.camera))
        return guess.pose.reshape(-1, 3)[:BODY], guess.betas
