"""What training will see, before it is trained: samples of the first epochs as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import hydra
from hydra.errors import HydraException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

import rhobin
from rhobin.data.sampler import ResumableSampler
from rhobin.engine.build import build_datamodule
from rhobin.reports.contact_sheet import Tile, draw_sheet, write_sheet


def compose_config(overrides: Sequence[str]) -> DictConfig:
    """The config that `train.py` composes from the same overrides.

    Raises:
        FileNotFoundError: there is no folder with configs.
        ValueError: Hydra cannot compose it, with its reason.
    """
    folders = [Path.cwd() / "configs", Path(rhobin.__file__).parents[2] / "configs"]
    folder = next((folder for folder in folders if (folder / "train.yaml").is_file()), None)
    if folder is None:
        raise FileNotFoundError(f"no configs/train.yaml in {Path.cwd()}; run this in the repository's root")
    try:
        with hydra.initialize_config_dir(str(folder), version_base="1.3"):
            return hydra.compose("train", list(overrides))
    except (HydraException, OmegaConfBaseException) as error:
        raise ValueError(str(error)) from error


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
    masks = datamodule.train_dataset.config.reads.planes[1:]
    write_sheet(path, draw_sheet(rows, datamodule.assets.templates, masks=masks))
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
