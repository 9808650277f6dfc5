"""Studies that are interrupted, shared and continued end as one that was not; trainings are a formula."""

import errno
from dataclasses import replace

import optuna
import pytest
from fake_study import STEPS, ended, in_fork, make_plan, outcome, steps_of, work

from rhobin.engine.search.claims import DEATHS
from rhobin.engine.search.locks import cut_to_lines
from rhobin.engine.search.results import best_trial
from rhobin.engine.search.study import open_study


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        return outcome(work(make_plan(tmp_path_factory.mktemp("study")), patch))


def test_eight_trials_killed_twice_end_like_eight_that_were_not(uninterrupted, tmp_path, monkeypatch):
    plan = make_plan(tmp_path)
    for dies in ({2: 3}, {5: 1}):  # the second when it is pruned, before it said so
        assert ended(in_fork(plan, monkeypatch, dies=dies)) == -9
    study = work(plan, monkeypatch)
    assert outcome(study) == uninterrupted
    assert len(uninterrupted) == 8
    assert {state for _, state, *_ in uninterrupted} == {"COMPLETE", "PRUNED"}
    assert uninterrupted[5][1] == "PRUNED"
    assert steps_of(plan, 2) == [1, 2, 3, 3, 4], "went on after its last checkpoint, that of step 2"
    best = min((o for o in uninterrupted if o[1] == "COMPLETE"), key=lambda o: o[3])
    assert best_trial(plan, study.trials()).number == best[0]


def test_values_of_later_trials_depend_on_those_before(uninterrupted, tmp_path, monkeypatch):
    study = work(replace(make_plan(tmp_path), direction="maximize"), monkeypatch)
    ours, theirs = ([o[2] for o in found] for found in (outcome(study), uninterrupted))
    assert ours[:3] == theirs[:3], "drawn at random, from the number"
    assert ours[3:] != theirs[3:]


def test_two_processes_share_a_study_and_no_trial_is_repeated_or_lost(tmp_path, monkeypatch):
    plan = make_plan(tmp_path, pruner=None)
    children = [in_fork(plan, monkeypatch, slow=0.01) for _ in range(2)]
    assert [ended(child) for child in children] == [0, 0]
    found = outcome(open_again(plan, monkeypatch))
    assert [(number, state) for number, state, *_ in found] == [(n, "COMPLETE") for n in range(8)]
    assert [steps_of(plan, n) for n in range(8)] == [[*range(1, STEPS + 1)]] * 8
    taken = [{line.split()[1] for line in (plan.run_dir(n) / "steps").open()} for n in range(8)]
    assert all(len(pids) == 1 for pids in taken)
    assert len(set.union(*taken)) == 2, "both have worked"
    assert "8 complete" in (tmp_path / "study.html").read_text()


def test_a_trial_that_another_process_trains_is_not_taken_over(tmp_path, monkeypatch, capsys):
    plan = make_plan(tmp_path, trials=1)
    study = open_again(plan, monkeypatch)
    with study.lock("trial_000").held():
        study.optuna.add_trial(optuna.trial.create_trial(state=optuna.trial.TrialState.RUNNING))
        work(plan, monkeypatch)
    assert "0 of 1 trials have ended; other processes train trial_000" in capsys.readouterr().out


def test_a_study_whose_number_of_trials_is_raised_goes_on(uninterrupted, tmp_path, monkeypatch):
    assert len(outcome(work(make_plan(tmp_path, trials=5), monkeypatch))) == 5
    assert outcome(work(make_plan(tmp_path), monkeypatch)) == uninterrupted


def test_a_study_in_a_database_ends_like_one_in_a_journal(uninterrupted, tmp_path, monkeypatch):
    plan = make_plan(tmp_path, storage=f"sqlite:///{tmp_path}/study.db", trials=5)
    assert ended(in_fork(plan, monkeypatch, dies={4: 2})) == -9
    assert outcome(work(plan, monkeypatch)) == uninterrupted[:5]


def test_a_trial_whose_process_dies_again_and_again_is_failed(tmp_path, monkeypatch):
    plan = make_plan(tmp_path, trials=2)
    for _ in range(DEATHS):
        assert ended(in_fork(plan, monkeypatch, dies={0: 2})) == -9
    first, second = outcome(work(plan, monkeypatch))
    assert first[1] == "FAIL"
    assert "died three times without a new checkpoint" in first[5]
    assert second[1] == "COMPLETE"


def test_what_is_the_machine_s_fault_stops_the_sweep_and_loses_nothing(uninterrupted, tmp_path, monkeypatch):
    plan = make_plan(tmp_path)
    with pytest.raises(OSError, match="No space left"):
        work(plan, monkeypatch, fails={3: OSError(errno.ENOSPC, "No space left on device")})
    assert outcome(work(plan, monkeypatch)) == uninterrupted


def test_a_line_of_the_journal_that_a_dying_process_left_is_cut_off(uninterrupted, tmp_path, monkeypatch):
    plan = make_plan(tmp_path)
    work(replace(plan, trials=4), monkeypatch)
    with (tmp_path / "journal.log").open("ab") as file:
        file.write(b'{"op_code":5,"wor')
    assert outcome(work(plan, monkeypatch)) == uninterrupted


@pytest.mark.parametrize(
    ("before", "after"), [(b"", b""), (b"a\nb\n", b"a\nb\n"), (b"a\nb", b"a\n"), (b"b", b"")]
)
def test_a_file_is_cut_to_whole_lines(before, after, tmp_path):
    (tmp_path / "file").write_bytes(before)
    cut_to_lines(tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == after


def open_again(plan, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("rhobin.engine.search.study.plan_identity", lambda plan: {"space": dict(plan.space)})
        return open_study(plan)
