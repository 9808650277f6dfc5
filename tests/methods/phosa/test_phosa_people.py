"""The people that PHOSA starts from: another run's, FrankMocap's."""

import json
import pickle

import numpy as np
import pytest
import torch

from rhobin.body.load import load_bodies
from rhobin.geometry.rotation import rotmat_to_rotvec, rotvec_to_rotmat
from rhobin.methods.phosa.people import GuessError, guesses_of, hash_of, turned
from rhobin.types import SampleKey

KEY = SampleKey("Date03_Sub04_stool", "t0003.000", 1, 0)
MALE = torch.tensor(1)


@pytest.fixture(scope="module")
def bodies():
    return load_bodies()


def test_people_of_a_run_are_those_of_its_results(tmp_path, bodies):
    rng = np.random.default_rng(0)
    record = {
        "frames": ["t0002.000", "t0003.000"],
        "gender": "male",
        "poses": rng.normal(0, 0.3, (2, 156)),
        "betas": rng.normal(size=(2, 10)),
        "trans": rng.normal(size=(2, 3)),
    }
    file = tmp_path / "results.pkl"
    file.write_bytes(pickle.dumps({KEY.sequence: record}))
    guesses = guesses_of(str(tmp_path))
    theta, beta, trans = guesses(KEY, MALE, bodies)
    np.testing.assert_allclose(rotmat_to_rotvec(theta).flatten(), record["poses"][1], atol=1e-5)
    np.testing.assert_allclose(beta, record["betas"][1], rtol=1e-6)
    np.testing.assert_allclose(trans, record["trans"][1], rtol=1e-6)
    with pytest.raises(GuessError, match=r"t0004.000 in .*results.pkl"):
        guesses(SampleKey(KEY.sequence, "t0004.000", 1, 1), MALE, bodies)
    before = hash_of(guesses)
    file.write_bytes(pickle.dumps({KEY.sequence: record | {"gender": "female"}}))
    assert not torch.equal(hash_of(guesses_of(str(file))), before)
    assert hash_of(guesses_of("mean")).sum() == 0


def test_frankmocap_s_guesses_lie_beside_the_images(tmp_path, bodies):
    folder = tmp_path / "sequences" / KEY.sequence / KEY.frame
    folder.mkdir(parents=True)
    pose = np.random.default_rng(1).normal(0, 0.3, 72)
    (folder / "k1.mocap.json").write_text(json.dumps({"pose": pose.tolist(), "betas": [0.5] * 10}))
    guesses = guesses_of(str(tmp_path))
    theta, beta, trans = guesses(KEY, MALE, bodies)
    np.testing.assert_allclose(rotmat_to_rotvec(theta[:22]).flatten(), pose[:66], atol=1e-5)
    assert torch.equal(theta[22:], bodies.mean_hands(MALE[None])[0])
    assert (beta.tolist(), trans) == ([0.5] * 10, None)
    (folder / "k1.mocap.json").write_text(json.dumps({"pose": [0.0] * 72, "betas": [0.0] * 10}))
    with pytest.raises(GuessError, match=r"k1.mocap.json, found none"):
        guesses(KEY, MALE, bodies)


def test_anything_else_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"model.initial is .*nothing_here"):
        guesses_of(str(tmp_path / "nothing_here"))


def test_people_turn_with_the_camera_of_the_crop(bodies):
    rng = np.random.default_rng(2)
    theta = rotvec_to_rotmat(torch.from_numpy(rng.normal(0, 0.3, (52, 3))).float())
    beta, trans = torch.zeros(10), torch.tensor([0.1, 0.2, 2.5])
    turn = rotvec_to_rotmat(torch.tensor([0.1, -0.2, 0.3]))
    seen = turned((theta, beta, trans), turn, MALE, bodies)
    verts = [bodies(*(v[None] for v in (*guess, MALE))).verts[0] for guess in ((theta, beta, trans), seen)]
    assert torch.allclose(verts[1], verts[0] @ turn.mT, atol=1e-5)
