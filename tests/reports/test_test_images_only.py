"""`eval.py` on roots of which only test images are there, with and without ground truth."""

import json
import shutil

import numpy as np
import pytest

from rhobin.__main__ import main
from rhobin.engine.evaluate import evaluate
from rhobin.scoring.store import read_results


@pytest.fixture
def test_only(scored_run, tmp_path):
    """The 2023 package of the run's data without its training parts, ref.pkl in ref/."""
    root = tmp_path / "package"
    assert main(["relayout", str(scored_run.data), str(root), "--layout", "2023"]) == 0
    for part in root.glob("train_part*"):
        shutil.rmtree(part)
    (root / "ref.pkl").unlink()
    (root / "ref").mkdir()
    shutil.copy(scored_run.data / "ref.pkl", root / "ref")
    return root


def test_a_root_of_test_images_is_scored_without_constants(own_run, test_only, capsys):
    before = json.loads((own_run.run / "scores.json").read_text())["tracks"]
    evaluate(own_run.config(f"data.root={test_only}"))
    assert "no training views" in " ".join(capsys.readouterr().out.split())
    tracks = json.loads((own_run.run / "scores.json").read_text())["tracks"]
    for track, rows in tracks.items():
        assert list(rows) == ["khor", "perfect"]
        assert rows["khor"]["scores"] == pytest.approx(before[track]["khor"]["scores"], rel=1e-4)
    assert "against a constant" not in (own_run.run / "report.html").read_text()
    assert main(["report", str(own_run.run)]) == 0
    assert main(["submit", str(own_run.run)]) == 0


def test_a_hidden_test_set_is_predicted_and_packed_but_not_scored(own_run, test_only, scored_run, capsys):
    known, _ = read_results(scored_run.run)
    shutil.move(test_only / "ref", test_only.parent / "answers")
    evaluate(own_run.config(f"data.root={test_only}"))
    said = " ".join(capsys.readouterr().out.split())
    assert "Nothing was scored" in said
    assert not any((own_run.run / name).exists() for name in ("scores.json", "frames.csv", "report.html"))
    results, _ = read_results(own_run.run)
    assert list(results) == list(known)
    for name, record in results.items():
        assert record["frames"] == known[name]["frames"]
        np.testing.assert_allclose(record["poses"], known[name]["poses"], atol=1e-4)
    assert (own_run.run / "submission-joint-2023.zip").is_file()
    evaluate(own_run.config(f"data.root={test_only}"))
    assert "up to date" in capsys.readouterr().out
    assert main(["submit", str(own_run.run)]) == 0
    assert "not checked" in capsys.readouterr().out
    assert main(["submit", str(own_run.run), "--ref", str(test_only.parent / "answers")]) == 0
    assert "SMPL" in capsys.readouterr().out
