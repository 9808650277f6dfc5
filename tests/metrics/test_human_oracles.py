"""The human metrics against the official evaluator's and the 3DPW evaluator's recorded outputs."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from joint_reference import VARIANTS, nested
from scipy.spatial.transform import Rotation

from rhobin.metrics.human import align_joints, area_under, human_errors, recall_curve
from rhobin.metrics.human_track import score_human

NAMES = ("MPJPE", "MPJPE_PA", "PCK", "AUC", "MPJAE", "MPJAE_PA")
VARIANTS = tuple(v for v in VARIANTS if v not in ("missing_shuffled", "verts"))


@pytest.mark.parametrize("variant", VARIANTS)
def test_scores_and_frames_are_the_official_ones(variant, reference, predictions, oracle):
    out = nested(oracle(f"rhobin_out_{variant}"))["human"]
    score = score_human(reference.annotations, predictions(variant), reference.bodies)
    errors, found = score.errors, score.metrics()
    expected = dict(zip(NAMES, out["scores"], strict=True))
    assert found["PCK"] == pytest.approx(expected["PCK"], abs=1e-9)
    # distances of exactly nothing depend on the last bit: the recall at 0 mm of perfect predictions
    assert found["AUC"] == pytest.approx(expected["AUC"], abs=3e-3 if variant == "exact" else 1e-9)
    for name in ("MPJPE", "MPJPE_PA"):
        assert found[name] == pytest.approx(expected[name], abs=1e-6)
    for name in ("MPJAE", "MPJAE_PA"):
        assert found[name] == pytest.approx(expected[name], abs=1e-5)
    np.testing.assert_allclose(errors.mpjpe_mm, out["mpjpe_frame"], atol=1e-6, rtol=0)
    np.testing.assert_allclose(errors.mpjpe_pa_mm, out["mpjpe_pa_frame"], atol=1e-6, rtol=0)
    np.testing.assert_allclose(errors.joint_mm, out["errors_major"], atol=1e-6, rtol=0)
    np.testing.assert_allclose(errors.angle_deg, out["angle_part_deg"], atol=1e-5, rtol=0)
    np.testing.assert_allclose(errors.angle_pa_deg, out["angle_pa_part_deg"], atol=1e-5, rtol=0)
    np.testing.assert_allclose(errors.alignment, out["procrustes_R"], atol=1e-9)
    curve = recall_curve(errors.joint_mm, np.arange(200.0))
    first = 1 if variant == "exact" else 0
    np.testing.assert_allclose(curve[first:], out["pck_curve"][first:], atol=1e-12)
    columns = score.columns()
    assert columns["auc"].shape == (len(errors),)
    assert columns["auc"].mean() == pytest.approx(found["AUC"], abs=1e-5)  # the quadrature's own error: 5e-6


def test_3dpw_metrics(oracle):
    out = oracle("3dpw_eval")
    parts = [0, 1, 2, 4, 5, 16, 17, 18, 19]
    rotations = np.tile(np.eye(3), (20, 24, 1, 1))
    rotations[:, parts] = out["rots_pred9"]
    errors = human_errors(out["joints_pred_m"], rotations, out["joints_gt_m"], out["rots_gt24"])
    np.testing.assert_allclose(errors.mpjpe_mm, out["mpjpe_frame"], atol=1e-6, rtol=0)
    np.testing.assert_allclose(errors.mpjpe_pa_mm, out["mpjpe_pa_frame"], atol=1e-6, rtol=0)
    np.testing.assert_allclose(errors.joint_mm, out["errors_major_mm"], atol=1e-6, rtol=0)
    regular = out["regular_frames"]
    np.testing.assert_allclose(errors.angle_deg[regular], out["angle_part_deg"][regular], atol=1e-5)
    np.testing.assert_allclose(errors.angle_pa_deg[regular], out["angle_pa_part_deg"][regular], atol=1e-5)
    # 10 is mirrored, 12 all zero: the official answers are a proper rotation and the identity
    usual = [*regular, 12]
    np.testing.assert_allclose(errors.alignment[usual], out["procrustes_R"][usual], atol=1e-8)
    curve = recall_curve(errors.joint_mm, np.arange(200.0))
    np.testing.assert_allclose(curve, out["pck_curve"], atol=1e-12)
    kept = errors.take(regular)
    named = dict(zip(out["score_names"], out["scores_regular"], strict=True))
    assert kept.mpjpe_mm.mean() == pytest.approx(named["MPJPE"], abs=1e-6)
    assert kept.angle_deg.mean() == pytest.approx(named["MPJAE"], abs=1e-5)
    auc = area_under(recall_curve(kept.joint_mm, np.arange(200.0)))
    assert auc == pytest.approx(named["AUC"], abs=1e-5)


def test_similarity_transform_of_3dpw(oracle):
    out = oracle("3dpw_eval")
    X, Y = (torch.from_numpy(out[f"procrustes/{k}"]) for k in "XY")
    R, t, scale = align_joints(X, Y)
    aligned = scale[:, None, None] * X @ R.mT + t[:, None]
    np.testing.assert_allclose(aligned, out["procrustes/X_aligned"], atol=1e-8)
    np.testing.assert_allclose(R, out["procrustes/R"], atol=1e-8)


def golden(reflect: bool = False):
    n, j, k = np.ogrid[0:3, 0:24, 0:3]
    target = 0.3 * np.sin(1 + 0.7 * n + 1.3 * j + 2.1 * k + 0.37 * j * k)
    turn = rotations(np.array([0.1, -0.2, 0.05]))
    noise = 0.02 * np.cos(0.5 + 1.1 * n + 0.9 * j + 1.7 * k)
    pred = 1.02 * target @ turn.T + noise + np.array([0.1, 0, -0.2])
    n, j = np.mgrid[0:3, 0:24]
    target_R = rotations(
        np.stack([0.5 * np.sin(n + j), 0.4 * np.cos(n + 2 * j), 0.3 * np.sin(2 * n + j)], -1)
    )
    pred_R = rotations(np.stack([0.1 * np.cos(j), 0.05 * np.sin(n), np.full(n.shape, 0.08)], -1)) @ target_R
    return (target * [-1, 1, 1] if reflect else pred), pred_R, target, target_R


def rotations(rotvec: np.ndarray) -> np.ndarray:
    return Rotation.from_rotvec(rotvec.reshape(-1, 3)).as_matrix().reshape(*rotvec.shape, 3)


def test_values_of_the_official_functions_on_a_closed_form_input():
    errors = human_errors(*golden())
    assert errors.mpjpe_mm.mean() == pytest.approx(83.859555, abs=1e-6)
    assert errors.mpjpe_pa_mm.mean() == pytest.approx(23.315974, abs=1e-6)
    assert errors.angle_deg.mean() == pytest.approx(6.347414, abs=1e-6)
    assert errors.angle_pa_deg.mean() == pytest.approx(14.323816, abs=1e-6)
    assert 100 * recall_curve(errors.joint_mm, np.array([50.0]))[0] == pytest.approx(13.888889, abs=1e-6)
    assert area_under(recall_curve(errors.joint_mm, np.arange(200.0))) == pytest.approx(0.5597471, abs=1e-5)


def test_a_mirrored_body_does_not_align_to_zero_error():
    errors = human_errors(*golden(reflect=True))
    assert errors.mpjpe_mm.mean() == pytest.approx(534.513902, abs=1e-5)
    assert errors.mpjpe_pa_mm.mean() == pytest.approx(271.448077, abs=1e-5)
    np.testing.assert_allclose(np.linalg.det(errors.alignment), 1.0)


def test_torch_and_numpy_inputs_agree():
    arrays = golden()
    from_numpy = human_errors(*arrays)
    from_torch = human_errors(*(torch.from_numpy(a) for a in arrays))
    for name, values in vars(from_numpy).items():
        np.testing.assert_array_equal(values, getattr(from_torch, name))


def test_exactly_fifty_millimetres_counts_officially_and_not_in_the_paper():
    errors = np.array([[50.0, 49.0, 51.0, 50.0]])
    assert recall_curve(errors, np.array([50.0]))[0] == 0.75
    assert recall_curve(errors, np.array([50.0]), inclusive=False)[0] == 0.25
    assert recall_curve(errors, np.array([50.0]), missing=2)[0] == 0.25
