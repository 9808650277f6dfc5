"""`rhobin export --program`: the loaded program gives what the network gives, for batches of any length."""

import io
import logging

import pytest
import torch
from exporting import composed, everything, smoke_run

from rhobin.__main__ import main
from rhobin.data.collate import collate
from rhobin.engine.build import build_datamodule, build_module
from rhobin.engine.export import first_views
from rhobin.engine.exported import find_weights
from rhobin.engine.predict import load_weights
from rhobin.engine.program import export_program, network_inputs, tensors_of
from rhobin.files import read_sealed


@pytest.fixture(autouse=True)
def _untraced():
    """Without torch's own trace, which pytest would collect line by line."""
    logger = logging.getLogger("torch.__trace")
    before, logger.propagate = logger.propagate, False
    yield
    logger.propagate = before


@pytest.mark.parametrize("method", ["khor", "bev_hybrik", "g2dr"])
def test_the_program_is_the_network(method, tree, tmp_path):
    config = composed(
        "train", f"experiment={method}/smoke", f"data.root={tree}", "data.workers=0", "threads=1"
    )
    torch.manual_seed(0)
    datamodule = build_datamodule(config)
    module = build_module(config, datamodule.assets)
    program = export_program(module, first_views(datamodule))
    loaded = torch.export.load(io.BytesIO(program.content)).module()
    samples = [datamodule.train_dataset[i] for i in range(5)]
    for count in (1, 2, 5):
        inputs = network_inputs(module, collate(samples[:count]))
        with torch.no_grad():
            expected, found = tensors_of(module.net(*inputs)), loaded(*inputs)
        assert found.keys() == expected.keys() == program.outputs.keys()
        for name, value in expected.items():
            torch.testing.assert_close(found[name], value, rtol=0, atol=1e-5, msg=name)
    assert program.inputs["image"] == f"(B, {inputs[0].shape[1]}, 64, 64) float32"


def test_the_command_writes_it_without_a_trace_of_where(tree, tmp_path):
    run = smoke_run("g2dr", tree, tmp_path / "run")
    assert main(["export", str(run), str(tmp_path / "out"), "--checkpoint", "last", "--program"]) == 0
    card = read_sealed(tmp_path / "out" / "card.json")
    assert "model.pt2" in card["files"]
    assert list(card["program"]["inputs"]) == ["image", "object_id", "box", "rays"]
    content = everything(tmp_path / "out")
    for trace in (str(tmp_path).encode(), b"site-packages", b"src/rhobin", b"stack_trace"):
        assert trace not in content, trace
    text = (tmp_path / "out" / "README.md").read_text()
    assert "`model.pt2` is the network alone" in text
    assert "rhobin predict out photo.jpg --mask person.png --object-mask object.png --object" in text
    (tmp_path / "out" / "model.pt2").unlink()
    find_weights(tmp_path / "out", "best")  # rhobin does not read the program


def test_a_network_that_looks_at_values_is_refused_by_name(reference, tree):
    from rhobin.engine.trusted import read_config

    config = read_config(reference)
    datamodule = build_datamodule(config)
    module = build_module(config, datamodule.assets)
    load_weights(module, reference / "checkpoints" / "best.ckpt", config)
    before = module.net.forward

    def forward(image, object_id):
        return before(image * 2 if float(image.mean()) > 0 else image, object_id)

    module.net.forward = forward
    with pytest.raises(ValueError, match=r"cannot trace the network of KHOR.*without --program"):
        export_program(module, first_views(datamodule))
