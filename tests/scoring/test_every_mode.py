"""One file by every way of counting, two files compared, and the intervals that are printed and stored."""

import csv
import json
import pickle
import re
from dataclasses import replace

import numpy as np
import pytest
from challenge_files import as_ref, as_results, scored, write_layout

from rhobin.__main__ import main
from rhobin.metrics.intervals import sequence_mean
from rhobin.metrics.joint_track import CONTACT, PLACES
from rhobin.metrics.protocol import JOINT_MODES

POINTS = 60


@pytest.fixture
def root(oracle, oracle_folder, tmp_path, monkeypatch):
    """The official layout with predictions; few surface points in the joint track."""
    for mode, protocol in JOINT_MODES.items():
        monkeypatch.setitem(JOINT_MODES, mode, replace(protocol, samples=POINTS))
    results = as_results(oracle("rhobin_pred_low72"))
    return write_layout(tmp_path / "root", as_ref(oracle("rhobin_ref")), results, oracle_folder)


def test_one_file_is_scored_by_every_way_of_counting_in_one_table(root, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["score", "joint", str(root), str(out), "--protocol", "all"]) == 0
    said = capsys.readouterr().out
    modes = ("2023", "paper", "strict", "2024", "chore", "contho", "procrustes-none")
    assert sorted(path.name for path in out.iterdir() if path.is_dir()) == sorted(modes)
    assert [line.split()[1] for line in said.splitlines() if re.match(r"│ \S", line)] == list(modes)
    found = {mode: scored(out / mode, "joint") for mode in modes}
    for column in (*CONTACT, *PLACES):
        mode = "contho" if column in CONTACT else "procrustes-none"
        assert column.name in found[mode]["scores"]
        assert column.head in said
    assert found["contho"]["frames"] == found["paper"]["frames"] > found["2023"]["frames"]
    assert found["2023"]["protocol"]["name"] == "rhobin-2023-joint"
    assert found["procrustes-none"]["scores"]["SMPL"] > found["2023"]["scores"]["SMPL"]


def test_a_way_that_refuses_a_file_says_so_and_the_others_go_on(
    root, tmp_path, capsys, oracle, oracle_folder
):
    results = as_results(oracle("rhobin_pred_low72"))
    first = results[sorted(results)[0]]
    for key, value in first.items():
        if key != "gender":
            first[key] = value[:3]
    write_layout(root, as_ref(oracle("rhobin_ref")), results, oracle_folder)
    assert main(["score", "joint", str(root), str(tmp_path / "out"), "--protocol", "all"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert re.search(r"2024: no score\. Coverage \d\d\.\d\d %; \d frames are missing\.", said)
    assert scored(tmp_path / "out" / "contho", "joint")["scores"]["SMPL"] > 0
    assert (tmp_path / "out" / "2024" / "scores.txt").read_text() == ""


@pytest.mark.parametrize("track", ["human", "object", "joint"])
def test_every_printed_score_has_its_interval(root, tmp_path, capsys, track):
    assert main(["score", track, str(root), str(tmp_path / "out")]) == 0
    said, found = capsys.readouterr().out, scored(tmp_path / "out", track)
    for name, value in found["scores"].items():
        low, high = found["intervals"][name]
        assert low < value < high
        line = next(line for line in said.splitlines() if re.match(rf"│ {name}( \[\w+%?\]| \[%\])? +│", line))
        assert re.search(r"[\d.]+ to [\d.]+", line)
    with (tmp_path / "out" / "frames.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    column, name = {"human": ("mpjpe_mm", "MPJPE"), "object": ("re_deg", "RE"), "joint": ("smpl_mm", "SMPL")}[
        track
    ]
    values = np.array([float(row[column]) for row in rows])
    ends = sequence_mean(values, [row["sequence"] for row in rows]).interval()
    np.testing.assert_allclose(found["intervals"][name], ends, rtol=1e-5)


def test_frames_that_fail_widen_the_interval_of_recalls(root, tmp_path, oracle, oracle_folder):
    results = as_results(oracle("rhobin_pred_low72"))
    first = results[sorted(results)[0]]
    kept = {key: value if key == "gender" else value[:4] for key, value in first.items()}
    write_layout(root, as_ref(oracle("rhobin_ref")), results | {sorted(results)[0]: kept}, oracle_folder)
    assert main(["score", "object", str(root), str(tmp_path / "out"), "--mode", "strict"]) == 0
    found = scored(tmp_path / "out", "object")
    low, high = found["intervals"]["AR_all"]
    assert low < found["scores"]["AR_all"] < high
    assert high - low > 0.2  # a quarter of the frames fail, all in one sequence
    assert (found["scores"]["RE"], found["intervals"]["RE"]) == (None, None)
    assert main(["compare", str(tmp_path / "out")]) == 0


def test_two_files_are_compared_as_two_scored_folders_are(root, tmp_path, capsys, oracle):
    folders, files = [], []
    for name in ("low72", "mid_sym"):
        folders.append(tmp_path / name)
        files.append(tmp_path / f"{name}.pkl")
        files[-1].write_bytes(pickle.dumps(as_results(oracle(f"rhobin_pred_{name}"))))
        options = ["--mode", "2024", "--results", str(files[-1])]
        assert main(["score", "human", str(root), str(folders[-1]), *options]) == 0
    capsys.readouterr()
    command = ["compare", *map(str, files), "--ref", str(root), "--track", "human", "--protocol", "2024"]
    assert main(command) == 0
    said = capsys.readouterr().out
    assert "v2v" in said
    assert main(["compare", *map(str, folders), "--track", "human"]) == 0
    again = capsys.readouterr().out
    numbers = [re.findall(r"-?\d+\.\d+|\d+ frames of \d+ sequences", text) for text in (said, again)]
    assert numbers[0] == numbers[1]
    assert len(numbers[0]) > 7 * 8


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (["{file}", "{file}"], "found .*results.pkl without --ref"),
        (["{folder}", "--ref", "{root}"], "found --ref with folders of scores only"),
        (["{file}", "--ref", "{root}", "--joints-visible-below", "0.5"], "needs scored runs"),
    ],
)
def test_files_and_folders_are_told_apart(root, tmp_path, capsys, command, told):
    places = {"file": root / "res" / "results.pkl", "folder": tmp_path, "root": root}
    assert main(["compare", *(word.format(**places) for word in command)]) == 1
    assert re.search(told, capsys.readouterr().err)


def test_scores_of_one_sequence_have_no_interval(root, tmp_path, capsys, oracle, oracle_folder):
    ref, results = as_ref(oracle("rhobin_ref")), as_results(oracle("rhobin_pred_low72"))
    name = sorted(results)[0]
    one = {**ref, "annotations": {name: ref["annotations"][name]}}
    write_layout(root, one, {name: results[name]}, oracle_folder)
    assert main(["score", "object", str(root), str(tmp_path / "out")]) == 0
    found = json.loads((tmp_path / "out" / "scores.json").read_text())["tracks"]["object"]["results"]
    assert set(found["intervals"].values()) == {None}
    assert re.search(r"MSSD \[mm\] +│ +[\d.]+ │ +- │", capsys.readouterr().out)
    assert main(["compare", str(tmp_path / "out")]) == 1
    assert "at least two sequences" in capsys.readouterr().err
