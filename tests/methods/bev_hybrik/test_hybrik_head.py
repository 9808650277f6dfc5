"""HybrIK's head from heatmap logits to a placed body, against recorded output of its own code."""

from pathlib import Path

import pytest
import torch

from rhobin.body.arrays import read_arrays
from rhobin.body.ik import hybrik24
from rhobin.body.model import BodyModel
from rhobin.body.transform import flip_points, flip_twist, flip_weight
from rhobin.geometry.virtual_camera import DEPTH_RANGE, INITIAL_SCALE, back_project, box_offset, solve_scale
from rhobin.nets.flip import flip_volume
from rhobin.nets.heatmap import soft_argmax

CASES = ["train_nobbox", "train_bbox", "eval_nobbox", "eval_bbox"]
OTHERWISE = {"pred_xyz_jts_24_struct", "pred_xyz_jts_17", "maxvals"}  # of the body, below; of no use here


@pytest.fixture(scope="module")
def smpl24(oracle_folder):
    return BodyModel(read_arrays(Path(oracle_folder) / "smpl24_neutral.npz", "neutral"), torch.float64)


@pytest.fixture(scope="module")
def head(oracle):
    """The recorded arrays of numbers, as tensors."""
    return {
        key: torch.from_numpy(value)
        for key, value in oracle("hybrik_head").items()
        if value.dtype.kind == "f"
    }


def solved(head, smpl24, case, dtype):
    """Everything that the reference returns, by our functions: its keys without their case."""
    evaluated, boxed = case.startswith("eval"), case.endswith("_bbox")
    given = {key: value.to(dtype) for key, value in head.items() if "/" not in key}
    offset = box_offset(given["bboxes_xyxy"], given["img_center"]) if boxed else None
    uvd, sigma = soft_argmax(given["heatmap_logits"]), given["sigma_logit"].sigmoid()
    beta, twist = given["init_shape"] + given["delta_shape"], given["phi_raw"].unflatten(1, (23, 2))
    rest = smpl24.rest29(beta.double()).to(dtype)

    def pose(points, adaptive):
        joints = points - points[:, :1]
        theta = hybrik24(joints, rest, twist, adaptive=adaptive, compatible=True)
        return joints, theta, smpl24(theta.double(), beta.double(), torch.zeros_like(beta[:, :3]).double())

    first = scale = INITIAL_SCALE + given["cam_raw"][:, 0]
    if evaluated:
        posed = pose(back_project(uvd, scale, offset), adaptive=False)[2].joints.to(dtype)
        scale = solve_scale(posed, uvd[:, :24], scale, sigma[:, :24], offset)
    points = back_project(uvd, scale, offset)
    joints, theta, body = pose(points, adaptive=evaluated)
    return {
        "pred_uvd_jts": uvd,
        "pred_sigma": sigma[..., None],
        "pred_shape": beta,
        "pred_camera": first[:, None],
        "cam_scale": scale[:, None],
        "cam_root": points[:, 0],
        "transl": points[:, 0],  # the reference counts its solver's joints from the pelvis
        "pred_xyz_jts_29": joints / DEPTH_RANGE,
        "pred_theta_mats": theta,
    }, body


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(("dtype", "suffix"), [(torch.float64, ""), (torch.float32, "_f32")])
def test_the_head_is_hybriks(head, smpl24, case, dtype, suffix):
    found = solved(head, smpl24, case, dtype)[0]
    recorded = {key.rpartition("/")[2]: value for key, value in head.items() if key.startswith(f"{case}/")}
    names = {n.removesuffix(suffix) for n in recorded if n.endswith("_f32") == bool(suffix)} - OTHERWISE
    assert names >= {"cam_scale", "transl", "pred_theta_mats", "pred_xyz_jts_29"}
    for name in names:
        value, expected = found[name], recorded[name + suffix].view_as(found[name])
        if name == "pred_theta_mats":
            assert (value - expected).norm(dim=(-2, -1)).max() < 2e-3
        else:
            placed = name in ("cam_scale", "cam_root", "transl")
            torch.testing.assert_close(value, expected, rtol=1e-5 * placed, atol=1e-5 if placed else 1e-6)


@pytest.mark.parametrize("case", CASES)
def test_the_body_is_hybriks(head, oracle, smpl24, case):
    """The solver's joints, and those that HybrIK regresses from the skin and counts from its own pelvis."""
    body = solved(head, smpl24, case, torch.float64)[1]
    expected = DEPTH_RANGE * head[f"{case}/pred_xyz_jts_24_struct"].view(-1, 24, 3)
    assert (body.joints - body.joints[:, :1] - expected).norm(dim=-1).max() < 1e-4
    found = torch.from_numpy(oracle("smpl24_neutral")["J_regressor_h36m"]) @ body.verts
    expected = DEPTH_RANGE * head[f"{case}/pred_xyz_jts_17"].view(-1, 17, 3)
    assert (found - found[:, :1] - expected).norm(dim=-1).max() < 1e-4


def test_flips(head):
    """`flip_heatmap_shift_result` is an undefined overlap of memory and is not compared."""
    logits = head["flip_heatmap_logits_s0"]
    assert torch.equal(flip_volume(logits), head["flip_heatmap_noshift_result"])
    for name, flip in (("phi", flip_twist), ("xyz", flip_points)):
        torch.testing.assert_close(
            flip(head[f"flip_{name}_in"]), head[f"flip_{name}_out"], rtol=0, atol=1e-12
        )
    sigma = flip_weight(head["flip_sigma_in"].squeeze(-1))
    assert torch.equal(sigma, head["flip_sigma_out"].squeeze(-1))
