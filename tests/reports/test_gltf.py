"""GLB files, read back by another reader and skinned by their own skeleton, against the body model."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from gltf_reader import Glb
from scipy.spatial.transform import Rotation

from rhobin.body.joints import SMPLH_NAMES, SMPLH_PARENTS
from rhobin.body.load import load_body
from rhobin.objects.load import load_templates
from rhobin.reports.gltf.person import GltfPerson
from rhobin.reports.gltf.rigid import GltfObject
from rhobin.reports.gltf.scene import GltfScene, to_glb

FRAME = "camera of the photograph: x right, y down, z forward, metres"
HALF_TURN = np.diag([1.0, -1.0, -1.0])  # glTF's frame: y up, the camera looks along -z
TIMES = np.arange(10) / 25 + 0.4
SEEN = np.array([0, 1, 2, 5, 6, 7, 9])


@pytest.fixture(scope="module")
def chair():
    return load_templates()["chairwood"]


def random_person(n, gender="male", seed=0, spread=0.5, **more):
    rng = np.random.default_rng(seed)
    theta = Rotation.from_rotvec(rng.normal(scale=spread, size=(52 * n, 3))).as_matrix().reshape(n, 52, 3, 3)
    theta[:, 0] = Rotation.random(n, random_state=rng).as_matrix()
    trans = rng.normal(size=(n, 3)) + np.array([0, 0, 3])
    return GltfPerson(load_body(gender), rng.normal(size=10), theta, trans, **more)


def random_object(template, n, seed=1, **more):
    rng = np.random.default_rng(seed)
    R = Rotation.random(n, random_state=rng).as_matrix()
    return GltfObject(
        template.verts, template.faces, R, rng.normal(size=(n, 3)) + np.array([0, 0, 2]), **more
    )


def posed(person):
    """Vertices (N, V, 3) and joints (N, 52, 3) of the body model, camera's frame."""
    beta = np.tile(person.beta, (len(person.theta), 1))
    theta, beta, trans = (
        torch.tensor(np.asarray(x), dtype=torch.float64) for x in (person.theta, beta, person.trans)
    )
    output = load_body(person.body.gender, dtype=torch.float64)(theta, beta, trans)
    return output.verts.numpy(), output.joints.numpy()


def placed(item, n):
    return item.scale * item.verts @ item.R[n].T + item.t[n]


def farthest(found, expected):
    return np.linalg.norm(found @ HALF_TURN - expected, axis=-1).max()


@pytest.mark.parametrize(("gender", "seed"), [("male", 0), ("female", 1), ("neutral", 2)])
def test_a_photograph_has_the_mesh_of_the_body_model(gender, seed, chair):
    person, item = random_person(1, gender, seed), random_object(chair, 1, seed, scale=1.2)
    glb = Glb(to_glb(GltfScene(FRAME, person, item)))
    verts, faces = glb.mesh("person")
    assert farthest(verts, posed(person)[0][0]) < 1e-5
    assert (faces == person.body.faces.numpy()).all()
    verts, faces = glb.mesh("object")
    assert farthest(verts[faces], placed(item, 0)[chair.faces]) < 1e-6
    assert "animations" not in glb.tree
    assert glb.tree["nodes"][glb.nodes["person"]]["extras"]["pose_correctives"] == "baked of this pose"


def test_the_frame_is_said_and_turned_by_one_node():
    glb = Glb(to_glb(GltfScene(FRAME, random_person(1))))
    root = glb.tree["nodes"][glb.nodes["camera_frame"]]
    assert glb.tree["asset"]["extras"]["frame"] == root["extras"]["frame"] == FRAME
    assert np.allclose(glb.world(glb.nodes["camera_frame"])[:3, :3], HALF_TURN)
    assert glb.parents[glb.nodes["pelvis"]] == glb.nodes["camera_frame"]


def test_the_skeleton_is_that_of_smplh_and_no_weight_is_lost():
    person = random_person(1)
    glb = Glb(to_glb(GltfScene(FRAME, person)))
    joints = [glb.nodes[name] for name in SMPLH_NAMES]
    assert glb.tree["skins"][0]["joints"] == joints
    assert [glb.parents[j] for j in joints[1:]] == [joints[p] for p in SMPLH_PARENTS[1:]]
    at = np.array([glb.world(j)[:3, 3] for j in joints])
    assert farthest(at, posed(person)[1][0]) < 1e-5
    expected = person.body.skin.matrix().toarray()
    assert ((expected > 0).sum(axis=1) > 4).any()
    assert np.abs(glb.weights("person") - expected).max() < 1e-6


def test_normals_point_out_and_have_length_one(chair):
    glb = Glb(to_glb(GltfScene(FRAME, random_person(1), random_object(chair, 1))))
    for mesh in glb.tree["meshes"]:
        attributes = mesh["primitives"][0]["attributes"]
        verts, normals = glb.array(attributes["POSITION"]), glb.array(attributes["NORMAL"])
        assert np.abs(np.linalg.norm(normals, axis=1) - 1).max() < 1e-6
        corners = verts[glb.array(mesh["primitives"][0]["indices"]).reshape(-1, 3)]
        cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        faces = glb.array(mesh["primitives"][0]["indices"]).reshape(-1, 3)
        assert (np.einsum("fk,fck->fc", cross, normals[faces]) > 0).mean() > 0.99


@pytest.fixture(scope="module")
def video(chair):
    """A person in seven of ten frames and an object in the last eight."""
    person = random_person(len(SEEN), frames=SEEN)
    item = random_object(chair, 8, frames=np.arange(2, 10))
    return person, item, Glb(to_glb(GltfScene(FRAME, person, item, TIMES)))


def test_a_video_has_the_meshes_of_its_frames(video):
    person, item, glb = video
    told = glb.tree["nodes"][glb.nodes["person"]]["extras"]["pose_correctives_left_out_mm"]
    assert told <= 0.5
    expected = posed(person)[0]
    for n, frame in enumerate(SEEN):
        verts, _ = glb.mesh("person", TIMES[frame])
        assert farthest(verts, expected[n]) < 1e-3 * told + 1e-5
    for n, frame in enumerate(item.frames):
        verts, faces = glb.mesh("object", TIMES[frame])
        assert farthest(verts[faces], placed(item, n)[item.faces]) < 1e-5


def test_a_gap_is_held_and_told(video):
    _, _, glb = video
    last, _ = glb.mesh("person", TIMES[2])
    for frame in (3, 4):
        assert np.abs(glb.mesh("person", TIMES[frame])[0] - last).max() < 1e-4
    extras = glb.tree["animations"][0]["extras"]
    spans = extras["seconds_without_prediction"]
    assert np.allclose(spans["person"], [[TIMES[3], TIMES[4]], [TIMES[8], TIMES[8]]])
    assert np.allclose(spans["object"], [[TIMES[0], TIMES[1]]])
    assert "held" in extras["gaps"]


def test_between_frames_joints_turn_the_short_way(video):
    person, _, glb = video
    middle = (TIMES[5] + TIMES[6]) / 2
    for joint in (0, 18):
        first, second = person.theta[3, joint], person.theta[4, joint]
        half = Rotation.from_matrix(second @ first.T).as_rotvec() / 2
        expected = Rotation.from_rotvec(half).as_matrix() @ first
        quat = glb.animated(glb.nodes[SMPLH_NAMES[joint]], "rotation", middle)
        assert np.allclose(Rotation.from_quat(quat).as_matrix(), expected, atol=1e-4)
    outputs = [
        glb.array(glb.tree["animations"][0]["samplers"][c["sampler"]]["output"])
        for c in glb.tree["animations"][0]["channels"]
        if c["target"]["path"] == "rotation"
    ]
    assert all((np.einsum("nk,nk->n", q[1:], q[:-1]) >= 0).all() for q in outputs)


def test_key_frames_tell_their_bounds_and_still_joints_have_none(video):
    person, _, glb = video
    for sampler in glb.tree["animations"][0]["samplers"]:
        entry, times = glb.tree["accessors"][sampler["input"]], glb.array(sampler["input"])
        assert entry["min"] == [times[0]]
        assert entry["max"] == [times[-1]]
        assert (np.diff(times) > 0).all()
    still = replace(person, theta=np.repeat(person.theta[:1], len(SEEN), axis=0))
    channels = Glb(to_glb(GltfScene(FRAME, still, None, TIMES))).tree["animations"][0]["channels"]
    assert [c["target"]["path"] for c in channels] == ["translation"]


def test_morph_weights_stay_where_blender_lets_them(video):
    _, _, glb = video
    node = glb.nodes["person"]
    weights = np.array([glb.animated(node, "weights", t) for t in TIMES])
    assert weights.shape[1] > 0
    assert weights.min() >= 0
    assert weights.max() <= 1
    assert np.allclose(glb.tree["meshes"][0]["weights"], weights[0])


@pytest.mark.parametrize(("triangles", "dtype"), [(21845, np.uint16), (21846, np.uint32)])
def test_indices_are_as_long_as_the_largest_needs(triangles, dtype):
    verts = np.random.default_rng(0).normal(size=(3 * triangles, 3))
    faces = np.arange(3 * triangles).reshape(-1, 3)
    item = GltfObject(verts, faces, np.eye(3)[None], np.zeros((1, 3)))
    verts_found, faces_found = Glb(to_glb(GltfScene(FRAME, None, item))).mesh("object")
    assert faces_found.dtype == dtype
    assert farthest(verts_found[faces_found], verts[faces]) < 1e-6
