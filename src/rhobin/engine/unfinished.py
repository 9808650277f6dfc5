"""Predictions of an evaluation that is under way, batch by batch: a killed one goes on with the rest.

FOLDER/unfinished/<key>/000012.pt    the batch that begins with the view of that number

The key is a hash of all that predictions depend on, so that those of another checkpoint, config, data set or
version are never read. The folder is removed when the evaluation has written its results.
"""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import torch

import rhobin
from rhobin.engine.runinfo import git_state
from rhobin.engine.saved import check_records
from rhobin.files import written_whole
from rhobin.scoring.collect import PredictedViews
from rhobin.scoring.store import Provenance
from rhobin.types import HumanPrediction, ObjectPrediction, Prediction, SampleKey

log = logging.getLogger(__name__)
UNFINISHED = "unfinished"


class Unfinished:
    """The finished batches of one evaluation.

    Args:
        folder: where the evaluation writes its results.
        provenance: of the predictions.
        batch_size: samples a batch.
        views: which views are predicted: "test" or "val".

    Attributes:
        place: the folder of the batches.
    """

    def __init__(self, folder: Path, provenance: Provenance, batch_size: int, views: str) -> None:
        parts = {
            **asdict(provenance),
            "rhobin": rhobin.__version__,
            "git": git_state(),
            "batch_size": batch_size,
            "views": views,
            "cuda": torch.cuda.is_available(),
        }
        key = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:12]
        self.folder = folder / UNFINISHED
        self.place = self.folder / key

    def read(self, first: int) -> tuple[PredictedViews, float] | None:
        """The batch that begins with a view, and the seconds that it took; None where it is to be predicted.

        A damaged file is told, and its batch is predicted again.
        """
        path = self._path(first)
        if not path.is_file():
            return None
        try:
            check_records(path)
            return _unpacked(torch.load(path, weights_only=True))
        except Exception as error:  # whatever a damaged archive raises
            log.warning("%s is not readable (%s): its views are predicted again", path, error)
            return None

    def write(self, first: int, views: PredictedViews, seconds: float) -> None:
        """Keep a batch: the whole of it or nothing, whenever the process is killed."""
        with written_whole(self._path(first)) as file:
            torch.save(_packed(views, seconds), file)

    def clear(self) -> None:
        """Remove all that is kept in the folder, of whatever key."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _path(self, first: int) -> Path:
        return self.place / f"{first:06d}.pt"


def _packed(views: PredictedViews, seconds: float) -> dict[str, Any]:
    """Plain types and tensors: `torch.load` reads them without running code."""
    named = {field.name: getattr(views, field.name) for field in fields(views)}
    prediction = {field.name: getattr(views.prediction, field.name) for field in fields(Prediction)}
    for part in ("human", "object"):
        found = prediction[part]
        prediction[part] = found and {field.name: getattr(found, field.name) for field in fields(found)}
    named |= {"prediction": prediction, "keys": [asdict(key) for key in views.keys]}
    return {"views": _cloned(named), "seconds": seconds}


def _cloned(value: Any) -> Any:
    """The same with tensors of their own: a slice would be saved with all that it was cut from."""
    if isinstance(value, torch.Tensor):
        return value.clone()
    return {key: _cloned(item) for key, item in value.items()} if isinstance(value, dict) else value


def _unpacked(content: dict[str, Any]) -> tuple[PredictedViews, float]:
    named = content["views"]
    parts = named["prediction"]
    prediction = Prediction(
        parts["human"] and HumanPrediction(**parts["human"]),
        parts["object"] and ObjectPrediction(**parts["object"]),
        parts["extras"],
    )
    keys = [SampleKey(**key) for key in named["keys"]]
    return PredictedViews(**(named | {"prediction": prediction, "keys": keys})), content["seconds"]
