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
    lacking = r"\d of \d\d frames have no prediction \(\S+/\S+, .*?\)"
    assert re.search(rf"2024: no score\. Coverage \d\d\.\d\d %, expected at least 98 %; {lacking}\.", said)
    assert re.search(rf"strict: {lacking}: they count as failed, so that mean errors do not exist\.", said)
    assert re.search(rf"contho: {lacking}: the scores are of the other frames alone\.", said)
    assert scored(tmp_path / "out" / "contho", "joint")["scores"]["SMPL"] > 0
    assert (tmp_path / "out" / "2024" / "scores.txt").read_text() == ""


def without_a_frame(oracle):
    """Predictions that lack the last frame of their first sequence."""
    results = as_results(oracle("rhobin_pred_low72"))
    first = results[sorted(results)[0]]
    return results | {
        sorted(results)[0]: {key: value if key == "gender" else value[:-1] for key, value in first.items()}
    }


@pytest.mark.parametrize(
    ("mode", "status", "told"),
    [
        ("contho", 0, "the scores are of the other frames alone"),
        ("strict", 1, "they count as failed, so that mean errors do not exist"),
    ],
)
def test_a_frame_without_a_prediction_is_told_by_the_modes_without_a_gate(
    root, tmp_path, capsys, oracle, oracle_folder, mode, status, told
):
    write_layout(root, as_ref(oracle("rhobin_ref")), without_a_frame(oracle), oracle_folder)
    assert main(["score", "joint", str(root), str(tmp_path / "out"), "--protocol", mode]) == status
    said = capsys.readouterr().out
    assert re.search(rf"1 of \d+ frames have no prediction \(\S+/\S+\): {told}", said)
    assert not re.search(r"\binf\b|\bnan\b", said)


def test_a_refused_file_leaves_no_score_of_another_one_behind(root, tmp_path, capsys):
    out, bad = tmp_path / "out", tmp_path / "bad.pkl"
    assert main(["score", "object", str(root), str(out), "--protocol", "all"]) == 0
    bad.write_bytes(b"no pickle")
    assert main(["score", "object", str(root), str(out), "--protocol", "all", "--results", str(bad)]) == 1
    assert not list(out.glob("**/scores.json"))
    assert all(file.read_text() == "" for file in out.glob("**/scores.txt"))


@pytest.mark.parametrize("name", ["run.json", "results.json"])
def test_the_scores_of_a_run_are_not_replaced(root, tmp_path, capsys, name):
    run = tmp_path / "run"
    run.mkdir()
    for file in (name, "scores.json"):
        (run / file).write_text("{}")
    assert main(["score", "object", str(root), str(run)]) == 1
    assert "expected another folder as OUT" in capsys.readouterr().err
    assert (run / "scores.json").read_text() == "{}"
    assert main(["score", "object", str(root), str(run / name)]) == 1
    assert f"expected a folder to write, found the file {run / name}" in capsys.readouterr().err


@pytest.mark.parametrize(("mode", "beside"), [("2023", True), ("contho", False), ("procrustes-none", False)])
def test_scores_of_the_field_do_not_stand_beside_the_papers(
    root, tmp_path, capsys, monkeypatch, mode, beside
):
    monkeypatch.setenv("COLUMNS", "160")
    assert main(["score", "joint", str(root), str(tmp_path / "out"), "--protocol", mode]) == 0
    said = capsys.readouterr().out
    assert ("The paper's rows are quoted" in said) == ("KHOR" in said) == beside
    assert ("are not to be compared with the paper's" in said) is not beside
    assert bool(scored(tmp_path / "out", "joint")["paper"]) == beside


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


def test_a_scored_folder_is_compared_with_a_file(root, tmp_path, capsys, oracle):
    ref = as_ref(oracle("rhobin_ref"))
    for annotation in ref["annotations"].values():
        annotation["occ_ratios"] = [ratio + 1e-5 / 3 for ratio in annotation["occ_ratios"]]
    (root / "ref" / "ref.pkl").write_bytes(pickle.dumps(ref))
    assert main(["score", "object", str(root), str(tmp_path / "a")]) == 0
    other = tmp_path / "b.pkl"
    other.write_bytes(pickle.dumps(as_results(oracle("rhobin_pred_mid_sym"))))
    capsys.readouterr()
    assert main(["compare", str(tmp_path / "a"), str(other), "--ref", str(root)]) == 0
    said = capsys.readouterr().out
    files = [str(root / "res" / "results.pkl"), str(other)]
    assert main(["compare", *files, "--ref", str(root), "--track", "object"]) == 0
    again = capsys.readouterr().out
    numbers = [re.findall(r"-?\d+\.\d+|\d+ frames of \d+ sequences", text) for text in (said, again)]
    assert numbers[0] == numbers[1]


@pytest.mark.parametrize("track", ["object", "joint"])
def test_predicted_sequences_that_the_truth_lacks_are_told(
    root, tmp_path, capsys, monkeypatch, oracle, track
):
    monkeypatch.setenv("COLUMNS", "200")
    results, more = as_results(oracle("rhobin_pred_low72")), tmp_path / "more.pkl"
    further = {f"Date03_Sub09_stool_{number}": results[sorted(results)[0]] for number in range(4)}
    more.write_bytes(pickle.dumps(results | further))
    told = "4 predicted sequences are not in the ground truth and are not scored (Date03_Sub09_stool_0, "
    assert main(["score", track, str(root), str(tmp_path / "out"), "--results", str(more)]) == 0
    assert f"note: {told}" in capsys.readouterr().out
    first = str(root / "res" / "results.pkl")
    assert main(["compare", first, str(more), "--ref", str(root), "--track", track]) == 0
    said = capsys.readouterr().out
    assert f"note: {more}: {told}" in said
    assert f"note: {first}" not in said


def test_scores_of_other_body_files_say_so_when_they_are_compared(root, tmp_path, capsys):
    for name, options in (("a", []), ("b", ["--body", "standin"])):
        assert main(["score", "human", str(root), str(tmp_path / name), *options]) == 0
    capsys.readouterr()
    assert main(["compare", str(tmp_path / "a"), str(tmp_path / "b"), "--track", "human"]) == 0
    assert "note: they were scored with other body files" in capsys.readouterr().out
    assert main(["compare", str(tmp_path / "a"), str(tmp_path / "a"), "--track", "human"]) == 0
    assert "note" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (["{file}", "{file}"], "found .*results.pkl without --ref"),
        (["{folder}", "--ref", "{root}"], "found --ref with folders of scores only"),
        (["{file}", "--ref", "{root}", "--joints-visible-below", "0.5"], "needs scored runs"),
        (["{folder}", "--protocol", "contho"], "--protocol needs files of results, found folders"),
        (["{folder}", "--body", "standin"], "--body needs files of results"),
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
