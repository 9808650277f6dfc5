"""G2DR's parts against GDR-Net's own code: rotations, conversions, translation, losses and targets."""

import numpy as np
import pytest
import torch

from rhobin.geometry.allocentric import SiteFrame, decode_site, encode_site, to_allocentric, to_egocentric
from rhobin.geometry.rot6d import rot6d_to_rotmat, rotmat_to_rot6d
from rhobin.methods.g2dr.decode import map_rays
from rhobin.methods.g2dr.loss import coordinate_loss, point_matching, region_loss
from rhobin.methods.symmetry import AXIS, LISTED, choose

EXACT = {"rtol": 1e-9, "atol": 1e-9}  # float64 on both sides, numbers of order one, some hundred operations


def tensor(array):
    return torch.as_tensor(np.asarray(array, np.float64))


class Tables:
    """Symmetries of some objects, given by hand."""

    def __init__(self, turns, kind=LISTED, axis=(0.0, 0.0, 1.0)):
        count = len(turns)
        self.turns, self.shifts = turns[None], torch.zeros(1, count, 3, dtype=torch.float64)
        self.kind, self.axis = torch.tensor([kind]), torch.tensor([axis], dtype=torch.float64)
        self.centre = torch.zeros(1, 3, dtype=torch.float64)


def test_rot6d(oracle):
    vectors = oracle("gdr_pose")
    assert torch.allclose(rot6d_to_rotmat(tensor(vectors["rot6d"])), tensor(vectors["rot6d_to_mat"]), **EXACT)
    back = rotmat_to_rot6d(tensor(vectors["rot6d_to_mat"]))
    assert torch.allclose(back, tensor(vectors["mat_to_rot6d"]), **EXACT)
    degenerate = tensor(vectors["rot6d_degenerate"]).requires_grad_()
    matrix = rot6d_to_rotmat(degenerate)
    matrix.sum().backward()
    assert torch.isfinite(matrix).all()
    assert torch.isfinite(degenerate.grad).all()


def test_allocentric_rotations_are_those_of_the_test_path(oracle):
    """Training there adds 1e-4 to two norms; so near the optical axis only its test path is exact."""
    vectors = oracle("gdr_pose")
    R, t = tensor(vectors["R"]), tensor(vectors["t"])
    assert torch.allclose(to_egocentric(R, t), tensor(vectors["allo_to_ego_np"]), **EXACT)
    assert torch.allclose(to_allocentric(R, t), tensor(vectors["ego_to_allo_np"]), **EXACT)
    assert torch.allclose(to_egocentric(to_allocentric(R, t), t), R, **EXACT)
    assert torch.allclose(to_egocentric(R, t)[1:], tensor(vectors["allo_to_ego_torch_eps0"]), atol=1e-7)


def gdr_frame(vectors):
    scale = tensor(vectors["site/resize_ratio"])
    return SiteFrame(tensor(vectors["site/roi_center"]), tensor(vectors["site/roi_wh"]), scale)


@pytest.mark.parametrize("form", ["REL", "ABS"])
def test_site_is_decoded_as_in_gdr_net(oracle, form):
    vectors = oracle("gdr_pose")
    frame, K = gdr_frame(vectors), tensor(vectors["site/K"])
    if form == "ABS":
        frame = frame._replace(depth=torch.ones_like(frame.depth))
    depth = tensor(vectors["site/z_rel" if form == "REL" else "site/z_abs"])
    site = torch.cat([tensor(vectors["site/centroid"]), depth], dim=1)
    t = decode_site(site, K, frame)
    assert torch.allclose(t, tensor(vectors[f"site/centroid_z_{form}_allo_test/t"]), **EXACT)
    R = to_egocentric(tensor(vectors["site/R_in"]), t)
    assert torch.allclose(R, tensor(vectors[f"site/centroid_z_{form}_allo_test/R"]), **EXACT)
    assert torch.allclose(encode_site(t, K, frame), site, atol=1e-9)


def test_point_matching(oracle):
    """Its weight of 0.7 and its factor 3 on a mean over coordinates; with and without the object's size."""
    vectors = oracle("gdr_pose")
    R, pred = tensor(vectors["pm/R_gt"]), tensor(vectors["pm/R_pred"]).requires_grad_()
    points, size = tensor(vectors["pm/points"]), tensor(vectors["pm/extents"]).amax(1)
    for key, unit in (("ext1_sym0", size), ("ext0_sym0", torch.ones_like(size))):
        loss = 0.7 * point_matching(pred, R, points, unit, 1)
        (grad,) = torch.autograd.grad(loss, pred)
        assert torch.allclose(loss, tensor(vectors[f"pm/L1/r_only/{key}/loss_PM_R"]), **EXACT)
        assert torch.allclose(grad, tensor(vectors[f"pm/L1/r_only/{key}/grad_R"]), **EXACT)
    closest = tensor(vectors["pm/closest_R"])
    loss = 0.7 * point_matching(pred, closest, points, size, 1)
    assert torch.allclose(loss, tensor(vectors["pm/L1/r_only/ext1_sym1/loss_PM_R"]), **EXACT)


def test_closest_symmetric_rotation(oracle):
    """<S, R'R^> is largest for the rotation R S at the least angle, which GDR-Net takes."""
    vectors = oracle("gdr_pose")
    R, pred, names = tensor(vectors["pm/R_gt"]), tensor(vectors["pm/R_pred"]), vectors["pm/sym_assignment"]
    for row, name in enumerate(names):
        listed = [] if name == "none" else list(tensor(vectors[f"pm/sym_{name}"]))
        turns = torch.stack([torch.eye(3, dtype=torch.float64), *listed])
        S, _ = choose((R[row].mT @ pred[row])[None], torch.tensor([0]), Tables(turns))
        assert torch.allclose(R[row] @ S[0], tensor(vectors["pm/closest_R"])[row], **EXACT)


def test_a_free_axis_is_at_least_as_close_as_its_steps(oracle):
    vectors = oracle("gdr_pose")
    R, pred, names = tensor(vectors["pm/R_gt"]), tensor(vectors["pm/R_pred"]), vectors["pm/sym_assignment"]
    steps = tensor(vectors["pm/sym_continuous"])
    turn = steps[0] - steps[0].mT
    axis = torch.stack([turn[2, 1], turn[0, 2], turn[1, 0]])
    axis = axis / axis.norm()
    for row in np.flatnonzero(names == "continuous"):
        M = (R[row].mT @ pred[row])[None]
        free, _ = choose(
            M, torch.tensor([0]), Tables(torch.eye(3, dtype=torch.float64)[None], AXIS, axis.tolist())
        )
        listed, _ = choose(M, torch.tensor([0]), Tables(steps))
        ours, theirs = (free * M).sum(), (listed * M).sum()
        assert ours >= theirs
        step = 2 * np.pi / len(steps)
        assert ours - theirs <= 2 * (1 - np.cos(step)) + 1e-9  # they stop within a step of the best


def test_losses_of_maps(oracle):
    vectors = oracle("gdr_losses")
    given = {key[3:]: value for key, value in vectors.items() if key.startswith("in/")}
    visible, whole = tensor(given["gt_mask_visib"]), tensor(given["gt_mask_obj"])
    nocs = tensor(np.concatenate([given["out_x"], given["out_y"], given["out_z"]], axis=1)).requires_grad_()
    region = tensor(given["out_region"]).requires_grad_()
    labels, true = torch.as_tensor(given["gt_region"]).long(), tensor(given["gt_xyz"])
    for name, weight in (("default", visible), ("xyz_obj_region_obj", whole)):
        theirs = {
            key.split("/")[2]: float(v) for key, v in vectors.items() if key.startswith(f"loss/{name}/")
        }
        coordinates = sum(theirs[f"loss_coor_{axis}"] for axis in "xyz")
        assert np.isclose(coordinate_loss(nocs, true, weight).item(), coordinates, rtol=1e-9)
        constant = np.log(region.shape[1]) * float((1 - weight).sum() / weight.sum())
        ours = region_loss(region, labels, weight)
        assert np.isclose(ours.item() + constant, theirs["loss_region"], rtol=1e-9)
    assert np.isclose(
        float(vectors["region_background_constant"]),
        np.log(region.shape[1]) * float((1 - visible).sum() / visible.sum()),
    )
    (grad,) = torch.autograd.grad(coordinate_loss(nocs, true, visible), nocs)
    assert torch.allclose(grad[:, :1], tensor(vectors["grad/default/out_x"]), **EXACT)
    (grad,) = torch.autograd.grad(region_loss(region, labels, visible), region)
    assert torch.allclose(grad, tensor(vectors["grad/default/out_region"]), **EXACT)
    mask = tensor(given["out_mask"])[:, 0]
    theirs = float(vectors["loss/default/loss_mask"])
    assert np.isclose((mask - tensor(given["gt_mask_trunc"])).abs().mean().item(), theirs, rtol=1e-9)


def test_losses_of_translation(oracle):
    vectors = oracle("gdr_losses")
    given = {key[3:]: value for key, value in vectors.items() if key.startswith("in/")}
    ratio = tensor(given["gt_trans_ratio"])
    centre = (tensor(given["out_centroid"]) - ratio[:, :2]).abs().mean()
    depth = (tensor(given["out_trans_z"]) - ratio[:, 2]).abs().mean()
    assert np.isclose(centre.item(), float(vectors["loss/default/loss_centroid"]), rtol=1e-9)
    assert np.isclose(depth.item(), float(vectors["loss/default/loss_z"]), rtol=1e-9)


def samples(vectors):
    for sample in range(3):
        given = {k.split("/")[2]: v for k, v in vectors.items() if k.startswith(f"train{sample}/in/")}
        yield given, {k.split("/")[2]: v for k, v in vectors.items() if k.startswith(f"train{sample}/out/")}


def test_target_pose_is_gdr_nets(oracle):
    vectors = oracle("gdr_targets")
    for given, wanted in samples(vectors):
        K, t, R = tensor(given["K"])[None], tensor(given["t"])[None], tensor(given["R"])[None]
        frame = SiteFrame(
            tensor(wanted["bbox_center"])[None],
            tensor(wanted["roi_wh"])[None],
            tensor(wanted["resize_ratio"])[None],
        )
        assert np.allclose(encode_site(t, K, frame)[0], wanted["trans_ratio"], atol=1e-5)
        rot6d = rotmat_to_rot6d(to_allocentric(R, t))[0]
        assert np.allclose(rot6d, wanted["allo_rot6d"], atol=1e-5)


def test_rays_are_gdr_nets_image_coordinates(oracle):
    """Its map of image coordinates is resampled from pixels; a linear function stays itself.

    OpenCV's weights have 5 bits: a coordinate can be 1/64 pixel off. Its counting from a pixel's corner moves
    ours by half of a map pixel less half of one of the image.
    """
    vectors = oracle("gdr_targets")
    for given, wanted in samples(vectors):
        height, width = given["segmentation"].shape
        scale, size = float(wanted["resize_ratio"]), wanted["roi_coord_2d"].shape[-1]
        centre = np.asarray(wanted["bbox_center"], np.float64)
        crop = np.array(
            [[scale, 0, size / 2 - scale * centre[0]], [0, scale, size / 2 - scale * centre[1]], [0, 0, 1]]
        )
        rays = map_rays(tensor(crop @ given["K"])[None], size)[0].flatten(1)
        pixels = tensor(given["K"]) @ torch.cat([rays, torch.ones_like(rays[:1])])
        ours = (pixels[:2] / torch.tensor([[width - 1.0], [height - 1.0]])).unflatten(1, (size, size)).numpy()
        inside = ((ours > 0.02) & (ours < 0.98)).all(axis=0)
        assert inside.sum() > 10
        gap = np.abs(ours - wanted["roi_coord_2d"])[:, inside].max(axis=1)
        assert (gap <= (1 / 64 + 1e-3) / np.array([width - 1, height - 1])).all()
