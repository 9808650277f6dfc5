"""How a config is divided into stages, and weights that a run starts from."""

from pathlib import Path

import pytest
import torch
from omegaconf import OmegaConf

from rhobin.engine.stages import stages_of
from rhobin.engine.weights import init_weights


def config(**changes):
    values = {
        "run_dir": "runs/x", "name": "x", "seed": 0, "resume": "none", "init_from": None, "freeze": [],
        "stages": {}, "trainer": {"max_steps": 10}, "here": "${run_dir}",
    }  # fmt: skip
    return OmegaConf.create(values | changes)


def test_a_run_without_stages_is_one():
    (stage,) = stages_of(config())
    assert (stage.name, stage.count, stage.run_dir, stage.weights) == ("", 1, Path("runs/x"), None)
    (stage,) = stages_of(config(init_from="a.ckpt"))
    assert stage.weights == Path("a.ckpt")


def test_the_last_stage_lives_in_the_run_folder_and_each_starts_from_the_one_before():
    stages = {
        "one": {"trainer": {"max_steps": 3}},
        "two": {"init_from": "best"},
        "three": {"freeze": ["net"]},
    }
    one, two, three = stages_of(config(stages=stages, init_from=None))
    assert [s.run_dir for s in (one, two, three)] == [
        Path("runs/x/stages/1_one"), Path("runs/x/stages/2_two"), Path("runs/x"),
    ]  # fmt: skip
    assert [s.config.trainer.max_steps for s in (one, two, three)] == [3, 10, 10]
    assert one.config.here == "runs/x/stages/1_one"
    assert one.weights is None
    assert two.weights == Path("runs/x/stages/1_one/checkpoints/best.ckpt")
    assert three.weights == Path("runs/x/stages/2_two/checkpoints/last.ckpt")
    assert one.config.stages == {}
    assert three.config.stages == stages


def test_the_run_s_own_weights_are_for_its_first_stage():
    stages = {"one": {}, "two": {}, "three": {"init_from": "other.ckpt"}}
    one, two, three = stages_of(config(stages=stages, init_from="pre.ckpt"))
    assert one.weights == Path("pre.ckpt")
    assert two.weights == Path("runs/x/stages/1_one/checkpoints/last.ckpt")
    assert three.weights == Path("other.ckpt")


def test_a_stage_sets_only_keys_that_exist_and_are_its_own():
    with pytest.raises(ValueError, match=r"stages\.one: .*max_stepz"):
        stages_of(config(stages={"one": {"trainer": {"max_stepz": 3}}}))
    with pytest.raises(ValueError, match=r"stages\.one sets \['seed'\], which all stages"):
        stages_of(config(stages={"one": {"seed": 3}}))


def saved(path, state):
    torch.save({"state_dict": state, "global_step": 1, "epoch": 0, "rhobin": {"identity": {}}}, path)
    return path


def test_weights_are_taken_by_name_and_what_does_not_fit_is_told(tmp_path):
    net, other = torch.nn.Linear(3, 2), torch.nn.Linear(3, 2)
    state = {"weight": other.weight.detach(), "extra": torch.zeros(1)}
    loaded = init_weights(net, saved(tmp_path / "a.ckpt", state))
    assert torch.equal(net.weight, other.weight)
    assert (loaded.taken, loaded.missing, loaded.unexpected) == (1, ("bias",), ("extra",))
    assert "not there: bias" in " ".join(loaded.lines(tmp_path))
    with pytest.raises(ValueError, match=r"weight \(4, 3\), here \(2, 3\)"):
        init_weights(net, saved(tmp_path / "b.ckpt", {"weight": torch.zeros(4, 3)}))
    with pytest.raises(ValueError, match="none of the tensors"):
        init_weights(net, saved(tmp_path / "c.ckpt", {"extra": torch.zeros(1)}))
    with pytest.raises(FileNotFoundError, match="no such checkpoint"):
        init_weights(net, tmp_path / "d.ckpt")
    (tmp_path / "e.ckpt").write_text("text")
    with pytest.raises(ValueError, match="not readable"):
        init_weights(net, tmp_path / "e.ckpt")
