"""What a trained network draws of chosen views, as plain arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rhobin.assets import Assets
from rhobin.behave.ref import RefTemplate
from rhobin.data.collate import collate
from rhobin.data.datamodule import BehaveDataModule
from rhobin.methods.base import Method
from rhobin.reports.drawn_choice import choose_objects, choose_people
from rhobin.reports.drawn_views import DrawnView, ObjectView, PersonView, write_views
from rhobin.scoring.by_image import rows_of_frames
from rhobin.scoring.document import FrameRow, ScoredRow, Scores
from rhobin.types import Drawing, Prediction, Sample, required

Arrays = dict[str, Any]


def keep_drawings(
    run_dir: Path,
    module: Method,
    datamodule: BehaveDataModule,
    scores: Scores,
    templates: Mapping[str, RefTemplate],
) -> dict[str, str]:
    """Write what the network draws of good, median and bad test views; see `rhobin.reports.drawn_choice`.

    Args:
        run_dir: the run folder.
        module: with trained weights, in evaluation mode, on the CPU.
        datamodule: with the test views.
        scores: of its predictions.
        templates: of the ground truth, by object name.

    Returns:
        The file's SHA-256 under ``drawings``, for the scores' origin; nothing of a method that draws no
        maps, or without a score of the track of what it draws.
    """
    views: list[DrawnView] = []
    if type(module).drawn is not Method.drawn:
        dataset = datamodule.test_dataset
        keys = [dataset.key(index) for index in range(len(dataset))]
        names = [key.sequence for key in keys], [key.frame for key in keys]
        objects, people = (_frame_rows(scores.get(t, {}).get(module.name)) for t in ("object", "human"))
        for kind, chosen in (
            (ObjectView, choose_objects(objects, templates)),
            (PersonView, choose_people(people)),
        ):
            rows = rows_of_frames([frame for frame, _ in chosen], *names)
            samples = [dataset[keys[required(row, "test view")].index] for row in rows]
            drawn = draw_samples(module, samples, [label for _, label in chosen], datamodule.assets)
            views += [view for view in drawn if isinstance(view, kind)]
    written = write_views(run_dir, views)
    return {} if written is None else {"drawings": written}


def _frame_rows(row: ScoredRow | None) -> list[FrameRow]:
    score = row.score if row else None
    errors = {**score.columns(), **row.columns} if row and score else {}
    return [
        FrameRow(e.sequence, e.frame, e.object_name, e.visible, {k: float(v[i]) for k, v in errors.items()})
        for i, e in enumerate(score.examples if score and errors else ())
    ]


@torch.inference_mode()
def draw_samples(
    module: Method, samples: Sequence[Sample], labels: Sequence[str], assets: Assets
) -> list[DrawnView]:
    """What the network draws of samples.

    Args:
        module: with trained weights, in evaluation mode, on the CPU.
        samples: with the target and maps of what it draws.
        labels: why each is shown.
        assets: object templates by id.

    Returns:
        One view a sample and kind; none of a method that draws no maps.
    """
    if not samples:
        return []
    batch = collate(list(samples))
    drawing, prediction = module.drawn(module.run_net(batch), batch), module.predict(batch)
    if drawing is None:
        return []
    views: list[DrawnView] = []
    for row, (sample, label) in enumerate(zip(samples, labels, strict=True)):
        template = assets.templates.get(sample.object_id)
        common = _common(sample, label, template.name if template else "")
        if drawing.maps is not None:
            views.append(ObjectView(**common, **_object_arrays(drawing, prediction, row)))
        if drawing.centre is not None:
            views.append(PersonView(**common, **_person_arrays(drawing, prediction, row)))
    return views


def _common(sample: Sample, label: str, name: str) -> dict[str, Any]:
    key = sample.key
    image = np.ascontiguousarray(sample.image[:3].permute(1, 2, 0).numpy())
    where = {"sequence": key.sequence, "frame": key.frame, "camera": key.camera}
    return {**where, "object_name": name, "label": label, "image": image, "K": sample.K_crop.numpy()}


def _object_arrays(drawing: Drawing, prediction: Prediction, row: int) -> Arrays:
    """Arrays of one view's object, truth first."""
    target, true = required(drawing.target.object, "the object"), required(drawing.target.maps, "its maps")
    pose, drawn = required(prediction.object, "the object's pose"), required(drawing.maps, "drawn maps")
    scores = (drawing.real_score, drawing.drawn_score)
    nocs = _both(true.nocs, drawn.nocs, row, np.float32).clip(0, 1).transpose(0, 2, 3, 1)
    return {
        "R": _both(target.R, pose.R, row, np.float64),
        "t": _both(target.t, pose.t, row, np.float64),
        "nocs": np.round(255 * nocs).astype(np.uint8),
        "region": _both(true.region, drawn.region, row, np.uint16),
        "amodal": _both(true.amodal, drawn.amodal, row, np.bool_),
        "visible": _both(true.visible, drawn.visible, row, np.bool_),
        "scores": np.array([np.nan if score is None else float(score[row]) for score in scores]),
    }


def _person_arrays(drawing: Drawing, prediction: Prediction, row: int) -> Arrays:
    """Arrays of one view's person, truth first."""
    target, true = required(drawing.target.human, "the person"), required(drawing.target.bev, "its maps")
    pose, drawn = required(prediction.human, "the person's pose"), required(drawing.centre, "drawn maps")
    place = torch.where(true.weight[:, None] > 0, true.cell + true.offset, torch.nan)
    heat = {"front": (true.front, drawn.front), "bird": (true.bird, drawn.bird)}
    return {
        "joints": _both(target.joints, required(pose.joints, "its joints"), row, np.float64),
        "place": _both(place, drawn.place, row, np.float64),
        "depths": drawn.depths[row].numpy().astype(np.float64),
        **{
            name: np.round(255 * _both(*maps, row, np.float32).clip(0, 1)).astype(np.uint8)
            for name, maps in heat.items()
        },
    }


def _both(true: Tensor, drawn: Tensor, row: int, kind: type) -> np.ndarray:
    return torch.stack([true[row], drawn[row].to(true)]).numpy().astype(kind)
