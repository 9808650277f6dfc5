"""BEHAVE for Lightning: three loaders whose batches do not depend on the number of workers."""

from __future__ import annotations

import hashlib
import logging
import multiprocessing
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
from torch.utils.data import DataLoader

from rhobin.behave.manifest import build_manifest
from rhobin.behave.read import Release
from rhobin.behave.skips import Skip
from rhobin.behave.splits import carve_validation
from rhobin.body.bodyset import BodySet
from rhobin.body.load import load_bodies
from rhobin.data.augment import AugmentConfig
from rhobin.data.bev import BevConfig
from rhobin.data.collate import collate
from rhobin.data.dataset import BehaveDataset, ViewConfig
from rhobin.data.extras import settings
from rhobin.data.maps import MapConfig
from rhobin.data.prepared import read_splits
from rhobin.data.sampler import ResumableSampler
from rhobin.data.shared import ContextCache
from rhobin.data.targets import build_targets
from rhobin.objects.template import Template

log = logging.getLogger(__name__)


class BehaveDataModule(pl.LightningDataModule):
    """Training, validation and test views of a BEHAVE root: raw or prepared, real or synthetic.

    Training and validation show every Kinect and share no sequence; test shows kinect 1 only, as the
    challenge does.

    Attributes:
        bodies: body models the targets were made with.
        templates: object templates by name.
        train_dataset: augmented training views.
        val_dataset: views of the sequences held out from training; None without validation.
        test_dataset: views of the official test sequences.
        data_hash: digest of everything read: changes when data do.
    """

    bodies: BodySet
    templates: dict[str, Template]
    train_dataset: BehaveDataset
    val_dataset: BehaveDataset | None
    test_dataset: BehaveDataset
    data_hash: str

    def __init__(
        self,
        root: str | Path,
        body: str | Path | None = None,
        input_size: int = 256,
        depth_range: float = 4.4,
        batch_size: int = 12,
        workers: int = 2,
        seed: int = 0,
        crop: str = "union",
        expand: float | None = None,
        background: str = "keep",
        canonical_symmetry: bool = False,
        targets: Sequence[str] = (),
        maps: Mapping[str, Any] | None = None,
        bev: Mapping[str, Any] | None = None,
        augment: Mapping[str, Any] | None = None,
        val_fraction: float = 0.1,
        val_by: str = "group",
        val_views: int | None = None,
        on_bad_sample: str = "raise",
        cache: str = "none",
        cache_mb: int = 2048,
    ):
        """Configure; nothing is read before `setup`.

        Args:
            root: dataset root, or what `rhobin prepare` made of one; data/README.md shows the expected tree.
            body: folder of licensed SMPL-H files; None for the stand-in.
            input_size: width and height of the network's input, pixels.
            depth_range: metres that heatmap depth spans.
            batch_size: samples a batch, per device.
            workers: loader processes; batches are the same for any number.
            seed: of order, augmentation and validation split.
            crop: "union", "window", "object", "person" or "frame".
            expand: factor on the crop's box; None for the method's own.
            background: "keep" or "zero".
            canonical_symmetry: give object poses that look the same one label.
            targets: optional targets to draw: "maps", "bev".
            maps: keys of `MapConfig`.
            bev: keys of `BevConfig`.
            augment: keys of `AugmentConfig`; None trains without augmentation.
            val_fraction: share of training frames held out, by whole sequences.
            val_by: "group" (subject and room) or "sequence".
            val_views: at most so many validation views, evenly spread; None for all.
            on_bad_sample: "raise" or "skip".
            cache: "ram" keeps decoded training views in memory, "none" decodes them every time.
            cache_mb: limit of that memory.
        """
        super().__init__()
        if cache not in ("none", "ram"):
            raise ValueError(f"data.cache is {cache!r}; expected none or ram")
        self.root, self.body = Path(root), body
        self.batch_size, self.workers, self.seed = batch_size, workers, seed
        drawn = (settings(MapConfig, "maps", maps), settings(BevConfig, "bev", bev))
        self.view_config = ViewConfig(input_size, depth_range, crop, expand, background, on_bad_sample,
                                      canonical_symmetry, tuple(targets), *drawn)  # fmt: skip
        self.augment = AugmentConfig.parse(augment) if augment is not None else None
        self.val_fraction, self.val_by, self.val_views = val_fraction, val_by, val_views
        self.cache_mb = cache_mb if cache == "ram" else 0
        self._releases: list[Release] = []

    def setup(self, stage: str | None = None) -> None:
        """Read the release once and compute all targets; `stage` makes no difference."""
        if self._releases:
            return
        train, test = read_splits(self.root)
        self.templates = train.templates
        self.bodies = load_bodies(self.body)
        self.data_hash = hashlib.sha256(f"{train.data_hash} {test.data_hash}".encode()).hexdigest()[:16]
        train_views, val_views = self._validation_split(train)
        targets = build_targets(train, self.bodies, self.templates)
        cache = ContextCache(len(train_views), self.cache_mb) if self.cache_mb else None
        options = (self.view_config, self.augment, self.seed, cache)
        self.train_dataset = BehaveDataset(train, targets, train_views, *options)
        self.val_dataset = (
            BehaveDataset(train, targets, val_views, self.view_config) if len(val_views) else None
        )
        test_targets = build_targets(test, self.bodies, self.templates)
        everything = np.arange(len(test.views.frame))
        self.test_dataset = BehaveDataset(test, test_targets, everything, self.view_config)
        self._releases = [train, test]
        lost = sum(skip.views for skip in self.skips)
        log.info("%s: %d training, %d validation, %d test views; %d views skipped (%d files)", self.root,
                 len(train_views), len(val_views), len(everything), lost, len(self.skips))  # fmt: skip

    @property
    def skips(self) -> list[Skip]:
        """Everything left out so far: when reading, and by samples found broken since."""
        return [skip for release in self._releases for skip in release.skips] + self._sample_skips()

    def manifest(self) -> dict[str, Any]:
        """What was read and what was left out, by reason; see `rhobin.behave.manifest`."""
        return build_manifest(self._releases, self._sample_skips())

    def train_dataloader(self) -> DataLoader:
        """Augmented batches in the order of (seed, epoch), from where the trainer's progress stands."""
        # the sampler follows the trainer's restored progress, which Lightning cannot know
        warnings.filterwarnings("ignore", message=".*your dataloader is not resumable.*")
        rank, ranks = (self.trainer.global_rank, self.trainer.world_size) if self.trainer else (0, 1)
        position = self._batches_done if self.trainer else None
        sampler = ResumableSampler(len(self.train_dataset), self.batch_size, self.seed, rank, ranks, position)
        return self._loader(self.train_dataset, sampler=sampler, drop_last=True)

    def val_dataloader(self) -> DataLoader | list:
        """Held-out training sequences in order, without augmentation."""
        return self._loader(self.val_dataset) if self.val_dataset is not None else []

    def test_dataloader(self) -> DataLoader:
        """The official test views in order, without augmentation."""
        return self._loader(self.test_dataset)

    def predict_dataloader(self) -> DataLoader:
        """The same as for test."""
        return self.test_dataloader()

    def state_dict(self) -> dict[str, Any]:
        """What the order of training depends on, for a checkpoint."""
        return {"seed": self.seed, "batch_size": self.batch_size, "data_hash": self.data_hash}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Warn when the data are not those that a checkpoint was made with."""
        for key, value in self.state_dict().items():
            if value != state_dict[key]:
                log.warning("resumed with data.%s = %s; the checkpoint had %s", key, value, state_dict[key])

    def _batches_done(self) -> int:
        trainer: Any = self.trainer
        return trainer.fit_loop.epoch_loop.batch_progress.total.processed

    def _validation_split(self, release: Release) -> tuple[np.ndarray, np.ndarray]:
        """Rows of the training and of the validation views."""
        frames = np.bincount(release.frames.sequence, minlength=len(release.sequences))
        held_out = carve_validation(
            release.sequences, frames.tolist(), self.val_fraction, self.val_by, self.seed
        )
        in_val = np.isin(release.sequences, held_out)[release.frames.sequence][release.views.frame]
        train, val = np.flatnonzero(~in_val), np.flatnonzero(in_val)
        if self.val_views is not None and len(val) > self.val_views:
            val = val[np.linspace(0, len(val) - 1, self.val_views).round().astype(int)]
        return train, val

    def _loader(self, dataset: BehaveDataset, **options: Any) -> DataLoader:
        context = "fork" if self.workers and "fork" in multiprocessing.get_all_start_methods() else None
        return DataLoader(
            dataset,
            batch_size=self.batch_size,
            num_workers=self.workers,
            collate_fn=collate,
            persistent_workers=self.workers > 0,
            multiprocessing_context=context,
            **options,
        )

    def _sample_skips(self) -> list[Skip]:
        if not self._releases:
            return []
        datasets = (self.train_dataset, self.val_dataset, self.test_dataset)
        return [skip for dataset in datasets if dataset is not None for skip in dataset.skips()]
