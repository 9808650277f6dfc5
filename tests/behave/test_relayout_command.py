"""`rhobin relayout`."""

import json
import pickle
import shutil

import numpy as np
import pytest

from rhobin.__main__ import main
from rhobin.behave.detect import detect_layout
from rhobin.behave.read import read_release
from rhobin.behave.splits import read_split
from rhobin.behave.writers.tree import write_split


@pytest.mark.parametrize("layout", ["2024", "2023"])
def test_a_root_is_written_as_another_layout(release_root, tmp_path, capsys, templates, layout):
    assert main(["relayout", str(release_root), str(tmp_path / "out"), "--layout", layout]) == 0
    assert f"written as {layout}" in capsys.readouterr().out
    assert detect_layout(tmp_path / "out") == layout
    assert len(read_release(tmp_path / "out", "train", templates=templates).views.frame) == 32


@pytest.mark.parametrize("layout", ["2024", "raw"])
def test_validation_sequences_of_a_root_stay_what_they_are(own_root, tmp_path, templates, layout):
    split = read_split(own_root)
    write_split(own_root, split["train"][1:], split["test"], val=split["train"][:1])
    assert main(["relayout", str(own_root), str(tmp_path / "out"), "--layout", layout]) == 0
    for part in ("train", "val", "test"):
        found = read_release(tmp_path / "out", part, templates=templates)
        assert sorted(found.sequences) == sorted(read_release(own_root, part, templates=templates).sequences)


def test_what_cannot_be_done_is_said(release_root, own_root, tmp_path, capsys):
    assert main(["relayout", str(tmp_path / "none"), str(tmp_path / "out"), "--layout", "raw"]) == 1
    assert "no BEHAVE data at" in capsys.readouterr().err
    shutil.rmtree(own_root / "sequences" / "Date03_Sub04_backpack_back")
    assert main(["relayout", str(own_root), str(own_root), "--layout", "raw"]) == 1
    said = capsys.readouterr().err
    assert "no test split" in said
    assert "is not empty" in said


def test_a_root_by_image_is_scored(release_root, tmp_path, capsys, templates):
    """Perfect predictions of its own `ref.pkl`; the official object evaluator reads `symmetries`, too."""
    out = tmp_path / "out"
    assert main(["relayout", str(release_root), str(out), "--layout", "2024"]) == 0
    ref = pickle.loads((out / "ref.pkl").read_bytes())
    for name, template in ref["templates"].items():
        assert set(template) == {"verts", "faces", "symmetries"}
        assert len(template["symmetries"]) == len(templates[name].symmetries)
        for entry, R, t in zip(
            template["symmetries"], templates[name].symmetries, templates[name].symmetry_offsets, strict=True
        ):
            np.testing.assert_allclose(entry["R"], R, atol=1e-6)
            np.testing.assert_allclose(entry["t"], t, atol=1e-6)
    keys = ("pose", "betas", "trans", "obj_rot", "obj_trans")
    perfect = {name: {key: image[key] for key in keys} for name, image in ref["annotations"].items()}
    (tmp_path / "results.pkl").write_bytes(pickle.dumps(perfect))
    for track, best in (("human", {"MPJPE": 0}), ("object", {"AR_all": 1}), ("joint", {})):
        scores = tmp_path / track
        results = ["--results", str(tmp_path / "results.pkl")]
        assert main(["score", track, str(out), str(scores), *results]) == 0, capsys.readouterr().err
        found = json.loads((scores / "scores.json").read_text())["tracks"][track]["results"]
        assert found["edition"] == "2024"
        for name, value in best.items():
            assert found["scores"][name] == pytest.approx(value, abs=1e-6)
