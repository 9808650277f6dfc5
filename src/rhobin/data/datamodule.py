"""BEHAVE for Lightning: three loaders whose batches do not depend on the number of workers."""

from __future__ import annotations

import logging
import multiprocessing
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from torch.utils.data import DataLoader

from rhobin.assets import Assets
from rhobin.behave.framelist import FRAME_LISTS, chore_views
from rhobin.behave.manifest import build_manifest
from rhobin.behave.read import Release
from rhobin.behave.skips import Skip
from rhobin.body.load import load_bodies
from rhobin.clock import Clock
from rhobin.data.augment.draw import AugmentConfig
from rhobin.data.collate import collate
from rhobin.data.dataset import BehaveDataset
from rhobin.data.reads import Reads
from rhobin.data.sampler import ResumableSampler
from rhobin.data.sections import read_section
from rhobin.data.settings import CacheConfig, SampleConfig, TargetConfig, ValidationConfig, ViewConfig
from rhobin.data.shared import ContextCache
from rhobin.data.splits import Splits, available_splits, held_out_views, thinned
from rhobin.data.targets.views import ViewTargets, build_targets
from rhobin.data.workers import outlast_signals

log = logging.getLogger(__name__)

Section = Mapping[str, Any] | None


class BehaveDataModule(pl.LightningDataModule):
    """Training, validation and test views of a BEHAVE root of any layout or a prepared one.

    Training and validation show every Kinect and share no sequence; test shows kinect 1 only, as the
    challenge does.

    Attributes:
        assets: body models and templates that the targets were made with.
        val_dataset: views of the sequences held out from training, or of the release's own validation split;
            None without validation.
        clock: how many batches of a run are done; None outside one.
        data_hash: digest of everything read: changes when data do.
    """

    assets: Assets
    val_dataset: BehaveDataset | None
    data_hash: str

    def __init__(
        self,
        root: str | Path,
        body: str | Path | None = None,
        batch_size: int = 12,
        workers: int = 2,
        seed: int = 0,
        layout: str = "auto",
        frame_list: str = "all",
        view: Section = None,
        reads: Section = None,
        targets: Section = None,
        augment: Section = None,
        validation: Section = None,
        cache: Section = None,
    ):
        """Configure; nothing is read before `setup`.

        Args:
            root: dataset root, or what `rhobin prepare` made of one; data/README.md shows the expected tree.
            body: folder of licensed SMPL-H files; None for the stand-in.
            batch_size: samples a batch, per device.
            workers: loader processes; batches are the same for any number.
            seed: of order, augmentation and validation split.
            layout: whose rules the root follows ("raw", "30fps", "2023", "2024"); "auto" looks.
            frame_list: "all" views, or those of "chore"'s frame list.
            view: keys of `ViewConfig`.
            reads: what the method reads: keys of `Reads`.
            targets: keys of `TargetConfig`.
            augment: keys of `AugmentConfig`; None trains without augmentation.
            validation: keys of `ValidationConfig`.
            cache: keys of `CacheConfig`.
        """
        super().__init__()
        if frame_list not in FRAME_LISTS:
            raise ValueError(f"data.frame_list is {frame_list!r}; expected one of {', '.join(FRAME_LISTS)}")
        self.layout, self.frame_list = layout, frame_list
        self.root, self.body = Path(root), body
        self.batch_size, self.workers, self.seed = batch_size, workers, seed
        self.config = SampleConfig(
            view=read_section(ViewConfig, "data.view", view),
            reads=read_section(Reads, "model.reads", reads),
            targets=read_section(TargetConfig, "data.targets", targets),
        )
        self.augment = read_section(AugmentConfig, "data.augment", augment) if augment is not None else None
        self.validation = read_section(ValidationConfig, "data.validation", validation)
        self.cache = read_section(CacheConfig, "data.cache", cache)
        self.clock: Clock | None = None
        self._splits = Splits()
        self._datasets: dict[str, BehaveDataset] = {}
        self._list_skips: list[Skip] = []

    def setup(self, stage: str | None = None) -> None:
        """Read the root once and compute all targets; `stage` makes no difference.

        A root of which only one split can be read serves what needs no other.
        """
        if self._datasets:
            return
        own = self.validation.by == "release" and self.validation.fraction > 0
        self._splits = available_splits(self.root, self.layout, own)
        if own:
            self._splits.need("val")
        self.data_hash = self._splits.data_hash
        self.assets = Assets.of(load_bodies(self.body), self._splits.templates)
        self.val_dataset = None
        for split, release in self._splits.releases.items():
            targets = build_targets(release, self.assets)
            views = self._listed(release, targets)
            if split == "train":
                self._set_up_training(release, targets, views)
            elif split == "val":
                self.val_dataset = BehaveDataset(release, targets, self._thinned(views), self.config)
            else:
                self._datasets["test"] = BehaveDataset(release, targets, views, self.config, partly=True)
        shown = {name: len(dataset) for name, dataset in self._datasets.items()}
        shown["val"] = len(self.val_dataset) if self.val_dataset is not None else 0
        skips = self.skips
        log.info("%s: %d training, %d validation, %d test views; %d views skipped (%d files)", self.root,
                 shown.get("train", 0), shown["val"], shown.get("test", 0),
                 sum(skip.views for skip in skips), len(skips))  # fmt: skip
        for split, error in self._splits.missing.items():
            log.warning("no %s data: %s", split, error)

    def has(self, split: str) -> bool:
        """Whether the root has a split: "train" or "test"."""
        return split in self._datasets

    @property
    def train_dataset(self) -> BehaveDataset:
        """Augmented training views; an error that says why when the root has none."""
        self._splits.need("train")
        return self._datasets["train"]

    @property
    def test_dataset(self) -> BehaveDataset:
        """Views of the official test sequences; an error that says why when the root has none."""
        self._splits.need("test")
        return self._datasets["test"]

    @property
    def skips(self) -> list[Skip]:
        """Everything left out so far: when reading, and by samples found broken since."""
        releases = self._splits.releases.values()
        return [skip for release in releases for skip in release.skips] + self._later_skips()

    def manifest(self) -> dict[str, Any]:
        """What was read and what was left out, by reason; see `rhobin.behave.manifest`."""
        return build_manifest(list(self._splits.releases.values()), self._later_skips())

    def train_dataloader(self) -> DataLoader:
        """Augmented batches in the order of (seed, epoch), from where the clock stands."""
        # the sampler follows the clock, which Lightning cannot know
        warnings.filterwarnings("ignore", message=".*your dataloader is not resumable.*")
        rank, ranks = (self.trainer.global_rank, self.trainer.world_size) if self.trainer else (0, 1)
        position = None if self.clock is None else self._batches_done
        sampler = ResumableSampler(len(self.train_dataset), self.batch_size, self.seed, rank, ranks, position)
        return self._loader(
            self.train_dataset, sampler=sampler, drop_last=True, worker_init_fn=outlast_signals
        )

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
        return 0 if self.clock is None else self.clock.batches

    def _set_up_training(self, release: Release, targets: ViewTargets, views: np.ndarray) -> None:
        """Divide the training split's views into those to train on and those held out."""
        train, val = views, views[:0]
        if self.validation.by != "release":
            held_out = held_out_views(release, self.validation.fraction, self.validation.by, self.seed)[views]
            train, val = views[~held_out], views[held_out]
        cache = ContextCache(len(train), self.cache.mb) if self.cache.kind == "ram" else None
        options = (self.config, self.augment, self.seed, cache)
        self._datasets["train"] = BehaveDataset(release, targets, train, *options)
        if len(val):
            self.val_dataset = BehaveDataset(release, targets, self._thinned(val), self.config)

    def _thinned(self, views: np.ndarray) -> np.ndarray:
        return thinned(views, self.validation.views)

    def _listed(self, release: Release, targets: ViewTargets) -> np.ndarray:
        """Rows of the views that the frame list keeps."""
        if self.frame_list == "all":
            return np.arange(len(release.views.frame))
        kept, skips = chore_views(release, targets.joints[:, 0, 2])
        self._list_skips += skips
        return kept

    def _loader(self, dataset: BehaveDataset, **options: Any) -> DataLoader:
        context = "fork" if self.workers and "fork" in multiprocessing.get_all_start_methods() else None
        return DataLoader(
            dataset,
            batch_size=self.batch_size,
            num_workers=self.workers,
            collate_fn=collate,
            generator=torch.Generator().manual_seed(self.seed),  # so that no loader draws from the global one
            persistent_workers=self.workers > 0,
            multiprocessing_context=context,
            **options,
        )

    def _later_skips(self) -> list[Skip]:
        """What the frame list leaves out, and what samples were found broken since."""
        datasets = [*self._datasets.values()]
        if self._datasets and self.val_dataset is not None:
            datasets.append(self.val_dataset)
        return self._list_skips + [skip for dataset in datasets for skip in dataset.skips()]
