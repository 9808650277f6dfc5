"""The pose of drawn coordinates is the pose they were drawn at, and is compared under symmetries."""

import time
from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from rhobin.data.targets.maps import MapConfig, ObjectMapper
from rhobin.geometry.camera import crop_intrinsics, project
from rhobin.objects.catalogue import built_in
from rhobin.objects.pnp_check import pnp_check, pose_difference
from rhobin.objects.symmetry import offsets

KINECT = np.array([[979.784, 0, 1018.952], [0, 979.84, 779.486], [0, 0, 1]])
NAMES = ("chairblack", "keyboard", "stool", "trashbin", "yogaball", "boxlong", "tablesquare", "monitor")
WHITE = np.full((256, 256), 255, np.uint8)


def drawn(shape="box", stride=4):
    """Maps of a view of each object as arrays, and the poses."""
    templates = [built_in(name) for name in NAMES]
    mapper = ObjectMapper(dict(enumerate(templates)), MapConfig(nocs=shape, stride=stride))
    rng, maps, poses = np.random.default_rng(0), [], []
    for index, template in enumerate(templates):
        R, t = Rotation.random(random_state=rng).as_matrix(), np.array([rng.uniform(-0.6, 0.6), 0.1, 2.4])
        pixels = project(template.verts @ R.T + t, KINECT)
        side = 1.5 * float(np.ptp(pixels, axis=0).max())
        K = crop_intrinsics(KINECT, (pixels.min(axis=0) + pixels.max(axis=0)) / 2, side, 256)
        maps.append(mapper(index, R, t, K, WHITE))
        poses.append((R, t))
    stack = [np.stack([getattr(m, name).numpy() for m in maps]) for name in ("nocs", "visible", "box", "K")]
    R, t = (np.stack(part) for part in zip(*poses, strict=True))
    return stack[0], stack[1] > 0, stack[2], stack[3], R, t, templates


@pytest.mark.parametrize("shape", ["box", "cube"])
@pytest.mark.parametrize("stride", [4, 8])
def test_drawn_coordinates_give_the_pose_they_were_drawn_at(shape, stride):
    check = pnp_check(*drawn(shape, stride))
    assert (check.inliers == 1).all()
    assert check.turn_deg.max() < 0.01  # float32 coordinates over crops of 64 pixels
    assert check.shift_mm.max() < 0.5
    assert check.confidence.min() > 0.98


def test_a_third_of_wrong_pixels_leaves_the_pose():
    nocs, *others = drawn()
    rng = np.random.default_rng(1)
    wrong = rng.random(nocs.shape[:1] + nocs.shape[2:]) < 0.3
    nocs = np.where(wrong[:, None], rng.random(nocs.shape), nocs)
    check = pnp_check(nocs, *others)
    assert check.turn_deg.max() < 2.0
    assert check.shift_mm.max() < 40.0
    assert ((check.inliers > 0.65) & (check.inliers < 0.8)).all()


def test_disagreement_is_that_of_the_direct_pose():
    *maps, R, t, templates = drawn()
    turned = Rotation.from_euler("x", 25, degrees=True).as_matrix()
    chair = pnp_check(*maps, turned @ R, t + np.array([0.03, 0, 0.04]), templates)
    assert chair.turn_deg[0] == pytest.approx(25, abs=0.01)
    assert chair.shift_mm[0] == pytest.approx(50, abs=0.5)
    assert chair.inliers[0] == 1
    share = 50 / (1000 * templates[0].diameter)
    assert chair.confidence[0] == pytest.approx(1 / (1 + 25 / 15 + share / 0.15), abs=1e-3)


def off_centre(name, shift):
    """A template whose symmetries turn about another point than its origin."""
    template = built_in(name)
    centre = template.centre + shift
    return replace(template, centre=centre, symmetry_offsets=offsets(template.symmetries, centre))


@pytest.mark.parametrize("shift", [0.0, np.array([0.1, 0.2, -0.3])])
@pytest.mark.parametrize("name", NAMES)
def test_equivalent_poses_do_not_disagree(name, shift):
    template, rng = off_centre(name, shift), np.random.default_rng(2)
    R, t = Rotation.random(random_state=rng).as_matrix(), np.array([0.2, 0.1, 2.0])
    for turn, offset in zip(template.symmetries, template.symmetry_offsets, strict=True):
        angle, shift = pose_difference(template, (R, t), (R @ turn, R @ offset + t))
        assert angle < 1e-4
        assert shift < 1e-6


def test_the_closed_form_is_never_above_the_listed_symmetries():
    rng = np.random.default_rng(3)
    for name in NAMES:
        template = built_in(name)
        R, Q = (Rotation.random(random_state=rng).as_matrix() for _ in range(2))
        listed = [np.degrees(Rotation.from_matrix(Q.T @ R @ S).magnitude()) for S in template.symmetries]
        angle, _ = pose_difference(template, (R, np.zeros(3)), (Q, np.zeros(3)))
        assert angle <= min(listed) + 1e-4
        if template.group.order and not template.group.sphere:
            assert angle == pytest.approx(min(listed), abs=1e-4)


def test_a_view_without_a_mask_has_no_pose_and_leaves_the_others():
    nocs, mask, *others = drawn()
    mask[2] = False
    check = pnp_check(nocs, mask, *others)
    assert check.inliers[2] == check.confidence[2] == 0
    assert np.isnan([check.turn_deg[2], *check.R[2].flat]).all()
    assert np.isfinite(np.delete(check.turn_deg, 2)).all()


def test_a_view_takes_milliseconds():
    views = drawn()
    pnp_check(*views)
    began = time.perf_counter()
    for _ in range(3):
        pnp_check(*views)
    assert (time.perf_counter() - began) / (3 * len(NAMES)) < 0.03  # 1 to 3 ms on an idle core
