"""The training, validation and test views of a root as datasets."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np

from rhobin.assets import Assets
from rhobin.behave.manifest import build_manifest
from rhobin.behave.own_body import choose_body
from rhobin.behave.release import Release
from rhobin.behave.skips import REASONS, Skip, count_skips
from rhobin.body.chosen import body_hash
from rhobin.body.load import load_bodies
from rhobin.data.dataset import BehaveDataset
from rhobin.data.selection import select_views
from rhobin.data.settings import DataSettings
from rhobin.data.shared import ViewCache
from rhobin.data.splits import available_splits, held_out_views, thinned
from rhobin.data.targets.views import ViewTargets, build_targets

log = logging.getLogger(__name__)


class DataSets:
    """The datasets of a root, each of the views that a method can use.

    Attributes:
        splits: what was read.
        assets: body models and templates that the targets were made with.
        body_hash: of the files of the body models.
        by_name: datasets under "train", "val" and "test", those that there are.
        missing: by name, why there is none.
    """

    def __init__(self, settings: DataSettings):
        """Read the root and compute all targets; a root with one usable split serves what needs no other.

        Raises:
            FileNotFoundError: there is no data.
            ValueError: no split can be used, or the body models of the root were not asked for.
        """
        self.settings = settings
        validation = settings.validation
        own = validation.by == "release" and validation.fraction > 0
        self.splits = available_splits(settings.root, settings.layout, own)
        if own:
            self.splits.need("val")
        folder = choose_body(settings.root, settings.body)
        self.body_hash = body_hash(folder)
        self.assets = Assets.of(load_bodies(folder), self.splits.templates)
        self.by_name: dict[str, BehaveDataset] = {}
        self.missing: dict[str, ValueError] = {}
        self._left_out: list[Skip] = []
        for split, release in self.splits.releases.items():
            targets = build_targets(release, self.assets)
            try:
                views, skips = select_views(release, targets, settings.samples, settings.frame_list)
            except ValueError as error:
                self.missing[split] = error
                continue
            self._left_out += skips
            self._add(split, release, targets, views)
        if not self.by_name:
            raise next(iter(self.missing.values()))
        self._tell()

    def need(self, name: str) -> BehaveDataset:
        """A dataset that cannot be done without.

        Raises:
            ValueError: there is none; says why.
        """
        if name in self.missing:
            raise self.missing[name]
        self.splits.need(name)
        return self.by_name[name]

    @property
    def skips(self) -> list[Skip]:
        """Everything left out so far: when reading, and by samples found broken since."""
        releases = self.splits.releases.values()
        return [skip for release in releases for skip in release.skips] + self._later_skips()

    def manifest(self) -> dict[str, Any]:
        """What was read and what was left out, by reason; see `rhobin.behave.manifest`."""
        return build_manifest(list(self.splits.releases.values()), self._later_skips())

    def _add(self, split: str, release: Release, targets: ViewTargets, views: np.ndarray) -> None:
        samples = self.settings.samples.one_size
        if split == "train":
            self._divide(release, targets, views)
        elif split == "val" and self.settings.overfit is None:
            self.by_name["val"] = BehaveDataset(release, targets, self._thinned(views), samples)
        elif split == "test":
            self.by_name["test"] = BehaveDataset(release, targets, views, samples, partly=True)

    def _divide(self, release: Release, targets: ViewTargets, views: np.ndarray) -> None:
        """Divide the training split's views into those to train on and those held out."""
        settings, rule = self.settings, self.settings.validation
        train, val = views, views[:0]
        if rule.by != "release":
            held_out = held_out_views(release, rule.fraction, rule.by, rule.seed)[views]
            train, val = views[~held_out], views[held_out]
        if settings.overfit is not None:
            train = val = thinned(train, settings.overfit)
        cache = None
        if settings.cache.kind == "ram":
            cache = ViewCache(len(train) * len(settings.samples.crops), settings.cache.mb)
        options = (settings.samples, settings.augment, settings.seed, cache)
        self.by_name["train"] = BehaveDataset(release, targets, train, *options)
        if len(val):
            self.by_name["val"] = BehaveDataset(
                release, targets, self._thinned(val), settings.samples.one_size
            )

    def _thinned(self, views: np.ndarray) -> np.ndarray:
        return thinned(views, self.settings.validation.views)

    def _later_skips(self) -> list[Skip]:
        """What the method and the frame list leave out, and what samples were found broken since."""
        return self._left_out + [skip for dataset in self.by_name.values() for skip in dataset.skips()]

    def _tell(self) -> None:
        shown = [len(self.by_name[name]) if name in self.by_name else 0 for name in ("train", "val", "test")]
        skips = self.skips
        log.info("%s: %d training, %d validation, %d test views; %d views skipped (%d files)",
                 self.settings.root, *shown, sum(skip.views for skip in skips), len(skips))  # fmt: skip
        for reason, count in count_skips(self._left_out).items():
            log.info("left out: %d views: %s", count["views"], REASONS[reason])
        for split, error in (self.splits.missing | self.missing).items():
            log.warning("no %s data: %s", split, error)
