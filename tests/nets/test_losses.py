"""Loss terms against recorded values and gradients of HybrIK's criterion."""

import pytest
import torch

from rhobin.nets.losses import laplace, masked_square, weighted_l1, weighted_mean

CELLS = 64  # HybrIK multiplies heatmap coordinates by this before taking differences


@pytest.fixture
def recorded(oracle):
    return {key: torch.from_numpy(value) for key, value in oracle("hybrik_losses").items() if value.ndim} | {
        key: value.item() for key, value in oracle("hybrik_losses").items() if not value.ndim
    }


def _coordinates(*values):
    """Each of the 87 coordinates as a keypoint of its own, since weights differ between them."""
    return [value[..., None] for value in values]


def test_bare_terms(recorded):
    pred, target = _coordinates(recorded["fn/input"], recorded["fn/target"])
    weight, sigma = recorded["fn/weight"], recorded["fn/sigma"].squeeze(-1).repeat_interleave(3, dim=1)
    total = weight.sum().item()
    for found, name in (
        (CELLS * weighted_l1(pred, target, weight), "weighted_l1"),
        (laplace(pred, sigma, target, weight), "weighted_laplace"),
    ):
        assert found.item() == pytest.approx(recorded[f"fn/{name}/avg1"], rel=1e-9)
        assert found.item() * total == pytest.approx(recorded[f"fn/{name}/avg0"], rel=1e-9)
    assert weighted_l1(pred, target, 0 * weight).item() == recorded["fn/weighted_l1_zero_weight/avg1"]


@pytest.mark.parametrize(
    ("name", "camera", "moved"),
    [
        ("L1LossDimSMPL", False, False),
        ("L1LossDimSMPLCam_notrans", True, False),
        ("L1LossDimSMPLCam", True, True),
        ("LaplaceLossDimSMPLCam", True, False),
        ("LaplaceLossDimSMPLCam_trans", True, True),
    ],
)
def test_the_terms_add_up_to_hybriks_criteria(recorded, name, camera, moved):
    out = {key: recorded[f"out/{key}"].clone().requires_grad_() for key in
           ("pred_uvd_jts", "pred_sigma", "pred_phi", "cam_scale")}  # fmt: skip
    label = {key.removeprefix("label/"): value for key, value in recorded.items() if key.startswith("label/")}
    uvd, target = _coordinates(out["pred_uvd_jts"], label["target_uvd_29"])
    weight = label["target_weight_29"]
    known = label["target_smpl_weight"]
    if name.startswith("Laplace"):
        points = laplace(uvd, out["pred_sigma"].squeeze(-1).repeat_interleave(3, dim=1), target, weight)
    else:
        points = CELLS * weighted_l1(uvd, target, weight)
    loss = recorded["weight/UVD24_WEIGHT"] * points
    for share, pred, truth, mask in (
        ("BETA", recorded["out/pred_shape"], label["target_beta"], known.expand(5, 10)),
        (
            "THETA",
            recorded["out/pred_theta_mats"],
            label["target_theta"],
            known * label["target_theta_weight"],
        ),
        ("TWIST", out["pred_phi"], label["target_twist"], label["target_twist_weight"]),
    ):
        loss = loss + recorded[f"weight/{share}_WEIGHT"] * masked_square(pred, truth, mask)
    solvable = (weight.sum(1, keepdim=True) > 3).double()  # a camera needs more than three coordinates
    if camera:
        loss = loss + masked_square(out["cam_scale"], label["camera_scale"], solvable)
    if moved:
        loss = loss + masked_square(recorded["out/cam_trans"], label["camera_trans"], solvable.expand(5, 2))
    assert loss.item() == pytest.approx(recorded[f"loss/{name}"], rel=1e-9)
    loss.backward()
    for key, value in out.items():
        if f"grad/{name}/{key}" in recorded:
            torch.testing.assert_close(value.grad, recorded[f"grad/{name}/{key}"], rtol=1e-9, atol=1e-12)
        else:
            assert value.grad is None


def test_absent_entries_count_as_hits_but_not_in_weighted_means():
    pred = torch.tensor([1.0, 2.0], requires_grad=True)
    weight = torch.tensor([1.0, 0.0])
    value = masked_square(pred, torch.tensor([0.0, float("nan")]), weight)
    value.backward()
    assert value.item() == 0.5
    assert pred.grad.tolist() == [1.0, 0.0]
    assert weighted_mean(torch.tensor([1.0, 5.0]), weight).item() == 1
