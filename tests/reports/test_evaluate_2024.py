"""`eval.py` on a root by image: scored by the rules of 2024; a fault in the ground truth is told at once."""

import json
import pickle

import pytest

from rhobin.__main__ import main
from rhobin.engine.evaluate import evaluate


def test_a_root_by_image_is_predicted_and_scored(scored_run, tmp_path, capsys):
    root, folder = tmp_path / "root", tmp_path / "there"
    assert main(["relayout", str(scored_run.data), str(root), "--layout", "2024"]) == 0
    evaluate(scored_run.config(f"data.root={root}", f"out={folder}"))
    tracks = json.loads((folder / "scores.json").read_text())["tracks"]
    assert tracks["object"]["khor"]["protocol"]["name"] == "rhobin-2024-object"
    assert tracks["object"]["perfect"]["scores"]["AR_all"] == pytest.approx(1.0)

    content = pickle.loads((root / "ref.pkl").read_bytes())
    for template in content["templates"].values():
        del template["symmetries"]
    (root / "ref.pkl").write_bytes(pickle.dumps(content))
    with pytest.raises(ValueError, match=r"ref\.pkl: \w+ has no 'symmetries'"):
        evaluate(scored_run.config(f"data.root={root}", f"out={tmp_path / 'other'}"))
    assert not (tmp_path / "other" / "results.pkl").exists()
