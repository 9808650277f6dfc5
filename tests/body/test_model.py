import copy
import pickle

import numpy as np
import pytest
import smplx
import torch
from smplx.utils import Struct

from rhobin.body.arrays import read_arrays
from rhobin.body.joints import JOINTS24, SMPL_PARENTS
from rhobin.body.load import find, load_body
from rhobin.body.model import BodyModel, BodyOutput
from rhobin.body.skinning import ConstantMatrix
from rhobin.geometry.rotation import rotmat_to_rotvec, rotvec_to_rotmat


def _tensors(reference, *keys):
    return [torch.from_numpy(reference[key]) for key in keys]


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-9), (torch.float32, 1e-5)])
@pytest.mark.parametrize("gender", ["male", "female"])
def test_forward_kinematics_equal_the_official_evaluator(oracle, oracle_folder, gender, dtype, tolerance):
    reference = oracle("smplh_fk")
    poses, betas, trans = (x.to(dtype) for x in _tensors(reference, "poses156", "betas", "trans"))
    body = load_body(gender, oracle_folder, dtype)
    posed = body(rotvec_to_rotmat(poses.view(-1, 52, 3)), betas, trans)
    for name, found in (
        ("vertices", posed.verts),
        ("joints52", posed.joints),
        ("global_rots52", posed.rotations),
    ):
        np.testing.assert_allclose(found.numpy(), reference[f"{gender}/{name}"], rtol=0, atol=tolerance)


def test_the_24_joint_body_equals_hybriks(oracle, smpl24):
    reference = oracle("hybrik_fk")
    theta, beta = _tensors(reference, "rot_mats", "betas")
    posed = smpl24(theta, beta, torch.zeros(len(beta), 3, dtype=torch.float64))
    joints = posed.joints - posed.joints[:, :1]
    np.testing.assert_allclose(joints.numpy(), reference["joints_rootrel"], rtol=0, atol=1e-6)
    first = smpl24(theta[:4], beta[:4], torch.from_numpy(reference["transl_first4"]))
    np.testing.assert_allclose(first.verts.numpy(), reference["transl_vertices"], rtol=0, atol=1e-6)
    ik = oracle("hybrik_ik")
    rest = smpl24.rest29(torch.from_numpy(ik["betas"]))
    np.testing.assert_allclose(rest.numpy(), ik["rest_joints29"], rtol=0, atol=1e-6)


@pytest.mark.parametrize("gender", ["male", "female", "neutral"])
def test_vertices_equal_smplx(gender, pose):
    """The stand-in files through an independent implementation, hands flat, to 1e-5 m."""
    with np.load(find(gender, None)) as archive:
        data = {key: archive[key] for key in archive.files}
    data = {
        k: v.astype(np.float32) if v.dtype.kind == "f" else v.astype(np.int64) if v.dtype.kind in "ui" else v
        for k, v in data.items()
    }
    data["weights"] /= data["weights"].sum(1, keepdims=True)
    theirs = smplx.SMPLH(
        "",
        data_struct=Struct(**data),
        gender=gender,
        use_pca=False,
        flat_hand_mean=True,
        batch_size=5,
        vertex_ids=dict.fromkeys(smplx.vertex_ids.vertex_ids["smplh"], 0),
    )
    theta, beta, trans = pose(5, dtype=torch.float32)
    rotvec = rotmat_to_rotvec(theta).flatten(1)
    expected = theirs(
        betas=beta,
        global_orient=rotvec[:, :3],
        body_pose=rotvec[:, 3:66],
        left_hand_pose=rotvec[:, 66:111],
        right_hand_pose=rotvec[:, 111:],
        transl=trans,
    )
    posed = load_body(gender)(theta, beta, trans)
    torch.testing.assert_close(posed.verts, expected.vertices, rtol=0, atol=1e-5)
    torch.testing.assert_close(posed.joints, expected.joints[:, :52], rtol=0, atol=1e-5)


@pytest.mark.parametrize("gender", ["male", "female"])
def test_smpl_equals_smplx(gender, pose, tmp_path):
    """The stand-in with its fingers folded into SMPL's hands, as a file in SMPL's own format, to 1e-5 m."""
    arrays = read_arrays(find(gender, None), gender)
    hand = [joint if joint < 22 else 22 if joint < 37 else 23 for joint in range(52)]
    content = {
        "v_template": arrays.template,
        "shapedirs": arrays.shapedirs,
        "posedirs": arrays.posedirs[..., : 9 * 23],
        "J_regressor": arrays.regressor[list(JOINTS24)],
        "weights": arrays.weights @ np.eye(24)[hand],
        "kintree_table": np.array([[2**32 - 1, *SMPL_PARENTS[1:]], range(24)], dtype=np.int64),
        "f": arrays.faces,
    }
    path = tmp_path / f"SMPL_{gender.upper()}.pkl"
    path.write_bytes(pickle.dumps(content))
    theirs = smplx.SMPL(str(path), gender=gender, batch_size=7)
    theta, beta, trans = pose(7, joints=24, dtype=torch.float32)
    rotvec = rotmat_to_rotvec(theta).flatten(1)
    expected = theirs(betas=beta, global_orient=rotvec[:, :3], body_pose=rotvec[:, 3:], transl=trans)
    posed = load_body(gender, tmp_path, kind="smpl")(theta, beta, trans)
    torch.testing.assert_close(posed.verts, expected.vertices, rtol=0, atol=1e-5)
    torch.testing.assert_close(posed.joints, expected.joints[:, :24], rtol=0, atol=1e-5)


def test_the_root_turns_about_the_rest_pelvis(body, pose):
    theta, beta, trans = pose(4)
    still = theta.clone()
    still[:, 0] = torch.eye(3)
    pelvis = body.rest_joints(beta)[:, None, 0]
    expected = (body(still, beta, 0 * trans).verts - pelvis) @ theta[:, 0].mT + pelvis + trans[:, None]
    torch.testing.assert_close(body(theta, beta, trans).verts, expected, rtol=0, atol=1e-12)


def test_kinematics_equal_forward_without_touching_vertices(body, pose, monkeypatch):
    theta, beta, trans = pose(4)
    full = body(theta, beta, trans)

    def forbidden(*_):
        raise AssertionError("vertex work in kinematics")

    monkeypatch.setattr(ConstantMatrix, "forward", forbidden)
    bare = body.kinematics(theta, beta, trans)
    assert bare.verts is None
    torch.testing.assert_close(bare.joints, full.joints, rtol=0, atol=0)
    torch.testing.assert_close(bare.rotations, full.rotations, rtol=0, atol=0)
    with pytest.raises(AssertionError, match="vertex work"):
        body(theta, beta, trans)


def test_a_body_does_not_depend_on_its_batch(body, pose):
    """More bodies than one skinning chunk, against one at a time."""
    theta, beta, trans = pose(35)
    together = body(theta, beta, trans).verts
    alone = torch.cat([body(theta[i : i + 1], beta[i : i + 1], trans[i : i + 1]).verts for i in range(35)])
    torch.testing.assert_close(together, alone, rtol=0, atol=1e-12)


def test_sparse_and_dense_blend_shapes_agree(oracle_folder, pose, monkeypatch):
    sparse = load_body("female", oracle_folder, torch.float64)
    monkeypatch.setattr("rhobin.body.skinning.SPARSE_BELOW", 0.0)
    dense = load_body("female", oracle_folder, torch.float64)
    assert sparse.pose_blend.sparse
    assert not dense.pose_blend.sparse
    parameters = pose(3)
    torch.testing.assert_close(sparse(*parameters).verts, dense(*parameters).verts, rtol=0, atol=1e-13)


@pytest.mark.parametrize("threshold", [0.0, 1.1])
def test_gradients_equal_finite_differences(oracle_folder, pose, monkeypatch, threshold):
    monkeypatch.setattr("rhobin.body.skinning.SPARSE_BELOW", threshold)
    body = BodyModel(read_arrays(oracle_folder / "smpl24_neutral.npz", "neutral"), torch.float64)
    inputs = tuple(x.requires_grad_() for x in pose(2, joints=24))
    weight = torch.randn(2, body.n_verts, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))

    def loss(theta, beta, trans):
        posed = body(theta, beta, trans)
        return (weight * posed.verts).sum() + posed.joints.square().sum() + body.joints29(posed, beta).sum()

    assert torch.autograd.gradcheck(loss, inputs, fast_mode=True)


def test_leaves_move_rigidly_with_their_parents(body, pose):
    theta, beta, trans = pose(3)
    posed = body.kinematics(theta, beta, trans)
    rest, joints = body.rest29(beta), body.joints29(posed, beta)
    for leaf, parent, joint in zip(range(24, 29), (15, 22, 23, 10, 11), (15, 22, 37, 10, 11), strict=True):
        bone = (posed.rotations[:, joint] @ (rest[:, leaf] - rest[:, parent])[..., None]).squeeze(-1)
        torch.testing.assert_close(joints[:, leaf], joints[:, parent] + bone)
    torch.testing.assert_close(joints[:, :24], posed.joints[:, [*range(22), 22, 37]])
    shaped = body(torch.eye(3).double().expand(3, 52, 3, 3), beta, 0 * trans).verts
    torch.testing.assert_close(rest[:, 24:], shaped[:, body.leaf_vertices], rtol=0, atol=1e-12)


def test_a_body_without_leaves_says_so(small_body, pose):
    theta, beta, trans = pose(1)
    posed = small_body(theta, beta, trans)
    for call in (lambda: small_body.rest29(beta), lambda: small_body.joints29(posed, beta)):
        with pytest.raises(ValueError, match="leaf_vertices"):
            call()


def test_single_precision_stays_within_a_hundredth_of_a_millimetre(body, pose):
    single = load_body("male")
    exact = body(*pose(8))
    posed = single(*pose(8, dtype=torch.float32))
    torch.testing.assert_close(posed.verts.double(), exact.verts, rtol=0, atol=1e-5)
    torch.testing.assert_close(posed.joints.double(), exact.joints, rtol=0, atol=1e-5)


def test_mixed_precision_does_not_reach_the_body(pose):
    body = load_body("male")
    parameters = pose(2, dtype=torch.float32)
    plain = body(*parameters)
    with torch.autocast("cpu", torch.bfloat16):
        inside = body(*parameters)
        half = body.kinematics(*(x.bfloat16() for x in parameters))
        assert (parameters[0] @ parameters[0]).dtype == torch.bfloat16
    torch.testing.assert_close(inside.verts, plain.verts, rtol=0, atol=0)
    assert half.joints.dtype == torch.float32


def test_checkpoints_hold_no_body_and_copies_work(body, pose):
    assert body.state_dict() == {}
    parameters = pose(2)
    expected = body(*parameters).verts
    for twin in (copy.deepcopy(body), pickle.loads(pickle.dumps(body))):
        torch.testing.assert_close(twin(*parameters).verts, expected, rtol=0, atol=0)


def test_inputs_are_left_alone(body, pose):
    parameters = pose(2)
    before = [x.clone() for x in parameters]
    posed = body(*parameters)
    body.joints29(posed, parameters[1])
    for x, y in zip(parameters, before, strict=True):
        assert torch.equal(x, y)
    assert isinstance(posed, BodyOutput)
