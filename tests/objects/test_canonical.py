"""Equivalent poses get one label, the nearest one, and the picture stays."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from rhobin.geometry.backend import rasterise
from rhobin.objects.canonical import FACING, canonical_pose, nearest_member
from rhobin.objects.catalogue import built_in
from rhobin.objects.names import OBJECT_NAMES
from rhobin.objects.symmetry import ASYMMETRIC, BALL, CUBOID, SymmetryGroup

seeds = st.integers(0, 2**32 - 1)


def pose(rng):
    return Rotation.random(random_state=rng).as_matrix(), rng.normal((0, 0, 2.5), 0.3)


def any_member(group, rng):
    """A random rotation of a group, between its listed steps too where it is continuous."""
    if group.sphere:
        return Rotation.random(random_state=rng).as_matrix()
    listed = group.rotations()
    member = listed[rng.integers(len(listed))]
    if group.order:
        return member
    return Rotation.from_rotvec(rng.uniform(-3, 3) * np.asarray(group.axis)).as_matrix() @ member


@given(st.sampled_from(OBJECT_NAMES), seeds)
@settings(max_examples=60, deadline=None)
def test_every_equivalent_pose_gets_the_same_label(name, seed):
    rng = np.random.default_rng(seed)
    template = built_in(name)
    R, t = pose(rng)
    S = any_member(template.group, rng)
    s = template.centre - S @ template.centre
    first, second = canonical_pose(template, R, t), canonical_pose(template, R @ S, R @ s + t)
    np.testing.assert_allclose(first[0], second[0], atol=1e-7)
    np.testing.assert_allclose(first[1], second[1], atol=1e-7)
    again = canonical_pose(template, *first)
    np.testing.assert_allclose(first[0], again[0], atol=1e-7)


@given(st.sampled_from(OBJECT_NAMES), seeds)
@settings(max_examples=40, deadline=None)
def test_no_equivalent_pose_is_nearer_to_facing_the_camera(name, seed):
    rng = np.random.default_rng(seed)
    template = built_in(name)
    R, t = pose(rng)
    angle = Rotation.from_matrix(FACING.T @ canonical_pose(template, R, t)[0]).magnitude()
    others = [R @ any_member(template.group, rng) for _ in range(30)]
    others += list(R @ template.symmetries)
    assert angle <= Rotation.from_matrix(FACING.T @ np.array(others)).magnitude().min() + 1e-5


@pytest.mark.parametrize("name", ["boxlong", "trashbin", "stool", "tablesquare", "yogamat", "basketball"])
def test_the_silhouette_and_the_depth_stay(name):
    template, rng = built_in(name), np.random.default_rng(3)
    K = np.array([[150.0, 0, 31.5], [0, 150, 31.5], [0, 0, 1]])
    changed = canonical_pose(template, pose(rng)[0], np.array([0.05, -0.1, 2.6]))
    S = any_member(template.group, rng)
    R, t = changed[0] @ S, changed[0] @ (template.centre - S @ template.centre) + changed[1]
    assert np.abs(changed[0] - R).max() > 0.1
    drawn = []
    for rotation, shift in ((R, t), changed):
        mesh = template.verts @ rotation.T + shift, template.faces
        drawn.append(rasterise([mesh], K, 64, 64, "cpu").distance)
    shown = [np.isfinite(depth) for depth in drawn]
    assert shown[0].sum() > 80
    edge = 4 * shown[0].sum() ** 0.5
    assert (shown[0] != shown[1]).sum() < 0.05 * edge  # facets of round objects
    both = shown[0] & shown[1]
    gap = np.abs(drawn[0][both] - drawn[1][both])
    assert np.median(gap) < 2e-3
    assert (gap > 0.01 * template.diameter).mean() < 0.02


def test_an_asymmetric_object_keeps_its_pose():
    R, t = pose(np.random.default_rng(0))
    for given_pose, answer in zip((R, t), canonical_pose(built_in("chairwood"), R, t), strict=True):
        np.testing.assert_array_equal(given_pose, answer)


def test_symmetries_known_only_as_a_list_count_too():
    """As where `ref.pkl` lists others than the closed form knows."""
    template, rng = built_in("tablesquare"), np.random.default_rng(5)
    listed = replace(template, group=ASYMMETRIC)
    for _ in range(5):
        R, t = pose(rng)
        for a, b in zip(canonical_pose(template, R, t), canonical_pose(listed, R, t), strict=True):
            np.testing.assert_array_equal(a, b)


def test_headings_of_an_upright_box_fold_into_a_half_turn():
    """What the identity as reference cannot do: to it, all headings of an upright object are equally far."""
    for heading in np.deg2rad([-170, -100, -80, 10, 80, 100, 170]):
        R = FACING @ Rotation.from_rotvec([0, heading, 0]).as_matrix()
        assert np.trace(R) == pytest.approx(-1)
        S = nearest_member(CUBOID, FACING.T @ R)
        folded = Rotation.from_matrix(FACING.T @ R @ S).as_rotvec()
        expected = (heading + np.pi / 2) % np.pi - np.pi / 2
        np.testing.assert_allclose(folded, [0, expected, 0], atol=1e-9)


def test_exact_ties_do_not_depend_on_the_pose_given():
    """A square table seen at 45 degrees is as near to one label as to another."""
    group = SymmetryGroup(order=4)
    R = Rotation.from_rotvec([0, np.pi / 4, 0]).as_matrix()
    answers = [R @ S @ nearest_member(group, R @ S) for S in group.rotations()]
    np.testing.assert_allclose(answers, np.broadcast_to(answers[0], (4, 3, 3)), atol=1e-12)


def test_a_ball_always_faces_the_camera():
    R, _ = pose(np.random.default_rng(1))
    np.testing.assert_allclose(R @ nearest_member(BALL, FACING.T @ R), FACING, atol=1e-12)
