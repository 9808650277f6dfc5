"""Every variant of the long ablations is a config that exists."""

import argparse
import sys
from pathlib import Path

import pytest

from rhobin.engine.compose import compose_config
from rhobin.engine.stages import stages_of

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tools" / "trials"))
from ablations import PRETRAINED, STAGED, STUDIES, command, missing  # noqa: E402

CASES = [(method, name) for method, study in STUDIES.items() for name in study.variants]


@pytest.mark.parametrize(("method", "name"), CASES)
def test_a_variant_composes_and_differs_from_the_others(method, name):
    options = argparse.Namespace(
        method=method, root=Path("bench"), renders=Path("renders"), out=Path("out"), steps=100, threads=None,
        overrides=["callbacks.log.every_n_steps=7"],
    )  # fmt: skip
    script, *overrides = command(name, 7, options)
    assert script == "train.py"
    stages = stages_of(compose_config(overrides))
    assert sum(stage.config.trainer.max_steps for stage in stages) == 100
    assert len(stages) == {PRETRAINED: 2, STAGED: 3}.get(name, 1)
    assert stages[-1].config.callbacks.log.every_n_steps == 7
    assert stages[-1].config.seed == stages[-1].config.data.seed == 7


@pytest.mark.parametrize("study", STUDIES.values())
def test_no_two_variants_are_the_same(study):
    changes = [changes for name, changes in study.variants.items() if name not in (PRETRAINED, STAGED)]
    assert len(set(changes)) == len(changes)


def test_a_finished_run_is_only_scored_on_the_occluded_root_and_once(tmp_path):
    options = argparse.Namespace(
        method="bev_hybrik", root=Path("bench"), occluded=None, out=tmp_path, steps=100, threads=None,
        overrides=[],
    )  # fmt: skip
    assert [one[0] for one in missing("base", 0, options)] == ["train.py", "eval.py", "eval.py"]
    (tmp_path / "base_0").mkdir()
    (tmp_path / "base_0" / "scores.json").touch()
    assert missing("base", 0, options) == []
    options.occluded, kept = Path("hidden"), tmp_path / "occluded" / "base_0"
    (found,) = missing("base", 0, options)
    assert {f"run={tmp_path / 'base_0'}", "data.root=hidden", f"out={kept}", "tracks=[human]"} < {*found}
    kept.mkdir(parents=True)
    (kept / "scores.json").touch()
    assert missing("base", 0, options) == []
