"""`rhobin experiments` and `rhobin --version`."""

import re
import shutil
from argparse import ArgumentParser
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir

import rhobin
from rhobin.__main__ import main
from rhobin.cli.synth import configure
from rhobin.engine import experiments as module
from rhobin.engine.experiments import FACTS, config_folder, experiments
from rhobin.metrics.paper import TABLE_2, TABLE_3, TABLE_4, TABLE_5

ROOT = Path(__file__).parents[2]
FOUND = experiments(ROOT / "configs")


def test_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"rhobin {rhobin.__version__}\n"


@pytest.mark.parametrize("experiment", FOUND, ids=lambda found: found.name)
def test_every_experiment_states_its_facts(experiment):
    assert experiment.title
    assert experiment.facts.keys() == set(FACTS)


@pytest.mark.parametrize("experiment", FOUND, ids=lambda found: found.name)
def test_a_row_of_the_paper_exists_and_a_score_is_on_record(experiment):
    row = re.match(r"Table (\d), (.+)", experiment.facts["paper"])
    if row:
        tables = {table.number: table for table in (TABLE_2, TABLE_3, TABLE_4, TABLE_5)}
        assert row[2] in dict(tables[int(row[1])].rows)
    records = (ROOT / "README.md").read_text() + (ROOT / "docs/decisions/0072-khor-on-a-cpu.md").read_text()
    for score in re.findall(r"\d+\.\d", experiment.facts["state"]):
        assert score in records


@pytest.mark.parametrize("name", [found.name for found in FOUND if "rhobin synth " in found.facts["data"]])
def test_the_command_that_makes_an_experiment_s_data_writes_where_it_looks(name):
    """As typed: the facts of the experiment against its composed root, and the command's own options."""
    facts = next(found.facts for found in FOUND if found.name == name)
    with initialize_config_dir(str(ROOT / "configs"), version_base="1.3"):
        root = compose("train", [f"experiment={name}"]).data.root
    parser = ArgumentParser()
    configure(parser)
    options = parser.parse_args(facts["data"].removeprefix("rhobin synth").split())
    assert str(options.out) == root


def test_a_new_file_is_listed(tmp_path, monkeypatch, capsys):
    shutil.copytree(ROOT / "configs", tmp_path / "configs")
    (tmp_path / "configs/experiment/mine").mkdir()
    (tmp_path / "configs/experiment/mine/first.yaml").write_text(
        "# @package _global_\n# My own: a method.\n# state: a hope\nname: first\n# data: not of the header\n"
    )
    monkeypatch.chdir(tmp_path)
    assert main(["experiments"]) == 0
    printed = capsys.readouterr().out
    assert "mine/first" in printed
    assert "a hope" in printed
    assert "khor/paper" in printed
    mine = next(found for found in experiments(config_folder()) if found.name == "mine/first")
    assert (mine.title, mine.facts) == ("My own: a method.", {"state": "a hope"})


def test_outside_a_checkout_the_error_says_where_to_go(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(module.rhobin, "__file__", str(tmp_path / "site-packages/rhobin/__init__.py"))
    assert main(["experiments"]) == 1
    error = capsys.readouterr().err
    assert f"expected configs/train.yaml in {tmp_path}, found none" in error
    assert "the folder that you cloned" in error
