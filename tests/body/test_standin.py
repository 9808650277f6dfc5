"""The shipped stand-in bodies: format, symmetry, shape range, and equality with smplx."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import smplx
import torch
import trimesh
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation
from smplx.joint_names import SMPLH_JOINT_NAMES
from smplx.utils import Struct
from smplx.vertex_ids import vertex_ids

import rhobin.body
from rhobin.body.load import load_body

ASSETS = Path(rhobin.body.__file__).parent / "assets"
GENDERS = ("male", "female", "neutral")
MIRROR = np.array([-1.0, 1.0, 1.0])
REPORT = json.loads((ASSETS / "standin.json").read_text())
HEIGHTS = {
    "male": (1.74, 1.50, 1.98),
    "female": (1.62, 1.40, 1.84),
    "neutral": (1.69, 1.40, 1.98),
}  # mean, range
MASSES = {"male": (73.7, 45, 115), "female": (55.5, 30, 90), "neutral": (64.9, 33, 112)}
SHAPES = {
    "v_template": ((6890, 3), "float32"),
    "shapedirs": ((6890, 3, 10), "float16"),
    "posedirs": ((6890, 3, 459), "float16"),
    "J_regressor": ((52, 6890), "float32"),
    "weights": ((6890, 52), "float16"),
    "f": ((13776, 3), "uint16"),
    "kintree_table": ((2, 52), "int64"),
    "hands_meanl": ((45,), "float32"),
    "hands_meanr": ((45,), "float32"),
    "hands_componentsl": ((45, 45), "float32"),
    "hands_componentsr": ((45, 45), "float32"),
    "leaf_vertices": ((5,), "int64"),
}


def other_side() -> np.ndarray:
    """(52,) counterpart of every joint, from smplx's own list of SMPL-H names."""
    names = SMPLH_JOINT_NAMES[:52]
    flip = {"left": "right", "right": "left"}
    sides = [name.partition("_") for name in names]
    return np.array([names.index(flip.get(side, side) + bar + rest) for side, bar, rest in sides])


@pytest.fixture(scope="module", params=GENDERS)
def body(request) -> dict:
    with np.load(ASSETS / f"standin_{request.param}.npz") as file:
        arrays = {key: file[key] for key in file.files}
    wide = {k: v.astype(np.float64) if v.dtype.kind == "f" else v for k, v in arrays.items()}
    return wide | {"stored": arrays, "name": request.param}


@pytest.fixture(scope="module")
def mirrored(body) -> np.ndarray:
    """Vertex counterparts, found again from the positions."""
    distance, index = cKDTree(body["v_template"]).query(body["v_template"] * MIRROR)
    return np.where(distance < 1e-7, index, -1)


def test_holds_the_keys_types_and_identity_of_the_format(body):
    assert {key: (body["stored"][key].shape, str(body["stored"][key].dtype)) for key in SHAPES} == SHAPES
    assert str(body["model_id"]) == f"rhobin-standin-1-{body['name']}"
    assert str(body["gender"]) == body["name"]
    assert set(body["stored"]) == {*SHAPES, "model_id", "gender"}


def test_all_three_fit_into_four_megabytes():
    assert sum(path.stat().st_size for path in ASSETS.glob("standin*")) <= 4_000_000


def test_files_are_the_ones_the_record_measured(body):
    digest = hashlib.sha256((ASSETS / f"standin_{body['name']}.npz").read_bytes()).hexdigest()
    assert REPORT["models"][body["name"]]["sha256"] == digest


def test_surface_is_closed_and_encloses_an_adult(body):
    mesh = trimesh.Trimesh(body["v_template"], body["f"].astype(int), process=False)
    assert mesh.is_watertight
    assert mesh.is_winding_consistent
    assert mesh.euler_number == 2
    assert mesh.area_faces.min() > 0
    assert 0.045 < mesh.volume < 0.085  # cubic metres, positive when the normals point outwards


def test_left_and_right_are_mirror_images(body, mirrored):
    template = body["v_template"]
    assert (mirrored >= 0).all()
    assert (mirrored[mirrored] == np.arange(len(mirrored))).all()
    assert np.abs(template[mirrored] * MIRROR - template).max() < 1e-7
    other = other_side()
    assert np.abs(body["shapedirs"][mirrored] * MIRROR[:, None] - body["shapedirs"]).max() < 1e-7
    assert np.abs(body["weights"][mirrored][:, other] - body["weights"]).max() == 0
    assert np.abs(body["J_regressor"][other][:, mirrored] - body["J_regressor"]).max() < 1e-6
    joints = body["J_regressor"] @ template
    assert np.abs(joints[other] * MIRROR - joints).max() < 1e-7
    assert (mirrored[body["leaf_vertices"]] == body["leaf_vertices"][[0, 2, 1, 4, 3]]).all()


def test_pose_blend_shapes_mirror_too(body, mirrored):
    shaped = body["posedirs"].reshape(6890, 3, 51, 3, 3)
    signs = MIRROR[:, None, None, None] * MIRROR[:, None] * MIRROR
    image = shaped[mirrored][:, :, other_side()[1:] - 1] * signs
    assert np.abs(image - shaped).max() < 1e-6
    assert np.abs(shaped).max() > 0.003


def test_pose_blend_shapes_act_near_their_joint_only(body):
    joints = body["J_regressor"] @ body["v_template"]
    strength = np.abs(body["posedirs"].reshape(6890, 3, 51, 9)).max((1, 3))
    distance = np.linalg.norm(body["v_template"][:, None] - joints[1:], axis=-1)
    assert distance[strength > 0].max() < 0.35
    assert (strength[:, [17, 18]].max(0) > 0.005).all()  # elbows, where plain skinning creases most


def test_weights_are_a_partition_of_unity(body):
    weights = body["weights"]
    assert weights.min() >= 0
    assert (weights.sum(1) == 1).all()
    assert (weights > 0).sum(1).max() <= 8
    assert (weights.max(0) > 0.45).all()


def test_joints_lie_inside_the_body_and_regressor_is_tame(body):
    rows = body["J_regressor"]
    assert rows.sum(1) == pytest.approx(1, abs=1e-5)
    assert np.abs(rows).sum(1).max() < 12
    joints = rows @ body["v_template"]
    mesh = trimesh.Trimesh(body["v_template"], body["f"].astype(int), process=False)
    assert mesh.contains(joints).all()
    assert joints[0] == pytest.approx([0, -0.23, 0.03], abs=2e-3)
    noise = rows @ np.random.default_rng(0).normal(0, 5, (6890, 3))
    assert np.linalg.norm(noise, axis=1).mean() < 2


def test_stands_in_a_t_pose(body):
    joints = body["J_regressor"] @ body["v_template"]
    assert (joints[[16, 18, 20, 25], 0] > 0.1).all()
    assert np.ptp(joints[[16, 18, 20, 25], 1]) < 0.01
    assert joints[15, 1] > joints[12, 1] > joints[9, 1] > joints[0, 1] > joints[4, 1] > joints[7, 1]
    assert joints[10, 2] - joints[7, 2] > 0.1
    assert (
        joints[22, 2] > joints[25, 2] > joints[31, 2] > joints[28, 2]
    )  # index in front, little finger behind


def test_leaves_are_the_outermost_points(body):
    v, leaves = body["v_template"], body["leaf_vertices"]
    assert v[leaves[0], 1] > v[:, 1].max() - 1e-3
    assert v[leaves[1], 0] > v[:, 0].max() - 1e-3
    assert v[leaves[2], 0] < v[:, 0].min() + 1e-3
    assert (v[leaves[3:], 2] > v[:, 2].max() - 0.01).all()
    dominant = body["weights"][leaves].argmax(1)
    assert dominant.tolist() == [15, 27, 42, 10, 11]


def test_mean_hand_curls_towards_the_palm(body):
    for mean, first in ((body["hands_meanl"], 22), (body["hands_meanr"], 37)):
        pose = mean.reshape(15, 3)
        assert np.degrees(np.linalg.norm(pose, axis=1)) == pytest.approx([20] * 12 + [10] * 3, abs=1e-3)
        rest = body["J_regressor"] @ body["v_template"]
        for knuckle in (0, 3, 6, 9):
            bone = rest[first + knuckle + 1] - rest[first + knuckle]
            assert Rotation.from_rotvec(pose[knuckle]).apply(bone)[1] < bone[1] - 0.005


def test_betas_span_adults_and_beta_1_is_stature(body):
    low, high = HEIGHTS[body["name"]][1:]
    betas = np.random.default_rng(1).uniform(-2, 2, (200, 10))
    verts = body["v_template"] + np.einsum("vck,nk->nvc", body["shapedirs"], betas)
    heights = np.ptp(verts[..., 1], axis=1)
    a, b, c = (verts[:, body["f"].astype(int)[:, k]] for k in range(3))
    masses = 985 * np.einsum("nfi,nfi->n", a, np.cross(b, c)) / 6
    assert low < heights.min() < heights.max() < high
    assert MASSES[body["name"]][1] < masses.min() < masses.max() < MASSES[body["name"]][2]
    assert np.ptp(body["v_template"][:, 1]) == pytest.approx(HEIGHTS[body["name"]][0], abs=0.03)
    slope = np.linalg.lstsq(np.column_stack([betas, np.ones(200)]), heights, rcond=None)[0]
    assert slope[0] > 0.04
    assert slope[0] > 2 * np.abs(slope[1:10]).max()


def test_pelvis_moves_with_shape(body):
    pelvis = np.einsum("v,vck->ck", body["J_regressor"][0], body["shapedirs"])
    assert 0.002 < np.linalg.norm(pelvis[1]) < 0.03


@pytest.fixture(scope="module")
def reference(body):
    return smplx.SMPLH(
        model_path="",
        data_struct=Struct(**body["stored"]),
        gender=body["name"],
        use_pca=False,
        flat_hand_mean=True,
        batch_size=4,
        vertex_ids=dict.fromkeys(vertex_ids["smplh"], 0),
    )


def test_agrees_with_smplx(body, reference):
    rng = np.random.default_rng(2)
    pose = torch.tensor(rng.normal(0, 0.4, (4, 52, 3)), dtype=torch.float32)
    beta = torch.tensor(rng.normal(0, 1.5, (4, 10)), dtype=torch.float32)
    trans = torch.tensor(rng.normal(0, 1, (4, 3)), dtype=torch.float32)
    out = reference(
        betas=beta,
        transl=trans,
        global_orient=pose[:, 0],
        body_pose=pose[:, 1:22].flatten(1),
        left_hand_pose=pose[:, 22:37].flatten(1),
        right_hand_pose=pose[:, 37:].flatten(1),
    )
    matrices = torch.tensor(Rotation.from_rotvec(pose.reshape(-1, 3)).as_matrix(), dtype=torch.float32)
    ours = load_body(body["name"])(matrices.reshape(4, 52, 3, 3), beta, trans)
    assert torch.linalg.norm(out.vertices - ours.verts, dim=-1).max() < 2e-6
    assert torch.linalg.norm(out.joints[:, :52] - ours.joints, dim=-1).max() < 2e-6


def test_record_meets_the_figures_it_was_built_for():
    assert REPORT["removed_vertices_to_surface"]["p99"] < 1.0
    for gender, model in REPORT["models"].items():
        assert model["explained_variance"] > 0.997
        assert model["regressor"]["mean"] < 2.0
        assert model["skinning_six_poses"]["plain"]["p99"] < 18
        assert model["skinning_six_poses"]["corrected"]["p99"] <= 5.3
        assert model["skinning_random_poses"]["corrected"]["p99"] <= 5.3
        residual = model["shape_residual"]["mean"]
        assert residual < (1.8 if gender == "neutral" else 1.0)
        assert model["skinning_six_poses"]["corrected"]["mean"] < residual + 0.3
        assert model["height_m"][1] == pytest.approx(HEIGHTS[gender][0], abs=0.02)
        assert model["mass_kg"][1] == pytest.approx(MASSES[gender][0], abs=2)
