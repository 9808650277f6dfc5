"""Compiling, memory formats, batches ready for a GPU: what they change, and where they are refused."""

from types import SimpleNamespace

import pytest
import torch
from whole_run import assert_same_weights, saved

from rhobin.data.datamodule import BehaveDataModule
from rhobin.engine.fit import fit
from rhobin.engine.speed import missing_for_compiling, prepare_network
from rhobin.types import Batch, Target

CUDA = torch.device("cuda")
SHORT = ("trainer.max_steps=2", "callbacks.views=0", "callbacks.log.every_n_steps=1")


def test_compiling_is_refused_where_its_code_would_not_run(smoke, tmp_path, monkeypatch):
    with pytest.raises(
        ValueError, match=r"compile=true: expected a CUDA device, found cpu.*Set compile=false"
    ):
        fit(smoke(tmp_path / "run", "compile=true"))
    assert not (tmp_path / "run").exists()
    monkeypatch.setattr("torch.cuda.get_device_capability", lambda device: (6, 1))
    assert "compute capability 7.0 (Volta) or newer, found 6.1" in missing_for_compiling(CUDA)
    monkeypatch.setattr("torch.cuda.get_device_capability", lambda device: (7, 5))
    monkeypatch.setattr("rhobin.engine.speed.find_spec", lambda name: None)
    assert "expected the package triton" in missing_for_compiling(CUDA)
    monkeypatch.setattr("rhobin.engine.speed.find_spec", lambda name: name)
    monkeypatch.setattr("shutil.which", lambda name: None)
    assert "expected a C compiler" in missing_for_compiling(CUDA)
    monkeypatch.setattr("shutil.which", lambda name: name)
    assert missing_for_compiling(CUDA) == ""


def test_a_compiled_network_trains_and_keeps_its_names(smoke, tmp_path, monkeypatch):
    """What `torch.compile` returns is called once a batch; its own work would take a minute."""
    calls = []

    def compiled(call):
        return lambda *inputs: calls.append(len(inputs[0])) or call(*inputs)

    monkeypatch.setattr("rhobin.engine.speed.missing_for_compiling", lambda device: "")
    monkeypatch.setattr(torch, "compile", compiled)
    ours, theirs = (
        saved(fit(smoke(tmp_path / asked, *SHORT, f"compile={asked}")))["state_dict"]
        for asked in ("true", "false")
    )
    assert calls == [4, 4]
    assert_same_weights(ours, theirs)


def test_networks_and_images_are_laid_out_as_asked(smoke, tmp_path):
    seen = {}

    def layout(module):
        weight = next(p for p in module.net.parameters() if p.dim() == 4 and min(p.shape) > 1)
        return weight.is_contiguous(memory_format=torch.channels_last), weight.is_contiguous()

    from rhobin.engine.build import build_datamodule, build_module

    config = smoke(tmp_path / "run")
    assets = build_datamodule(config).assets
    for asked in (True, False):
        config.channels_last = asked
        module = build_module(config, assets)
        prepare_network(module, config, torch.device("cpu"))
        image = module.images(SimpleNamespace(image=torch.zeros(1, 5, 8, 8, dtype=torch.uint8)))
        seen[asked] = (*layout(module), image.is_contiguous())
    assert seen == {True: (True, False, False), False: (False, True, True)}


def test_batches_lie_ready_for_a_gpu_alone(tree, monkeypatch):
    def loader(device, workers):
        data = BehaveDataModule(tree, view={"input_size": 32}, batch_size=4, workers=workers)
        data.trainer = SimpleNamespace(
            global_rank=0, world_size=1, strategy=SimpleNamespace(root_device=torch.device(device))
        )
        made = data.train_dataloader()
        return made.pin_memory, made.prefetch_factor, made.persistent_workers

    assert loader("cuda", 2) == (True, 4, True)
    assert loader("cuda", 0) == (True, None, False)
    assert loader("cpu", 2) == (False, 2, True)


def test_a_batch_pins_all_its_tensors(monkeypatch):
    pinned = []
    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda tensor: pinned.append(tensor) or tensor)
    parts = [torch.zeros(1) for _ in range(6)]
    batch = Batch(*parts, target=Target(), keys=["key"])
    assert batch.pin_memory().keys == ["key"]
    assert len(pinned) == 6
