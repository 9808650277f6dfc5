"""View-correct targets: every camera sees the same body, and dropping the pelvis offset is noticed."""

import cv2
import numpy as np
import pytest
import torch
from data_samples import truth_of

from rhobin.behave.read import read_release
from rhobin.body.load import load_bodies
from rhobin.body.twist import twist_targets
from rhobin.geometry.camera import project, world_to_camera
from rhobin.geometry.rotation import rotvec_to_rotmat


@pytest.fixture(scope="module")
def bodies():
    return load_bodies(dtype=torch.float64)


@pytest.fixture(scope="module")
def release(release_root):
    return read_release(release_root, "train")


@pytest.fixture(scope="module")
def targets(release, bodies):
    return truth_of(release, bodies)


def camera_verts(targets, bodies, trans):
    """Vertices of every view's body from its camera-frame parameters."""
    theta = torch.from_numpy(targets.theta[targets.frame]).double()
    theta[:, 0] = torch.from_numpy(targets.root_R).double()
    beta = torch.from_numpy(targets.beta[targets.frame]).double()
    gender = torch.from_numpy(targets.gender[targets.frame])
    return bodies(theta, beta, torch.from_numpy(trans).double(), gender).verts.numpy()


def world_verts(release, bodies):
    frames = release.frames
    theta = rotvec_to_rotmat(torch.from_numpy(frames.pose).reshape(-1, 52, 3))
    gender = torch.from_numpy(frames.gender)
    return bodies(theta, torch.from_numpy(frames.betas), torch.from_numpy(frames.trans), gender).verts.numpy()


def expected_verts(release, bodies):
    verts = world_verts(release, bodies)
    cameras = [release.cameras[i] for i in release.views.camera]
    pairs = zip(release.views.frame, cameras, strict=True)
    return np.stack([world_to_camera(verts[frame], camera) for frame, camera in pairs])


def test_parameters_in_each_camera_give_the_world_body(release, targets, bodies):
    error = np.abs(camera_verts(targets, bodies, targets.trans) - expected_verts(release, bodies))
    assert error.max() < 1e-5


def test_without_the_pelvis_offset_other_views_are_decimetres_off(release, targets, bodies):
    """What the check above catches: SMPL's translation moved like a point."""
    cameras = [release.cameras[i] for i in release.views.camera]
    trans = release.frames.trans[release.views.frame]
    naive = np.stack([world_to_camera(t, camera) for t, camera in zip(trans, cameras, strict=True)])
    error = np.abs(camera_verts(targets, bodies, naive) - expected_verts(release, bodies)).max(axis=(1, 2))
    assert error[release.views.kinect == 1].max() < 1e-5  # kinect 1 is the world
    assert error[release.views.kinect != 1].min() > 0.05


def test_joints_and_pelvis_belong_to_that_body(targets, bodies):
    theta = torch.from_numpy(targets.theta[targets.frame]).double()
    theta[:, 0] = torch.from_numpy(targets.root_R).double()
    beta = torch.from_numpy(targets.beta[targets.frame]).double()
    gender = torch.from_numpy(targets.gender[targets.frame])
    output = bodies.kinematics(theta, beta, torch.from_numpy(targets.trans).double(), gender)
    assert np.abs(bodies.joints29(output, beta, gender).numpy() - targets.joints).max() < 1e-5
    rest = bodies.rest_joints(beta, gender)[:, 0].numpy()
    assert np.abs(rest - (targets.joints[:, 0] - targets.trans)).max() < 1e-5


def test_object_and_keypoints_in_each_camera(release, targets):
    frames = release.frames
    for view, frame in enumerate(release.views.frame):
        template = release.templates[release.sequences[frames.sequence[frame]].split("_")[2]]
        camera = release.cameras[release.views.camera[view]]
        world = template.kpts @ cv2.Rodrigues(frames.obj_angle[frame])[0].T + frames.obj_trans[frame]
        assert np.abs(world_to_camera(world, camera) - targets.kpts[view]).max() < 1e-5
        again = template.kpts @ targets.obj_R[view].T + targets.obj_t[view]
        assert np.abs(again - targets.kpts[view]).max() < 1e-5


def test_projected_vertices_lie_on_the_masks_of_all_four_views(release, targets, bodies):
    verts = camera_verts(targets, bodies, targets.trans)
    for view in range(len(targets.frame)):
        camera = release.cameras[release.views.camera[view]]
        outline = np.zeros((camera.height, camera.width), np.uint8)
        pixels = np.round(project(verts[view], camera.K)).astype(np.int32)
        cv2.fillConvexPoly(outline, cv2.convexHull(pixels), 1)
        file = release.view_files(view)[1].with_name(f"k{release.views.kinect[view]}.person_full.jpg")
        mask = cv2.imread(str(file), cv2.IMREAD_GRAYSCALE) > 127
        assert (mask & (outline > 0)).sum() / (mask | (outline > 0)).sum() > 0.95


def test_twist_comes_from_the_frame(release, targets, bodies):
    theta = rotvec_to_rotmat(torch.from_numpy(release.frames.pose).reshape(-1, 52, 3))
    rest = bodies.rest29(torch.from_numpy(release.frames.betas), torch.from_numpy(release.frames.gender))
    twist, weight = twist_targets(theta, rest)
    assert np.allclose(targets.twist, twist, atol=1e-6)
    assert np.array_equal(targets.twist_weight, weight)
