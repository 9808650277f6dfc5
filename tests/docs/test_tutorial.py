"""The method of docs/own-method.md, built from the page's own text: trained, evaluated, its loss checked."""

import json
import re
import shlex
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from commands import succeed
from pages import ROOT, blocks

PAGE = (ROOT / "docs/own-method.md").read_text()
FILES = dict(re.findall(r"^\*\*`(\S+)`\*\*\n\n```\w+\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """What the page shows, each block under the name above it."""
    folder = tmp_path_factory.mktemp("tutorial")
    for name, code in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(code)
    return folder


@pytest.fixture(scope="module")
def run_dir(folder):
    """The trial run of the page, by the page's own commands."""
    from behave_tree import make_tree, write_ground_truth

    tree = make_tree(folder / "tree")
    write_ground_truth(tree)
    places = {"/path/to/your/code": folder, "data/behave_tiny": tree, "runs/trial": folder / "runs/trial"}
    block = next(code for _, code in blocks(PAGE) if "runs/trial" in code)
    for line in block.splitlines():
        if line.startswith("python "):
            for place, ours in places.items():
                line = line.replace(place, str(ours))
            succeed(*shlex.split(line, comments=True)[1:], "threads=1", path=(str(folder),))
    return folder / "runs/trial"


def test_the_page_holds_a_whole_method_in_a_hundred_lines():
    assert set(FILES) == {
        "direct/net.py",
        "direct/module.py",
        "configs/model/direct.yaml",
        "configs/experiment/direct.yaml",
    }
    assert sum(1 for code in FILES.values() for line in code.splitlines() if line.strip()) <= 100


def test_it_trains_and_is_scored(run_dir):
    assert json.loads((run_dir / "run.json").read_text())["state"] == "finished"
    scores = json.loads((run_dir / "scores.json").read_text())["tracks"]
    assert list(scores) == ["object"]
    assert list(scores["object"]) == ["constant", "constant_per_object", "direct", "perfect"]
    assert 0 <= scores["object"]["direct"]["scores"]["AR_all"] <= 1
    assert "Direct" in (run_dir / "report.html").read_text()


def test_its_loss_is_nothing_at_the_truth_in_any_of_its_symmetries(folder, monkeypatch):
    from rhobin.geometry.rotation import rotvec_to_rotmat
    from rhobin.methods.symmetry import Symmetries
    from rhobin.objects.load import load_templates

    monkeypatch.syspath_prepend(str(folder))
    templates = load_templates()
    table = templates["tablesquare"]
    monkeypatch.delitem(sys.modules, "direct.module", raising=False)
    from direct.module import DirectLoss

    loss = DirectLoss(Symmetries({0: table}, 1))
    R, t = rotvec_to_rotmat(torch.tensor([[0.3, 2.0, -0.5]])), torch.ones(1, 3)
    target = SimpleNamespace(object=SimpleNamespace(R=R, t=t))
    batch = SimpleNamespace(target=target, object_id=torch.zeros(1, dtype=torch.long))
    eighth = rotvec_to_rotmat(torch.tensor(table.group.axis).float() * torch.pi / 4)
    assert len(table.symmetries) == 4
    for S, s in zip(table.symmetries, table.symmetry_offsets, strict=True):
        S, s = torch.tensor(S).float(), torch.tensor(s).float().reshape(3)
        seen = loss((R @ S, t + R @ s), batch)
        assert max(seen.values()) < 1e-5
        turned = loss((R @ S @ eighth, t), batch)
        assert turned["turn"] > 0.01


def test_the_page_is_the_only_source():
    assert not list(Path(ROOT / "tests").rglob("direct/*.py"))
