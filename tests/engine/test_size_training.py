"""Training on batches of several input sizes."""

from __future__ import annotations

import pytest
import torch

from rhobin.engine.build import build_datamodule, build_module


def test_a_convolutional_network_trains_on_every_size(smoke, tmp_path):
    config = smoke(tmp_path / "run", "data.view.sizes=[64,96]", "data.batch_size=2")
    datamodule = build_datamodule(config)
    module, seen = build_module(config, datamodule.assets), set()
    for batch in datamodule.train_dataloader():
        if batch.image.shape[-1] not in seen:
            seen.add(batch.image.shape[-1])
            assert torch.isfinite(module.training_step(batch, 0)["loss"])
    assert seen == {64, 96}


def test_a_network_of_one_size_refuses_others(smoke, tmp_path):
    config = smoke(tmp_path / "run", "experiment=g2dr/smoke", "data.view.sizes=[64,96]")
    datamodule = build_datamodule(config)
    with pytest.raises(ValueError, match=r"data.view.sizes is \[64, 96\], but the network of G2DR takes"):
        build_module(config, datamodule.assets)
