"""What a trained network draws of chosen views, as plain arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from rhobin.assets import Assets
from rhobin.behave.ref import RefTemplate
from rhobin.data.collate import collate
from rhobin.data.datamodule import BehaveDataModule
from rhobin.methods.base import Method
from rhobin.metrics.scored import ScoredFrames
from rhobin.reports.drawn_choice import choose_views
from rhobin.reports.drawn_views import DrawnView, write_views
from rhobin.scoring.document import FrameRow, Scores
from rhobin.types import Drawing, ObjectMaps, ObjectPrediction, Sample, required


def keep_drawings(
    run_dir: Path,
    module: Method,
    datamodule: BehaveDataModule,
    scores: Scores,
    templates: Mapping[str, RefTemplate],
) -> dict[str, str]:
    """Write what the network draws of good, median and bad test views; see `choose_views`.

    Args:
        run_dir: the run folder.
        module: with trained weights, in evaluation mode, on the CPU.
        datamodule: with the test views.
        scores: of its predictions.
        templates: of the ground truth, by object name.

    Returns:
        The file's SHA-256 under ``drawings``, for the scores' origin; nothing of a method that draws no
        object maps, or without a score of the object track.
    """
    row, views = scores.get("object", {}).get(module.name), []
    if row and row.score and type(module).drawn is not Method.drawn:
        dataset = datamodule.test_dataset
        index = {(key.sequence, key.frame): key.index for key in map(dataset.key, range(len(dataset)))}
        chosen = choose_views(_frame_rows(row.score), templates)
        samples = [dataset[index[frame.sequence, frame.frame]] for frame, _ in chosen]
        views = draw_samples(module, samples, [label for _, label in chosen], datamodule.assets)
    written = write_views(run_dir, views)
    return {} if written is None else {"drawings": written}


def _frame_rows(score: ScoredFrames) -> list[FrameRow]:
    errors = score.columns()
    return [
        FrameRow(e.sequence, e.frame, e.object_name, e.visible, {k: float(v[i]) for k, v in errors.items()})
        for i, e in enumerate(score.examples if errors else ())
    ]


@torch.inference_mode()
def draw_samples(
    module: Method, samples: Sequence[Sample], labels: Sequence[str], assets: Assets
) -> list[DrawnView]:
    """What the network draws of samples.

    Args:
        module: with trained weights, in evaluation mode, on the CPU.
        samples: with the object's target and maps.
        labels: why each is shown.
        assets: object templates by id.

    Returns:
        One view a sample; none of a method that draws no object maps.
    """
    if not samples:
        return []
    batch = collate(list(samples))
    output = module.run_net(batch)
    drawing, pose = module.drawn(output, batch), module.decode(output, batch).object
    if drawing is None or drawing.drawn.maps is None or pose is None:
        return []
    return [
        _view(
            sample,
            label,
            assets.templates[sample.object_id].name,
            _arrays(drawing, drawing.drawn.maps, pose, row),
        )
        for row, (sample, label) in enumerate(zip(samples, labels, strict=True))
    ]


def _view(sample: Sample, label: str, name: str, arrays: dict[str, np.ndarray]) -> DrawnView:
    key = sample.key
    image = np.ascontiguousarray(sample.image[:3].permute(1, 2, 0).numpy())
    return DrawnView(key.sequence, key.frame, key.camera, name, label, image, sample.K_crop.numpy(), **arrays)


def _arrays(drawing: Drawing, drawn: ObjectMaps, pose: ObjectPrediction, row: int) -> dict[str, np.ndarray]:
    """Arrays of one view, truth first."""
    target = required(drawing.target.object, "the object")
    true = required(drawing.target.maps, "the object's maps")
    scores = (drawing.real_score, drawing.drawn_score)

    def both(first: Tensor, second: Tensor, kind: type) -> np.ndarray:
        return torch.stack([first[row], second[row].to(first)]).numpy().astype(kind)

    nocs = both(true.nocs, drawn.nocs, np.float32).clip(0, 1).transpose(0, 2, 3, 1)
    return {
        "R": both(target.R, pose.R, np.float64),
        "t": both(target.t, pose.t, np.float64),
        "nocs": np.round(255 * nocs).astype(np.uint8),
        "region": both(true.region, drawn.region, np.uint16),
        "amodal": both(true.amodal, drawn.amodal, np.bool_),
        "visible": both(true.visible, drawn.visible, np.bool_),
        "scores": np.array([np.nan if score is None else float(score[row]) for score in scores]),
    }
