"""`rhobin compare`: what it reads from two scored runs, and what it says."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rhobin.__main__ import main
from rhobin.cli.compare import _names
from rhobin.metrics.joint_track import MEASURED, JointErrors, JointScore
from rhobin.metrics.object import ObjectErrors
from rhobin.metrics.object_track import ObjectScore
from rhobin.metrics.protocol import JOINT_MODES, OBJECT_MODES
from rhobin.metrics.submission import Example
from rhobin.scoring.compare import compare, frame_scores, read_frame_scores
from rhobin.scoring.document import ScoredRow, write_scores

EXAMPLES = tuple(
    Example(f"Date03_Sub03_stool_sit{s}", f"t000{f}.000", "stool", f, f, 0.3 + 0.06 * s)
    for s in range(10)
    for f in range(3)
)


def errors(seed: int) -> ObjectErrors:
    rng = np.random.default_rng(seed)
    scale = np.repeat(rng.uniform(0.2, 1.5, 10), 3)
    return ObjectErrors(200 * scale, 70 * scale, 15 * scale, np.full(30, 600.0))


def scored(folder, found, examples=EXAMPLES, mode="official"):
    score = ObjectScore(examples, found, len(examples), 1.0, (), OBJECT_MODES[mode])
    folder.mkdir()
    write_scores(folder, {"object": {"ours": ScoredRow(score)}}, {"row": "ours"})
    return score


def test_values_are_the_scores_and_differences_are_paired(tmp_path):
    scores = [scored(tmp_path / name, errors(seed)).metrics() for name, seed in (("a", 1), ("b", 2))]
    runs = tuple(read_frame_scores(tmp_path / name, "object") for name in ("a", "b"))
    found = compare(runs)
    assert (found.frames, found.sequences, found.left_out) == (30, 10, 0)
    for name, value in scores[0].items():
        assert found.runs[0][name].value == pytest.approx(value, abs=1e-6)
        assert found.difference[name].value == pytest.approx(scores[1][name] - value, abs=1e-6)
    for spread in (*found.runs[0].values(), *found.difference.values()):
        assert spread.low < spread.value < spread.high
        assert spread.deviation == pytest.approx((spread.high - spread.low) / (2 * 2.262), rel=0.2)  # t of 9
        assert (spread.chance < 0.05) == (not spread.low < 0 < spread.high)
    same = compare((runs[0], runs[0]))
    assert all(
        (spread.deviation, spread.high, spread.chance) == (0, 0, 1) for spread in same.difference.values()
    )


def test_a_steady_lead_is_surer_than_either_score(tmp_path):
    worse = errors(1)
    better = replace(
        worse, mssd_mm=0.9 * worse.mssd_mm, mspd_px=0.9 * worse.mspd_px, re_deg=0.9 * worse.re_deg
    )
    for name, found in (("a", worse), ("b", better)):
        scored(tmp_path / name, found)
    found = compare(tuple(read_frame_scores(tmp_path / name, "object") for name in ("a", "b")))
    assert found.difference["MSSD"].high < 0
    assert found.difference["MSSD"].chance < 0.001
    assert found.difference["MSSD"].deviation < 0.2 * found.runs[0]["MSSD"].deviation


def test_frames_of_one_run_only_are_left_out_and_counted(tmp_path, capsys):
    scored(tmp_path / "a", errors(1))
    scored(tmp_path / "b", errors(2).take(np.arange(28)), EXAMPLES[:28])
    assert main(["compare", str(tmp_path / "a"), str(tmp_path / "b")]) == 0
    said = capsys.readouterr().out
    assert "28 frames of 10 sequences" in said
    assert "2 frames that only one of the two predicts are left out" in said
    assert "b - a" in said


def test_one_run_alone(tmp_path, capsys):
    score = scored(tmp_path / "a", errors(1))
    assert main(["compare", str(tmp_path / "a")]) == 0
    assert f"{score.metrics()['AR_all']:.3f} ± " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"examples": tuple(replace(e, visible=0.9) for e in EXAMPLES)}, "shows the object differently"),
        ({"examples": tuple(replace(e, frame="t9") for e in EXAMPLES)}, "they share no frame"),
        ({"mode": "paper"}, "expected the same settings"),
    ],
)
def test_runs_that_cannot_be_compared(tmp_path, capsys, change, told):
    scored(tmp_path / "a", errors(1))
    scored(tmp_path / "b", errors(2), **change)
    assert main(["compare", str(tmp_path / "a"), str(tmp_path / "b")]) == 1
    assert told in capsys.readouterr().err


@pytest.mark.parametrize("name", ["frames.csv", "scores.json"])
def test_files_that_were_changed_after_scoring_are_scored_again(tmp_path, capsys, name):
    scored(tmp_path / "a", errors(1))
    file = tmp_path / "a" / name
    content = file.read_text()
    at = max(content.rfind(digit) for digit in "12345678")  # one digit of one number
    file.write_text(f"{content[:at]}9{content[at + 1 :]}")
    assert main(["compare", str(tmp_path / "a")]) == 1
    said = capsys.readouterr().err
    assert "one of them was changed after they were written" in said
    assert "force=true" in said


def test_what_is_not_scored_says_so(tmp_path, capsys):
    scored(tmp_path / "a", errors(1))
    assert main(["compare", str(tmp_path / "a"), "--track", "human"]) == 1
    assert "no score of ours in the human track (scored tracks: object)" in capsys.readouterr().err
    assert main(["compare", str(tmp_path / "missing")]) == 1
    assert "there is no such folder or file; expected a scored run" in capsys.readouterr().err
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.yaml").touch()
    assert main(["compare", str(tmp_path / "run")]) == 1
    assert f"Score the run: python eval.py run={tmp_path / 'run'}" in capsys.readouterr().err
    assert main(["compare", str(tmp_path)]) == 1
    assert f"folders in it have scores. Name one of them: {tmp_path / 'a'}" in capsys.readouterr().err
    assert main(["tables", str(tmp_path / "missing")]) == 1
    assert "no such folder or file; expected a scored run" in capsys.readouterr().err


def test_the_track_is_the_first_that_all_have(tmp_path, capsys):
    nothing = {"human": {"ours": ScoredRow(None, "no people")}}
    score = scored(tmp_path / "a", errors(1))
    write_scores(tmp_path / "a", {**nothing, "object": {"ours": ScoredRow(score)}}, {"row": "ours"})
    assert main(["compare", str(tmp_path / "a")]) == 0
    assert "Object track" in capsys.readouterr().out
    (tmp_path / "b").mkdir()
    write_scores(tmp_path / "b", nothing, {"row": "ours"})
    assert main(["compare", str(tmp_path / "a"), str(tmp_path / "b")]) == 1
    found = f"{tmp_path / 'a'}: object; {tmp_path / 'b'}: none"
    assert f"expected scores of one track in all places, found {found}" in capsys.readouterr().err


def test_a_p_value_that_does_not_exist_is_a_dash(tmp_path, capsys):
    scored(tmp_path / "a", errors(1), mode="strict")
    score = ObjectScore(
        EXAMPLES[:28],
        errors(2).take(np.arange(28)),
        30,
        28 / 30,
        tuple(e.name for e in EXAMPLES[28:]),
        OBJECT_MODES["strict"],
    )
    (tmp_path / "b").mkdir()
    write_scores(tmp_path / "b", {"object": {"ours": ScoredRow(score)}}, {"row": "ours"})
    for pair in (("a", "b"), ("b", "b")):
        assert main(["compare", *(str(tmp_path / name) for name in pair)]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert next(line for line in lines if "MSSD [mm]" in line).split()[-5:] == ["-", "±", "-", "-", "-"]
        assert "nan" not in " ".join(next(line for line in lines if "AR_all" in line).split())


def contacts(folder, rows):
    """Contacts of every example, of which these rows are predicted."""
    rng = np.random.default_rng(5)
    precision, recall = rng.uniform(0.2, 0.9, (2, len(EXAMPLES)))
    precision[rng.random(len(EXAMPLES)) < 0.3] = np.nan
    further = {"contact_precision": precision[rows], "contact_recall": recall[rows]}
    further |= {name: np.zeros(len(rows)) for name in MEASURED[2:]}
    score = JointScore(
        tuple(EXAMPLES[row] for row in rows),
        JointErrors(np.full(len(rows), 50.0), np.full(len(rows), 90.0), further),
        len(EXAMPLES),
        1.0,
        (),
        JOINT_MODES["contho"],
    )
    return frame_scores(folder, score), score.metrics()


def test_f1_is_that_of_the_frames_which_both_predict():
    every, some = np.arange(30), np.arange(0, 30, 2)
    (first, _), (last, metrics) = contacts(Path("a"), every), contacts(Path("b"), some)
    found = compare((first, last))
    for run in found.runs:
        assert run["Contact_F1"].value == pytest.approx(metrics["Contact_F1"], abs=1e-9)
    assert found.difference["Contact_F1"].value == pytest.approx(0, abs=1e-9)


def test_the_difference_of_a_share_that_some_frames_do_not_count_for_is_that_of_the_two_shares():
    first, metrics = contacts(Path("a"), np.arange(30))
    shares = first.scores["Contact_P"]
    moved = np.where(np.arange(30) % 3 == 0, np.nan, shares)
    found = compare((first, replace(first, scores={**first.scores, "Contact_P": moved})))
    expected = np.nanmean(moved) - metrics["Contact_P"]
    assert found.difference["Contact_P"].value == pytest.approx(expected, abs=1e-12)
    assert abs(np.nanmean(moved - shares) - expected) > 1e-3


def test_runs_are_named_by_the_part_of_their_path_that_differs():
    assert _names([Path("runs/khor"), Path("runs/chore")]) == ["khor", "chore"]
    assert _names([Path("khor/results.pkl"), Path("chore/results.pkl")]) == ["khor", "chore"]
    assert _names([Path("khor/1/results.pkl"), Path("chore/1/results.pkl")]) == ["khor", "chore"]
    assert _names([Path("runs/khor")]) == ["khor"]
