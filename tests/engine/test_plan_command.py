"""`rhobin plan`: steps, disk, hours, what is missing, and what it prints."""

import json
import shutil
from pathlib import Path

import pytest

from rhobin.__main__ import main
from rhobin.engine.compose import compose_config
from rhobin.engine.experiments import experiments
from rhobin.engine.planning import footprint
from rhobin.engine.planning.cards import CARDS, FULL, HALF, speed, usable
from rhobin.engine.planning.length import devices, documented, length, views_of
from rhobin.engine.planning.missing import missing
from rhobin.engine.planning.plan import jobs, smaller
from rhobin.engine.planning.rehearsal import Rehearsal
from rhobin.engine.planning.tracker import Memory
from rhobin.engine.stages import stages_of

ROOT = Path(__file__).parents[2]
PRESETS = [found.name for found in experiments(ROOT / "configs")]


@pytest.fixture
def rehearsed(monkeypatch, tmp_path):
    """An invented rehearsal in place of all others; the calls that asked for one."""
    calls = []

    def rehearse(config, counts):
        calls.append(config.trainer.precision)
        memory = {count: Memory(4000, 4000, 8000, 10**8 * count) for count in counts}
        return Rehearsal(1500, 1000, 2e9, 0, 6000, memory)

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(footprint, "rehearse", rehearse)
    return calls


@pytest.mark.parametrize("preset", [name for name in PRESETS if not name.startswith("phosa/")])
def test_every_preset_that_trains_has_a_length_and_knows_what_it_lacks(preset):
    config = compose_config([f"experiment={preset}"])
    for stage in stages_of(config):
        long = length(stage.config, views_of(stage.config))
        assert long.images == pytest.approx(long.steps * long.images_a_step, rel=1e-9)
        assert long.passes > 0
        assert all(part.next for part in missing(stage.config))


def test_without_augmentation_no_backgrounds_are_missing():
    config = compose_config(["experiment=khor/paper", "data.augment=null"])
    assert "backgrounds" not in [part.what for part in missing(config)]


def test_khors_steps_are_the_papers_where_nothing_is_held_out():
    """Report sec. 3.3.2: 3,782 batches of 12 an epoch, 90 epochs."""
    config = compose_config(["experiment=khor/paper", "data.validation.fraction=0"])
    long = length(config, views_of(config))
    assert (long.views.count, long.steps, long.images) == (45_388, 340_380, 4_084_560)


def test_accumulation_and_devices_change_steps_but_hardly_the_images():
    further = ["trainer.accumulate_grad_batches=4", "trainer.devices=2", "trainer.max_epochs=3"]
    config = compose_config(["experiment=khor/paper", *further])
    long = length(config, views_of(config, 1000))
    assert devices(config) == 2
    assert (long.images_a_step, long.steps) == (96, 3 * 11)  # 41 batches of 24 an epoch
    assert long.images == 3 * 41 * 24
    with pytest.raises(ValueError, match="fewer than one batch of 24"):
        length(config, views_of(config, 23))


def test_views_are_those_of_the_command_that_makes_the_root():
    """92 sequences of 8 frames, four cameras; 8,000 poses of 20 objects."""
    assert documented("data/behave_synthetic")[0] == 92 * 8 * 4
    assert documented("data/renders_euler")[0] == 160_000
    assert documented("data/behave")[0] == 45_388


def test_views_that_are_here_are_counted(tree):
    config = compose_config(["experiment=khor/smoke", f"data.root={tree}", "data.validation.fraction=0"])
    views = views_of(config)
    assert (views.count, views.counted) == (32, True)


def test_data_that_cannot_be_read_are_assumed_and_told(tree, tmp_path):
    """People of a root that `rhobin synth` did not make need a body, which nobody named."""
    root = shutil.copytree(tree, tmp_path / "behave")
    (root / "synth.json").unlink()
    config = compose_config(["experiment=khor/paper", f"data.root={root}"])
    views = views_of(config)
    assert (views.count, views.counted) == (round(45_388 * 0.9), False)
    assert "SMPLH_male" in views.source
    assert "body" in [part.what for part in missing(config)]


def test_cards_without_bfloat16_take_float32s_time():
    assert speed("RTX 2080 Ti", "bf16-mixed") == CARDS["RTX 2080 Ti"][FULL]
    assert speed("RTX 2080 Ti", "16-mixed") == CARDS["RTX 2080 Ti"][HALF]
    assert speed("A100", "bf16-mixed") == CARDS["A100"][HALF]
    assert CARDS["RTX 3090"][FULL].hours(35.6e12 * 0.4 * 7200) == pytest.approx(2)
    assert usable(11) == pytest.approx(9 * 2**30)


def test_several_sizes_and_sweeps_are_counted():
    config = compose_config(["experiment=bev_hybrik/paper_augment"])
    assert smaller(config) == pytest.approx((512**2 + 576**2 + 640**2 + 704**2) / 4 / 704**2)
    assert jobs(["experiment=bev_hybrik/paper_ensemble"]) == 26
    assert jobs(["experiment=khor/paper"]) == 1


def test_the_command_prints_every_stage_and_is_quick_the_second_time(rehearsed, capsys):
    line = ["plan", "experiment=g2dr/paper", "data.batch_size=60", "trainer.precision=bf16-mixed"]
    assert main(line) == 0
    said = " ".join(capsys.readouterr().out.split())
    for part in ("g2dr_paper renders", "g2dr_paper behave", "144,000", "bf16-mixed", "RTX 3090", "assumed"):
        assert part in said
    assert rehearsed == ["bf16-mixed", "32-true"] * 2  # two stages that differ in the switch of weights
    assert main([*line, "--json", "optim.optimizer.lr=1e-3", "trainer.max_epochs=2"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert len(rehearsed) == 4, "neither a rate nor a length asks for another rehearsal"
    first, second = found["stages"]
    assert found["images"] == first["images"] + second["images"]
    assert first["memory"]["32-true"]["fits"] == {"11": 96, "24": 222, "80": 763}
    assert first["checkpoints_bytes"] == 4 * 6000
    assert main([*line, "--json", "data.view.input_size=128"]) == 0
    assert len(rehearsed) == 8


def test_memory_that_is_not_known_is_told_beside_the_rest(rehearsed, monkeypatch, capsys):
    unknown = Rehearsal(1500, 1500, 2e9, 0, 6000, {}, "not known with torch 9.9")
    monkeypatch.setattr(footprint, "rehearse", lambda config, counts: unknown)
    assert main(["plan", "experiment=khor/smoke"]) == 0
    said = capsys.readouterr().out
    assert "peak memory: not known with torch 9.9" in said
    assert "1,500 trained" in said


def test_a_kept_rehearsal_that_is_damaged_is_made_again(rehearsed, tmp_path, caplog, capsys):
    assert main(["plan", "experiment=khor/smoke"]) == 0
    (path,) = (tmp_path / "cache" / "rhobin" / "plan").iterdir()
    path.write_text('{"parameters": 1')
    assert main(["plan", "experiment=khor/smoke"]) == 0
    assert "rehearsed again" in caplog.text
    assert len(rehearsed) == 2


def test_what_is_missing_has_a_next_command(tmp_path):
    def lacks(*overrides):
        config = compose_config(["experiment=khor/paper", *overrides])
        return {part.what: part.next for part in missing(config)}

    found = lacks(f"init_from={tmp_path / 'none.ckpt'}", f"model.net.backbone.weights={tmp_path / 'none.pt'}")
    assert found.keys() >= {"data", "body", "weights", "start"}
    assert "data/README.md" in found["data"]
    assert "data.body=" in found["body"]
    shutil.copy(ROOT / "LICENSE", tmp_path / "none.ckpt")
    assert "start" not in lacks(f"init_from={tmp_path / 'none.ckpt'}")
    made = compose_config(["experiment=khor/synthetic"])
    assert [part.what for part in missing(made)] == ["data"]
    assert missing(made)[0].next == "rhobin synth --out data/behave_synthetic --size demo"


def test_mistakes_are_told_without_a_traceback(capsys):
    assert main(["plan", "experiment=khor/papr"]) == 1
    assert "khor/papr" in capsys.readouterr().err
    assert main(["plan", "experiment=khor/smoke", "data.batch_size=0"]) == 1
    assert "data.batch_size is 0" in capsys.readouterr().err
    assert main(["plan", "experiment=khor/smoke", "data.view.background=grey"]) == 1
    assert "data.view.background" in capsys.readouterr().err
    assert main(["plan", "experiment=khor/smoke", "+trainer.epochs=3"]) == 1
    assert "nothing reads trainer.epochs" in capsys.readouterr().err
