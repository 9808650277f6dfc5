"""Constant turns of parts: what they move, when they are found, and when they are left alone."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from behave_tree import make_tree, write_ground_truth
from made_up import noisy, results_of, runs_of, shown_in_test, store, true_people
from scipy.spatial.transform import Rotation

from rhobin.__main__ import main
from rhobin.body.load import load_body
from rhobin.ensemble.folds import folds_by_sequence
from rhobin.ensemble.members import EnsembleError
from rhobin.ensemble.meshes import parameters
from rhobin.ensemble.pairs import pairs_of
from rhobin.ensemble.residual import choose, fit_angles, standard_error
from rhobin.ensemble.turns import Turn, turn_parts, turn_results
from rhobin.scoring.store import read_results

ENDS = {1: 4, 2: 5, 4: 7, 5: 8, 16: 18, 17: 19, 18: 20, 19: 21}  # parts with one child, and that child
ELBOW, WRIST = 18, 20
SEQUENCES = tuple(f"Date10_Sub0{n % 5 + 1}_stool_{n}" for n in range(15))


@pytest.fixture(scope="module")
def bodies():
    return {gender: load_body(gender, dtype=torch.float64) for gender in ("female", "male")}


def twisted(people, bodies, degrees, rows=slice(None)):
    """People whose left forearm is turned about its bone while the hand stays, by SciPy."""
    poses = people.poses.astype(np.float64).reshape(*people.poses.shape[:2], 52, 3)
    for member, view in np.ndindex(poses.shape[:2]):
        if view not in np.arange(len(people))[rows]:
            continue
        beta = torch.from_numpy(people.betas[member, view]).double()
        rest = bodies[people.gender[view]].rest_joints(beta).numpy()
        bone = rest[WRIST] - rest[ELBOW]
        turn = Rotation.from_rotvec(np.deg2rad(degrees) * bone / np.linalg.norm(bone))
        elbow, wrist = (Rotation.from_rotvec(poses[member, view, joint]) for joint in (ELBOW, WRIST))
        poses[member, view, ELBOW] = (elbow * turn).as_rotvec()
        poses[member, view, WRIST] = (turn.inv() * wrist).as_rotvec()
    return replace(people, poses=poses.reshape(people.poses.shape).astype(np.float32))


def kept_of(angles):
    return [name for name, told in angles["parts"].items() if told["kept"]]


def test_a_turn_about_the_bone_moves_no_joint_and_turns_its_part_alone(bodies):
    truth, body, rows = true_people(SEQUENCES[5:6], each=3), bodies["female"], np.arange(3)
    theta, beta, trans = (array[:, 0] for array in parameters(body, truth, rows))
    rest, angle = body.rest_joints(beta), 0.4
    turned = turn_parts(theta, rest, {part: Turn(angle) for part in ENDS})
    old, new = body(theta, beta, trans), body(turned, beta, trans)
    torch.testing.assert_close(new.joints, old.joints, rtol=0, atol=1e-12)
    assert (new.verts - old.verts).norm(dim=-1).max() > 0.005
    for joint in range(52):
        wanted = old.rotations[:, joint].numpy()
        if joint in ENDS:
            bone = (rest[:, ENDS[joint]] - rest[:, joint]).numpy()
            along = bone / np.linalg.norm(bone, axis=-1, keepdims=True)
            wanted = wanted @ Rotation.from_rotvec(angle * along).as_matrix()
        np.testing.assert_allclose(new.rotations[:, joint].numpy(), wanted, atol=1e-12)


def test_a_turn_of_the_pelvis_turns_nothing_else_and_moves_what_hangs_on_it(bodies):
    truth, body = true_people(SEQUENCES[5:6], each=2), bodies["female"]
    theta, beta, trans = (array[:, 0] for array in parameters(body, truth, np.arange(2)))
    axis = np.array([0.6, 0.0, 0.8])
    old, new = (
        body.kinematics(at, beta, trans)
        for at in (theta, turn_parts(theta, body.rest_joints(beta), {0: Turn(0.3, axis)}))
    )
    by = Rotation.from_rotvec(0.3 * axis).as_matrix()
    np.testing.assert_allclose(new.rotations[:, 0].numpy(), old.rotations[:, 0].numpy() @ by, atol=1e-12)
    torch.testing.assert_close(new.rotations[:, 1:], old.rotations[:, 1:], rtol=0, atol=1e-12)
    assert (new.joints[:, 1] - old.joints[:, 1]).norm(dim=-1).min() > 0.005
    knee = new.joints[:, 4] - new.joints[:, 1]
    torch.testing.assert_close(knee, old.joints[:, 4] - old.joints[:, 1], rtol=0, atol=1e-12)


@pytest.mark.parametrize("degrees", [12.0, -170.0])
def test_a_constant_twist_is_found_and_removed_without_moving_a_joint(bodies, degrees):
    truth = true_people(SEQUENCES, each=3)
    people = twisted(noisy(truth, (0.05,)), bodies, -degrees)
    angles = fit_angles(people, truth, bodies, folds_by_sequence(truth.sequence))
    assert kept_of(angles) == ["left_elbow"]
    told, scores = angles["parts"]["left_elbow"], angles["scores"]
    assert told["angle_deg"] == pytest.approx(degrees, abs=2)
    assert told["axis"] is None
    assert told["before_deg"] - told["after_deg"] > 3
    assert scores["MPJAE"]["before"] - scores["MPJAE"]["after"] == pytest.approx(
        (told["before_deg"] - told["after_deg"]) / 9, rel=1e-9
    )
    for name in ("MPJPE", "MPJPE_PA"):
        assert scores[name]["after"] == pytest.approx(scores[name]["before"], abs=1e-6)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("alike", [False, True])
def test_nothing_is_kept_where_there_is_only_noise(bodies, seed, alike):
    """Noise of every view, or the same in all views of a sequence."""
    truth = true_people(SEQUENCES, each=4, seed=seed)
    people = noisy(truth, (0.15,), seed=100 + seed)
    if alike:
        noise = (people.poses - truth.poses)[:, ::4].repeat(4, axis=1)
        people = replace(people, poses=truth.poses + noise)
    angles = fit_angles(people, truth, bodies, folds_by_sequence(truth.sequence))
    assert kept_of(angles) == []


def test_an_error_of_one_sequence_is_not_taken_for_a_constant(bodies):
    truth = true_people(SEQUENCES, each=3)
    people = twisted(noisy(truth, (0.02,)), bodies, 40, slice(0, 3))
    angles = fit_angles(people, truth, bodies, folds_by_sequence(truth.sequence))
    assert "left_elbow" not in kept_of(angles)


def test_scores_are_of_turns_that_were_fitted_and_chosen_elsewhere(bodies):
    """What all other folds agree on makes fold 0 worse by 10 degrees; with it among them nothing is kept."""
    truth = true_people(SEQUENCES, each=3)
    fold = folds_by_sequence(truth.sequence, 4)
    people = twisted(noisy(truth, (0.01,)), bodies, -10, fold != 0)
    people = twisted(people, bodies, 30, fold == 0)
    angles = fit_angles(people, truth, bodies, fold)
    rise = angles["scores"]["MPJAE"]["after"] - angles["scores"]["MPJAE"]["before"]
    assert rise == pytest.approx(10 / 9 * np.mean(fold == 0), abs=0.03)
    assert kept_of(angles) == []
    told = angles["parts"]["left_elbow"]
    left_out = 10 * np.mean(fold == 0) + (30 - 10 - 10) / 3 * np.mean(fold != 0)
    assert told["after_deg"] - told["before_deg"] == pytest.approx(left_out, abs=1)


def test_the_pelvis_is_turned_where_joints_follow_and_left_alone_where_they_do_not(bodies):
    truth = true_people(SEQUENCES, each=3)
    off = Rotation.from_euler("xyz", (6, -8, 4), degrees=True)
    poses = noisy(truth, (0.03,)).poses.astype(np.float64).reshape(-1, 52, 3)
    poses[:, 0] = (Rotation.from_rotvec(poses[:, 0]) * off.inv()).as_rotvec()
    for child in (1, 2, 3):
        poses[:, child] = (off * Rotation.from_rotvec(poses[:, child])).as_rotvec()
    people = replace(truth, poses=poses.reshape(truth.poses.shape).astype(np.float32))
    pairs = pairs_of(people, truth, bodies, folds_by_sequence(truth.sequence))
    told = choose(pairs, range(5))["pelvis"]
    assert told["kept"]
    found = Rotation.from_rotvec(np.deg2rad(told["angle_deg"]) * np.array(told["axis"]))
    assert np.rad2deg((found.inv() * off).magnitude()) < 1.5
    rest, theta = pairs.rest, pairs.theta
    placed = pairs.tree(theta, rest)[1][:, [*range(22), 22, 37]]
    alone = choose(replace(pairs, joints=placed), range(5))["pelvis"]
    assert alone["after_deg"] == pytest.approx(told["after_deg"])
    assert not alone["kept"]


def test_standard_errors_are_those_of_the_groups_means():
    rng = np.random.default_rng(0)
    means = rng.normal(size=7)
    values = (means[:, None] + rng.normal(size=(7, 4))).ravel()
    wanted = values.reshape(7, 4).mean(1).std(ddof=1) / np.sqrt(7)
    assert standard_error(values, np.repeat(np.arange(7), 4)) == pytest.approx(wanted)


def test_turned_vectors_are_no_longer_than_pi_and_others_keep_their_bits(bodies):
    truth = true_people(SEQUENCES[:6], each=4)
    results = results_of(truth)
    for record in results.values():
        record["poses"][:, 3 * ELBOW : 3 * ELBOW + 3] *= np.pi / 0.2
    turned = turn_results(results, bodies, {0: Turn(0.5, np.array([1.0, 0, 0])), ELBOW: Turn(2.0)})
    changed = np.zeros(52, bool)
    changed[[0, 1, 2, 3, ELBOW, WRIST]] = True
    for sequence, record in results.items():
        new = turned[sequence]["poses"].reshape(-1, 52, 3)
        old = record["poses"].reshape(-1, 52, 3)
        assert np.linalg.norm(new[:, changed], axis=-1).max() <= np.pi + 1e-12
        np.testing.assert_array_equal(new[:, ~changed], old[:, ~changed])
        assert not np.isclose(new[:, changed], old[:, changed]).all(-1).any()
        for key in ("betas", "trans", "frames", "gender"):
            np.testing.assert_array_equal(turned[sequence][key], record[key])


def test_two_folds_are_too_few(bodies):
    truth = true_people(SEQUENCES[:2], each=3)
    with pytest.raises(EnsembleError, match=r"3 folds of whole sequences or more .* found 2"):
        fit_angles(noisy(truth, (0.1,)), truth, bodies, folds_by_sequence(truth.sequence))


def test_the_command_turns_test_predictions_and_keeps_their_positions(tmp_path, bodies, capsys):
    root = make_tree(tmp_path / "root")
    write_ground_truth(root)
    test, truth = shown_in_test(root), true_people(SEQUENCES, each=2)
    run = store(tmp_path / "run", twisted(noisy(truth, (0.05,)), bodies, -25), truth)
    store(run, twisted(noisy(test, (0.05,), seed=9), bodies, -25), test, held_out=False)
    out = tmp_path / "turned"
    assert main(["ensemble", "fit", str(out), str(run), "--angles"]) == 0
    assert main(["ensemble", "apply", str(out), "--data", str(root)]) == 0
    said = capsys.readouterr().out
    assert "parts turned: left_elbow" in said
    assert "With turns fitted and chosen on the other folds: MPJPE" in said
    rows = json.loads((out / "scores.json").read_text())["tracks"]["human"]
    old, new = (rows[name]["scores"] for name in ("best member, run", "ensemble"))
    assert new["MPJPE"] == pytest.approx(old["MPJPE"], abs=1e-6)
    assert old["MPJAE"] - new["MPJAE"] > 1.5
    assert "Ensemble of 1, angles corrected" in (out / "report.html").read_text()


def test_turns_of_several_members_are_those_of_the_stack(tmp_path, bodies):
    truth = true_people(SEQUENCES[:9], each=2)
    people = twisted(noisy(truth, (0.05, 0.05)), bodies, -25)
    assert (
        main(["ensemble", "fit", str(tmp_path), *map(str, runs_of(tmp_path, people, truth)), "--angles"]) == 0
    )
    document = json.loads((tmp_path / "ensemble.json").read_text())
    assert kept_of(document["angles"]) == ["left_elbow"]
    assert document["angles"]["scores"]["MPJAE"]["before"] == pytest.approx(
        document["gain"]["MPJAE"]["stack"]
    )


def test_predictions_stay_to_the_bit_where_nothing_is_kept(tmp_path):
    truth = true_people(SEQUENCES, each=2)
    people = noisy(truth, (0.1,))
    run = store(tmp_path / "run", people, truth)
    store(run, people, truth, held_out=False)
    out = tmp_path / "one"
    assert main(["ensemble", "fit", str(out), str(run), "--angles"]) == 0
    assert kept_of(json.loads((out / "ensemble.json").read_text())["angles"]) == []
    assert main(["ensemble", "apply", str(out)]) == 0
    (found, origin), (wanted, _) = read_results(out), read_results(run)
    assert origin.title == "Ensemble of 1"
    for sequence, record in wanted.items():
        for key, value in record.items():
            np.testing.assert_array_equal(found[sequence][key], value)
