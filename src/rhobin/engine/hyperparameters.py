"""A run's config as its loggers show it: TensorBoard's HPARAMS tab, the config of a W&B run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pytorch_lightning.loggers import TensorBoardLogger
from pytorch_lightning.loggers.logger import Logger
from pytorch_lightning.utilities import rank_zero_only


@rank_zero_only
def tell_hyperparameters(loggers: Sequence[Logger], values: Mapping[str, Any], score: str) -> None:
    """Tell every logger what was trained.

    Args:
        loggers: of the run.
        values: flat config.
        score: name of the monitored score, which TensorBoard shows beside the values.
    """
    for logger in loggers:
        logger.log_hyperparams(dict(values))
        if isinstance(logger, TensorBoardLogger):
            _fill_tab(logger, values, score)


def _fill_tab(logger: TensorBoardLogger, values: Mapping[str, Any], score: str) -> None:
    """Lightning fills the tab only with a first value of the score, and there is none yet."""
    from torch.utils.tensorboard.summary import hparams

    plain = {k: v if isinstance(v, bool | int | float | str) else str(v) for k, v in values.items()}
    for summary in hparams(plain, {score: 0.0}):
        logger.experiment._get_file_writer().add_summary(summary)
