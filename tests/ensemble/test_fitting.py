"""Statistics, weights, folds and gains of members whose errors are known."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from made_up import SEQUENCES, noisy, true_people
from scipy.spatial.transform import Rotation

from rhobin.body.load import load_body
from rhobin.ensemble.folds import folds_by_sequence
from rhobin.ensemble.gain import compare, nested_gain
from rhobin.ensemble.grams import Grams, collect
from rhobin.ensemble.meshes import common_orientation, pose
from rhobin.ensemble.parts import PARTS, part_shares
from rhobin.ensemble.stack import mean_bodies, stack
from rhobin.ensemble.weights import choose_pull, equal_weights, fit_weights


@pytest.fixture(scope="module")
def bodies():
    return {gender: load_body(gender) for gender in ("female", "male")}


def about_mean(verts, joints, other):
    """Points about the pelvis turned onto the mean, frame by frame, by SciPy."""
    points = np.concatenate((verts, joints), -2) - joints[..., :1, :]
    other = np.concatenate((other.verts, other.joints), -2) - other.joints.numpy()[..., :1, :]
    mean = points.mean(0)
    turns = [Rotation.align_vectors(mean, p)[0] for p in (*points, *other)]
    turned = [turn.apply(p) for turn, p in zip(turns, (*points, *other), strict=True)]
    return np.array(turned), np.array([turn.inv().as_matrix() for turn in turns])


def test_sums_of_products_equal_those_of_whole_arrays(bodies):
    truth = true_people(SEQUENCES[:1], each=3)
    people = noisy(truth, (0.1, 0.2))
    body = bodies["male"]
    found = collect(people, truth, {"male": body}, np.array([0, 1, 1]))
    shares = part_shares(body)[: body.n_verts].double().numpy()
    np.testing.assert_allclose(shares.sum(1), 1, atol=1e-6)
    shape, turn, pelvis = np.zeros((2, 24, 2, 2)), np.zeros((2, 2, 2)), np.zeros((2, 2, 2))
    for row in range(3):
        ours, theirs = (pose(body, of, np.array([row])) for of in (people, truth))
        points, turns = about_mean(ours.verts[0].numpy(), ours.joints[0].numpy(), _first(theirs))
        off = (points[:2] - points[2])[:, : body.n_verts]
        fold = int(row > 0)
        shape[fold] += np.einsum("vp,mvc,nvc->pmn", shares, off, off)
        turn[fold] += np.einsum("mij,nij->mn", turns[:2] - turns[2], turns[:2] - turns[2])
        places = (ours.joints[0, :, 0] - theirs.joints[0, :, 0]).double().numpy()
        pelvis[fold] += places @ places.T
    np.testing.assert_allclose(found.shape, shape, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(found.turn, turn, rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(found.pelvis, pelvis, rtol=1e-4, atol=1e-7)


def _first(posed):
    return replace(posed, verts=posed.verts[0], joints=posed.joints[0])


def test_weights_go_by_the_inverse_of_squared_errors(bodies):
    """Independent errors of known size have known best weights."""
    truth = true_people(each=40)
    sigmas = np.array([0.05, 0.05, 0.1])
    weights = fit_weights(collect(noisy(truth, sigmas), truth, bodies, np.zeros(len(truth), int)), ridge=0)
    best = sigmas**-2 / np.sum(sigmas**-2)
    for found in (weights.whole, weights.turn, weights.pelvis):
        np.testing.assert_allclose(found, best, atol=0.05)
        assert found.sum() == pytest.approx(1, abs=1e-12)


def test_a_part_takes_the_member_that_is_good_at_it(bodies):
    truth = true_people(each=12)
    elbow, knee = 18, 4
    parts = {elbow: np.array([0.5, 0.02]), knee: np.array([0.02, 0.5])}
    people = noisy(truth, (0.05, 0.05), parts=parts)
    fold = folds_by_sequence(truth.sequence)
    grams = collect(people, truth, bodies, fold)
    pull = choose_pull(grams)
    weights = fit_weights(grams, pull=pull)
    assert pull < 1
    assert weights.shape[PARTS.index("left_elbow"), 1] > 0.7
    assert weights.shape[PARTS.index("left_knee"), 0] > 0.7
    np.testing.assert_allclose(weights.shape.sum(1), 1, atol=1e-12)


def test_parts_that_are_alike_keep_the_weights_of_the_whole_body():
    """One view a fold and 26 members: weights of parts would only fit noise."""
    rng = np.random.default_rng(0)
    errors = rng.normal(size=(4, 24, 26, 6))
    shape = np.einsum("kpmd,kpnd->kpmn", errors, errors)
    grams = Grams(shape, shape[:, 0], shape[:, 0])
    assert choose_pull(grams) >= 3


def test_folds_hold_whole_sequences_and_are_about_equal():
    sequence = np.repeat(list("abcdefg"), (9, 1, 1, 4, 4, 5, 6))
    fold = folds_by_sequence(sequence, 3)
    assert all(len(set(fold[sequence == name])) == 1 for name in "abcdefg")
    assert sorted(np.bincount(fold)) == [10, 10, 10]
    assert folds_by_sequence(np.array(["a", "b", "a"]), 5).max() == 1


def test_a_stack_beats_its_members_and_its_bodies_fit(bodies):
    truth = true_people(each=4)
    people = noisy(truth, (0.1, 0.1, 0.12, 0.2))
    fold = folds_by_sequence(truth.sequence)
    grams = collect(people, truth, bodies, fold)
    gain, stacked = nested_gain(people, truth, bodies, fold, grams, 0.01, by_part=True)
    for told in gain.values():
        assert told["gain_percent"] > 15
        assert told["stack"] < min(told["members"])
        assert len(told["folds_percent"]) == 5
    assert stacked.refit_mm.mean() < 3
    assert stacked.spread_mm.min() > 0


def test_the_gain_on_a_fold_does_not_see_its_truth(bodies):
    truth = true_people(SEQUENCES[:3], each=2)
    people = noisy(truth, (0.1, 0.15))
    fold = folds_by_sequence(truth.sequence)
    other = replace(truth, poses=truth.poses + 0.3 * (fold == 0)[None, :, None].astype(np.float32))

    def stacked(true):
        grams = collect(people, true, bodies, fold)
        return nested_gain(people, true, bodies, fold, grams, 0.01, by_part=True)[1].people.poses[0]

    one, two = stacked(truth), stacked(other)
    np.testing.assert_array_equal(one[fold == 0], two[fold == 0])
    assert not np.array_equal(one[fold == 1], two[fold == 1])


def test_the_member_is_chosen_on_the_other_folds():
    fold = np.array([0, 0, 1, 1])
    members = {"MPJPE": np.array([[1.0, 1, 4, 4], [2.0, 2, 3, 3]])}
    told = compare(members, {"MPJPE": np.array([1.0, 2, 2, 3])}, fold)["MPJPE"]
    assert told["chosen"] == [1, 0]
    assert told["member"] == 3  # (2 + 2 + 4 + 4) / 4
    assert told["stack"] == 2
    assert told["gain_percent"] == pytest.approx(100 / 3)
    assert told["folds_percent"] == pytest.approx([25, 37.5])
    assert told["spread_percent"] == pytest.approx(12.5 / np.sqrt(2))


def test_means_of_turned_bodies_do_not_shrink(bodies):
    """Equal bodies that face different ways: the mean is that body, facing the mean way."""
    truth = true_people(SEQUENCES[:1], each=1)
    people = noisy(truth, (0.0, 0.0))
    for member, sign in enumerate((-1, 1)):
        facing = Rotation.from_rotvec((0, sign * 0.5, 0)) * Rotation.from_rotvec(truth.poses[0, 0, :3])
        people.poses[member, 0, :3] = facing.as_rotvec()
    body = bodies["male"]
    ours, theirs = (pose(body, of, np.array([0])) for of in (people, truth))
    points, spread = mean_bodies(common_orientation(ours)[0], equal_weights(2, 24), part_shares(body))
    wanted = torch.cat((theirs.verts[0], theirs.joints[0]), 1)
    np.testing.assert_allclose(points.numpy(), wanted.numpy(), atol=2e-5)
    assert spread.max() < 1e-5


def test_all_weight_on_one_member_gives_that_member_again(bodies):
    truth = true_people(SEQUENCES[:2], each=2)
    people = noisy(truth, (0.1, 0.3))
    weights = equal_weights(2, 24)
    for row in (*weights.shape, weights.turn, weights.pelvis):
        row[:] = (1, 0)
    found = stack(people, bodies, lambda _: weights, np.zeros(len(people), int))
    assert found.refit_mm.max() < 0.5
    np.testing.assert_allclose(found.people.trans[0], people.trans[0], atol=2e-3)
    np.testing.assert_allclose(found.spread_mm, 0, atol=1e-2)
