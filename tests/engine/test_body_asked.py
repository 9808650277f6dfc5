"""Training asks for the body of data that were not generated, and goes on with the same body only."""

import os
import shutil
from pathlib import Path

import pytest
from whole_run import OVERRIDES

from rhobin.behave.layout import SYNTHETIC
from rhobin.body.chosen import body_hash
from rhobin.engine.fit import fit
from rhobin.engine.preview import preview
from rhobin.engine.resume import ResumeError
from rhobin.engine.runinfo import read_run
from rhobin.engine.saved import read_checkpoint


@pytest.fixture
def unmarked(tree, tmp_path) -> Path:
    """The tree as a root that nobody says was generated."""
    root = Path(shutil.copytree(tree, tmp_path / "real", copy_function=os.link))
    (root / SYNTHETIC).unlink()
    return root


def test_training_on_real_data_asks_for_the_body_and_leaves_nothing(smoke, unmarked, tmp_path):
    with pytest.raises(ValueError, match=r"real was not generated .*Say data.body=FOLDER"):
        fit(smoke(tmp_path / "run", f"data.root={unmarked}"))
    assert not (tmp_path / "run").exists()
    with pytest.raises(ValueError, match=r"Say data.body=FOLDER"):
        preview(["experiment=khor/smoke", f"data.root={unmarked}", "data.workers=0"])


def test_the_stand_in_can_be_asked_for_and_is_told(smoke, unmarked, tmp_path, capsys):
    overrides = (f"data.root={unmarked}", "data.body=standin", "trainer.max_steps=1")
    fit(smoke(tmp_path / "run", *overrides))
    assert f"body      stand-in  hash {body_hash(None)}" in capsys.readouterr().out
    assert read_run(tmp_path / "run")["body_hash"] == body_hash(None)


def test_a_foreign_body_is_refused_on_a_generated_root(smoke, oracle_folder, tmp_path):
    for gender in ("male", "female"):
        shutil.copy(oracle_folder / f"smplh_{gender}.npz", tmp_path / f"SMPLH_{gender}.npz")
    with pytest.raises(ValueError, match=r"generated with the stand-in body .*expected data.body=standin"):
        fit(smoke(tmp_path / "run", f"data.body={tmp_path}"))


def test_a_run_does_not_go_on_with_other_body_files(smoke, stopped_at, monkeypatch):
    run_dir = stopped_at(5)
    saved = read_checkpoint(run_dir / "checkpoints" / "last.ckpt")["rhobin"]["identity"]
    assert saved["data.body_hash"] == body_hash(None)
    monkeypatch.setattr("rhobin.engine.runinfo.body_hash", lambda folder: "other")
    with pytest.raises(ResumeError, match=rf"data.body_hash: {body_hash(None)} -> other"):
        fit(smoke(run_dir, *OVERRIDES, "resume=auto"))
