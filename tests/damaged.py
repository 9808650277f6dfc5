"""Samples of a damaged tree."""

import numpy as np
from data_samples import sample_config, truth_of

from rhobin.data.dataset import BehaveDataset


def datasets(release):
    """Datasets of all views of a release that skip bad samples, and that stop."""
    targets, views = truth_of(release), np.arange(len(release.views.frame))
    configs = (sample_config(32, on_bad_sample=how) for how in ("skip", "raise"))
    return [BehaveDataset(release, targets, views, config) for config in configs]


def show(dataset):
    return [dataset[index] for index in range(len(dataset))]
