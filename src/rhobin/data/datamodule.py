"""BEHAVE for Lightning: three loaders whose batches do not depend on the number of workers."""

from __future__ import annotations

import logging
import multiprocessing
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import pytorch_lightning as pl
import torch
from torch.utils.data import DataLoader

from rhobin.assets import Assets
from rhobin.behave.layout import TEST_KINECT
from rhobin.behave.skips import Skip
from rhobin.clock import Clock
from rhobin.data.augment.draw import AugmentConfig
from rhobin.data.collate import collate
from rhobin.data.dataset import BehaveDataset
from rhobin.data.hand_over import hand_over_whole
from rhobin.data.reads import Reads
from rhobin.data.sampler import ResumableSampler
from rhobin.data.sections import read_section
from rhobin.data.sets import DataSets
from rhobin.data.settings import (
    CacheConfig,
    DataSettings,
    SampleConfig,
    TargetConfig,
    ValidationConfig,
    ViewConfig,
)
from rhobin.data.workers import outlast_signals

log = logging.getLogger(__name__)

AHEAD = 4  # batches that each loader process holds ready for a GPU
Section = Mapping[str, Any] | None


class BehaveDataModule(pl.LightningDataModule):
    """Training, validation and test views of a BEHAVE root of any layout or a prepared one.

    Training shows every Kinect, and so do the sequences held out from it; test and a root's own validation
    show kinect 1 only, as the challenge does. No two share a sequence.

    Attributes:
        assets: body models and templates that the targets were made with.
        val_dataset: views of the sequences held out from training, or of the root's own validation sequences;
            None without validation.
        clock: how many batches of a run are done; None outside one.
        data_hash: digest of everything read: changes when data do.
        body_hash: of the files of the body models; see `rhobin.body.chosen`.
    """

    assets: Assets
    val_dataset: BehaveDataset | None
    data_hash: str
    body_hash: str

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
        overfit: int | None = None,
    ):
        """Configure; nothing is read before `setup`.

        Args:
            root: dataset root, or what `rhobin prepare` made of one; data/README.md shows the expected tree.
            body: folder of licensed SMPL-H files, or "standin"; None is the stand-in on generated roots, and
                refused on others.
            batch_size: samples a batch, per device.
            workers: loader processes; batches are the same for any number.
            seed: of order and augmentation.
            layout: whose rules the root follows ("raw", "30fps", "2023", "2024"); "auto" looks.
            frame_list: "all" views, or those of "chore"'s frame list.
            view: keys of `ViewConfig`.
            reads: what the method reads: keys of `Reads`.
            targets: keys of `TargetConfig`.
            augment: keys of `AugmentConfig`; None trains without augmentation.
            validation: keys of `ValidationConfig`.
            cache: keys of `CacheConfig`.
            overfit: train and validate on so many training views, evenly spread; None for all and for those
                that `validation` holds out.
        """
        super().__init__()
        self.root, self.batch_size, self.workers, self.seed = Path(root), batch_size, workers, seed
        self.settings = DataSettings(
            root=self.root,
            layout=layout,
            body=body,
            frame_list=frame_list,
            seed=seed,
            samples=SampleConfig(
                view=read_section(ViewConfig, "data.view", view),
                reads=read_section(Reads, "model.reads", reads),
                targets=read_section(TargetConfig, "data.targets", targets),
            ),
            augment=None if augment is None else read_section(AugmentConfig, "data.augment", augment),
            validation=read_section(ValidationConfig, "data.validation", validation),
            cache=read_section(CacheConfig, "data.cache", cache),
            overfit=overfit,
        )
        self.clock: Clock | None = None
        self._sets: DataSets | None = None

    def setup(self, stage: str | None = None) -> None:
        """Read the root once and compute all targets; `stage` makes no difference."""
        if self._sets is None:
            self._sets = DataSets(self.settings)
            self.assets, self.data_hash = self._sets.assets, self._sets.splits.data_hash
            self.body_hash = self._sets.body_hash
            self.val_dataset = self._sets.by_name.get("val")

    @property
    def sets(self) -> DataSets:
        """The datasets; read now where `setup` was not called."""
        self.setup()
        return cast(DataSets, self._sets)

    def has(self, split: str) -> bool:
        """Whether the root has a split: "train" or "test"."""
        return split in self.sets.by_name

    @property
    def train_dataset(self) -> BehaveDataset:
        """Augmented training views; an error that says why when the root has none."""
        return self.sets.need("train")

    @property
    def test_dataset(self) -> BehaveDataset:
        """Views of the official test sequences; an error that says why when the root has none."""
        return self.sets.need("test")

    @property
    def skips(self) -> list[Skip]:
        """Everything left out so far: when reading, and by samples found broken since."""
        return self.sets.skips

    def manifest(self) -> dict[str, Any]:
        """What was read and what was left out, by reason; see `rhobin.behave.manifest`."""
        return self.sets.manifest()

    def train_dataloader(self) -> DataLoader:
        """Augmented batches in the order of (seed, epoch), from where the clock stands."""
        # the sampler follows the clock, which Lightning cannot know
        warnings.filterwarnings("ignore", message=".*your dataloader is not resumable.*")
        rank, ranks = (self.trainer.global_rank, self.trainer.world_size) if self.trainer else (0, 1)
        position = None if self.clock is None else self._batches_done
        sizes, dataset = self.settings.samples.view.sizes, self.train_dataset
        sampler = ResumableSampler(len(dataset), self.batch_size, self.seed, rank, ranks, position, sizes)
        return self._loader(
            dataset, sampler=sampler, drop_last=True, worker_init_fn=outlast_signals, **self._ahead()
        )

    def val_dataloader(self) -> DataLoader | list:
        """Held-out training sequences in order, without augmentation."""
        return self._loader(self.val_dataset) if self.val_dataset is not None else []

    def test_dataloader(self) -> DataLoader:
        """The official test views in order, without augmentation."""
        return self._loader(self.test_dataset)

    def held_out_dataloader(self) -> DataLoader:
        """Validation views of the challenge's Kinect in order: those that are stored like test views.

        Raises:
            ValueError: nothing was held out from training.
        """
        if self.val_dataset is None:
            raise ValueError(
                f"{self.root} has no validation views: data.validation.fraction is "
                f"{self.settings.validation.fraction:g}. Train with a larger one, or with "
                "data.validation.by=release on a root that has validation sequences of its own"
            )
        return self._loader(self.val_dataset.of_kinect(TEST_KINECT))

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

    def _ahead(self) -> dict[str, Any]:
        """Where a GPU trains, its batches lie ready in memory that it copies from while it computes."""
        if self.trainer is None or self.trainer.strategy.root_device.type != "cuda":
            return {}
        return {"pin_memory": True, **({"prefetch_factor": AHEAD} if self.workers else {})}

    def _batches_done(self) -> int:
        return 0 if self.clock is None else self.clock.batches

    def _loader(self, dataset: BehaveDataset, **options: Any) -> DataLoader:
        hand_over_whole()
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
