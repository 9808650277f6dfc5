"""Submissions and other people's files: every format reads as the same predictions."""

from __future__ import annotations

import pickle
import zipfile

import numpy as np
import pytest
from challenge_files import as_ref, as_results, scored, write_layout

from rhobin.__main__ import main
from rhobin.metrics.submission import SubmissionError
from rhobin.pickles import UnsafePickleError
from rhobin.scoring.by_image import from_images, to_images
from rhobin.scoring.submissions import read_submission, write_zip


@pytest.fixture
def results(oracle):
    return as_results(oracle("rhobin_pred_mid_sym"))


def same(a: dict, b: dict, keys: tuple[str, ...]) -> None:
    assert list(a) == list(b)
    for sequence, record in a.items():
        assert list(record["frames"]) == list(b[sequence]["frames"])
        for key in keys:
            np.testing.assert_array_equal(record[key], b[sequence][key])


ARRAYS = ("poses", "betas", "trans", "obj_rots", "obj_trans")


def test_pickle_zip_and_images_read_alike(results, tmp_path):
    plain = tmp_path / "chore_joint.pkl"
    plain.write_bytes(pickle.dumps(results, protocol=2))
    same(read_submission(plain), results, ARRAYS)
    for name, content in (("2023.zip", results), ("2024.zip", to_images(results))):
        write_zip(tmp_path / name, content)
        same(read_submission(tmp_path / name), results, ARRAYS)
    image = next(iter(to_images(results).values()))
    assert {key: value.shape for key, value in image.items()} == {
        "pose": (156,),
        "betas": (10,),
        "trans": (3,),
        "obj_rot": (3, 3),
        "obj_trans": (3,),
    }


def test_a_zip_is_the_same_bytes_each_time(results, tmp_path):
    for name in ("a.zip", "b.zip"):
        write_zip(tmp_path / name, results)
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    assert zipfile.ZipFile(tmp_path / "a.zip").namelist() == ["results.pkl"]


def test_odd_files_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no results at.*--results FILE"):
        read_submission(tmp_path / "none.pkl")
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("deep/results.pkl", b"")
    with pytest.raises(SubmissionError, match=r"expected a zip with results\.pkl, found"):
        read_submission(tmp_path / "x.zip")
    (tmp_path / "list.pkl").write_bytes(pickle.dumps([1, 2]))
    with pytest.raises(SubmissionError, match=r"list\.pkl: expected a dict of sequences, found list"):
        read_submission(tmp_path / "list.pkl")
    with zipfile.ZipFile(tmp_path / "code.zip", "w") as archive:
        archive.writestr("results.pkl", pickle.dumps(print))
    with pytest.raises(UnsafePickleError, match=r"builtins\.print"):
        read_submission(tmp_path / "code.zip")
    with pytest.raises(SubmissionError, match="image id 'one': expected SEQUENCE/FRAME"):
        from_images({"one": {"pose": np.zeros(156)}})
    images = {"s_s_o/a": {"pose": np.zeros(156)}, "s_s_o/b": {}}
    with pytest.raises(SubmissionError, match="image s_s_o/b: key 'pose' is missing"):
        from_images(images)


def test_baselines_score_from_their_files_alone(oracle, oracle_folder, results, tmp_path, capsys):
    ref = as_ref(oracle("rhobin_ref"))
    objects = {s: {key: r[key] for key in ("frames", "obj_rots", "obj_trans")} for s, r in results.items()}
    root = write_layout(tmp_path / "root", ref, objects, oracle_folder)
    assert main(["score", "object", str(root), str(tmp_path / "chore")]) == 0
    expected = oracle("rhobin_spread_mid_sym")["object/scores_seeds"]
    found = scored(tmp_path / "chore", "object")["scores"]
    assert found["AR_all"] == pytest.approx(expected[:, 6].mean(), abs=4 * expected[:, 6].std() + 1e-3)
    people = {
        s: {key: r[key] for key in ("frames", "gender", "poses", "betas", "trans")}
        for s, r in results.items()
    }
    root = write_layout(tmp_path / "root", ref, people, oracle_folder)
    assert main(["score", "human", str(root), str(tmp_path / "mocap")]) == 0
    capsys.readouterr()
    assert main(["tables", str(tmp_path / "chore"), str(tmp_path / "mocap")]) == 0
    said = capsys.readouterr().out
    assert f"{found['AR_all']:.4g}" in said
    assert "chore: rhobin-2023-object, ref" in said
    assert said.count("not run") == 2  # tables 4 and 5
