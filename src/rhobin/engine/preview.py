"""What training will see, before it is trained; and what a trained network draws of it, beside the truth."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from hydra.errors import HydraException

from rhobin.data.sampler import ResumableSampler
from rhobin.engine.build import build_datamodule, build_trained
from rhobin.engine.compose import compose_config
from rhobin.engine.drawings import draw_samples
from rhobin.engine.evaluate import moved
from rhobin.engine.exported import find_weights
from rhobin.engine.predict import load_weights
from rhobin.engine.trusted import read_config
from rhobin.reports.contact_sheet import Tile, draw_sheet, write_sheet
from rhobin.reports.map_sheet import draw_map_sheet
from rhobin.types import Sample


def preview(
    overrides: Sequence[str], out: Path | None = None, samples: int = 6, epochs: int = 4, first: int = 0
) -> Path:
    """Draw the first samples of an epoch as training sees them, in that and the following epochs.

    Args:
        overrides: as for `train.py`.
        out: picture to write; by default `runs/preview/NAME.png` after the experiment's name.
        samples: number of views, one row each.
        epochs: number of epochs, one column each, beside a column without augmentation.
        first: first epoch.

    Returns:
        The picture's path.

    Raises:
        FileNotFoundError: data or configs are missing; says how to get them.
        ValueError: the config cannot be composed or a value in it is wrong.
    """
    config = compose_config(overrides)
    try:
        datamodule = build_datamodule(config)
    except HydraException as error:
        raise ValueError(str(error.__cause__ or error)) from error
    rows = preview_rows(datamodule.train_dataset, config.data.seed, samples, range(first, first + epochs))
    path = out or Path("runs", "preview", f"{config.name}.png")
    write_sheet(path, draw_sheet(rows, datamodule.assets.templates, planes=config.model.reads.planes))
    return path


def preview_rows(dataset: Any, seed: int, samples: int, epochs: Sequence[int]) -> list[list[Tile]]:
    """Tiles of the first samples of the first epoch: plain, then as each epoch shows them."""
    order = ResumableSampler(len(dataset), 1, seed).permutation(epochs[0])[:samples].tolist()
    plain, rows = dataset.plain(), []
    for index in order:
        shown = dataset[(epochs[0], index)].key.index  # another view, where this one cannot be used
        row = [Tile(plain[shown], "plain", ["no augmentation"])]
        if dataset.augment is not None:
            row += [
                Tile(dataset[(epoch, shown)], f"epoch {epoch}", dataset.describe(epoch, shown))
                for epoch in epochs
            ]
        rows.append(row)
    return rows


def preview_run(overrides: Sequence[str], out: Path | None = None, samples: int = 6, first: int = 0) -> Path:
    """Draw what a trained network draws of training and of validation samples, beside the truth.

    Args:
        overrides: as for `eval.py`, ``run=RUN`` among them.
        out: picture to write; by default `preview.png` in the run folder, or in that of another checkpoint
            than the best.
        samples: number of views, one row each, half of them from training.
        first: epoch whose augmentation the training samples have.

    Returns:
        The picture's path.

    Raises:
        FileNotFoundError: run, checkpoint, data or configs are missing.
        ValueError: the config cannot be composed, the checkpoint is another run's, or the method draws no
            maps.
    """
    config = compose_config(overrides, "eval")
    run_dir = Path(config.run)
    trained = read_config(run_dir, config.trust)
    run_config = moved(trained, config.data)
    datamodule = build_datamodule(run_config)
    module = build_trained(run_config, datamodule.assets).eval()
    weights = find_weights(run_dir, config.checkpoint)
    load_weights(module, weights.file, trained)
    shown = labelled_samples(datamodule, samples, first)
    views = draw_samples(module, [s for s, _ in shown], [label for _, label in shown], datamodule.assets)
    if not views:
        raise ValueError(
            f"{run_dir}: {module.title} draws no maps to show; rhobin preview experiment=NAME shows what its "
            "training sees"
        )
    path = out or weights.home / "preview.png"
    templates = {template.name: template for template in datamodule.assets.templates.values()}
    write_sheet(path, draw_map_sheet(views, templates))
    return path


def labelled_samples(datamodule: Any, count: int, epoch: int) -> list[tuple[Sample, str]]:
    """The first samples of an epoch, then as many validation views, spread over the set, if it has any."""
    train, val = datamodule.train_dataset, datamodule.val_dataset
    held_out = count // 2 if val else 0
    order = ResumableSampler(len(train), 1, datamodule.seed).permutation(epoch)[: count - held_out].tolist()
    shown = [(train[(epoch, index)], f"training, epoch {epoch}") for index in order]
    spread = np.unique(np.linspace(0, len(val or ()) - 1, held_out).round().astype(int)).tolist()
    return shown + [(val[index], "validation") for index in spread]
