"""First bodies from a run's predictions and from FrankMocap's files."""

import json
import pickle

import numpy as np
import pytest
import torch

from rhobin.body.load import load_bodies
from rhobin.geometry.rotation import rotvec_to_rotmat
from rhobin.methods.chore.known import KnownBodies
from rhobin.types import SampleKey

KEY = SampleKey("Date03_Sub03_stool_sit", "t0005.000", 1, 0)
TURN = rotvec_to_rotmat(torch.tensor([[0.0, 0.3, 0.0]]))
GENDER = torch.zeros(1, dtype=torch.long)


@pytest.fixture(scope="module")
def bodies():
    return load_bodies()


def ask(source, bodies, key=KEY):
    return KnownBodies(source)([key], TURN, GENDER, bodies)


def test_a_run_s_body_is_told_in_the_crop_s_camera(tmp_path, bodies):
    rng = np.random.default_rng(0)
    poses, betas = rng.normal(0, 0.3, (2, 156)), rng.normal(0, 1, (2, 10))
    record = {"frames": ["t0004.000", "t0005.000"], "poses": poses, "betas": betas}
    (tmp_path / "results.pkl").write_bytes(pickle.dumps({KEY.sequence: record}))
    theta, beta = ask(tmp_path, bodies)
    truth = rotvec_to_rotmat(torch.from_numpy(poses[1]).float().view(52, 3))
    assert torch.allclose(theta[0, 1:22], truth[1:22], atol=1e-6)
    assert torch.allclose(theta[0, 0], TURN[0] @ truth[0], atol=1e-6)
    assert torch.allclose(theta[:, 22:], bodies.mean_hands(GENDER))
    assert torch.allclose(beta[0], torch.from_numpy(betas[1]).float())


def test_frankmocap_s_body_is_read_beside_the_image(tmp_path, bodies):
    pose = np.random.default_rng(1).normal(0, 0.3, 72)
    folder = tmp_path / "sequences" / KEY.sequence / KEY.frame
    folder.mkdir(parents=True)
    content = {"pose": pose.tolist(), "betas": [0.5] * 10}
    (folder / "k1.mocap.json").write_text(json.dumps(content), encoding="utf-8")
    theta, beta = ask(tmp_path, bodies)
    truth = rotvec_to_rotmat(torch.from_numpy(pose).float().view(24, 3))
    assert torch.allclose(theta[0, 1:22], truth[1:22], atol=1e-6)
    assert torch.allclose(beta, torch.full((1, 10), 0.5))


def test_a_missing_view_and_an_empty_folder_say_what_to_do(tmp_path, bodies):
    with pytest.raises(FileNotFoundError, match=r"expected a run folder with results\.pkl .*found neither"):
        KnownBodies(tmp_path)
    (tmp_path / "results.pkl").write_bytes(pickle.dumps({}))
    with pytest.raises(ValueError, match=r"no body of Date03_Sub03_stool_sit/t0005\.000.*python eval\.py"):
        ask(tmp_path, bodies)
