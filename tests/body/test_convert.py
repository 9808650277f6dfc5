"""Conversions between SMPL and SMPL-H, and the two commands."""

import pickle
import re
import shutil

import licensed_files
import numpy as np
import pytest
import scipy.sparse
import torch

from rhobin.__main__ import main
from rhobin.body.convert import smpl_to_smplh, smplh_to_smpl
from rhobin.body.load import find, load_body
from rhobin.geometry.rotation import rotmat_to_rotvec, rotvec_to_rotmat


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The stand-in as an SMPL-H and as an SMPL file of one surface: fingers folded into the hands."""
    place = tmp_path_factory.mktemp("bodies")
    licensed_files.write(place / "SMPL_male.npz", licensed_files.smpl())
    shutil.copy(find("male", None), place / "SMPLH_male.npz")
    return place


@pytest.fixture
def sequence(tmp_path):
    """Four frames of one person as a BEHAVE-style pickle."""
    rng = np.random.default_rng(0)
    poses = 0.25 * rng.normal(size=(4, 156))
    poses[:, 66:] *= 0.2
    content = {
        "poses": poses,
        "betas": rng.normal(size=10),
        "trans": rng.normal(size=(4, 3)),
        "gender": "male",
    }
    (tmp_path / "person.pkl").write_bytes(pickle.dumps(content))
    return content, tmp_path / "person.pkl"


def _convert(*arguments):
    return main(["convert", *map(str, arguments)])


def test_copies_follow_the_challenge(oracle):
    recorded = oracle("smplh_fk")
    poses = torch.from_numpy(recorded["poses72"]).view(-1, 24, 3)
    expected = torch.from_numpy(recorded["poses72_as_156"]).view(-1, 52, 3)
    theta = smpl_to_smplh(rotvec_to_rotmat(poses))
    torch.testing.assert_close(theta, rotvec_to_rotmat(expected))
    torch.testing.assert_close(smplh_to_smpl(theta), rotvec_to_rotmat(poses))
    assert (smplh_to_smpl(theta, "zero")[:, 22:] == torch.eye(3).double()).all()
    mean = smplh_to_smpl(smpl_to_smplh(rotvec_to_rotmat(poses), theta[:, 30:31].expand(-1, 30, 3, 3)), "mean")
    torch.testing.assert_close(mean[:, 22], theta[:, 30])
    with pytest.raises(ValueError, match="knuckle, mean or zero"):
        smplh_to_smpl(theta, "fist")


def test_vertices_become_parameters(folder, sequence, tmp_path, capsys):
    content, _ = sequence
    body = load_body("male", dtype=torch.float64)
    theta = rotvec_to_rotmat(torch.from_numpy(content["poses"]).view(4, 52, 3))
    beta = torch.from_numpy(content["betas"]).expand(4, 10)
    verts = body(theta, beta, torch.from_numpy(content["trans"])).verts
    np.savez(tmp_path / "verts.npz", verts=verts.numpy())
    to = ("--to", "smplh", "--body", "standin")
    assert _convert(tmp_path / "verts.npz", tmp_path / "out.npz", *to, "--gender", "male") == 0
    with np.load(tmp_path / "out.npz", allow_pickle=False) as found:
        assert found["poses"].shape == (4, 156)
        assert str(found["gender"]) == "male"
        posed = body(
            rotvec_to_rotmat(torch.from_numpy(found["poses"]).view(4, 52, 3)),
            torch.from_numpy(found["betas"]),
            torch.from_numpy(found["trans"]),
        ).verts
        error = 1000 * (posed - verts).norm(dim=-1).mean(1)
        assert error.max() < 0.5
        np.testing.assert_allclose(found["error_mm"], error, atol=0.01)
    assert "4 frames of smplh" in capsys.readouterr().out


def test_smplh_to_smpl_and_back(folder, sequence, tmp_path):
    content, path = sequence
    there, back = tmp_path / "smpl.npz", tmp_path / "smplh.npz"
    options = ("--body", folder, "--shared-shape")
    assert _convert(path, there, "--to", "smpl", *options) == 0
    assert _convert(there, back, "--to", "smplh", *options) == 0
    with np.load(there) as smpl, np.load(back) as smplh:
        assert smpl["poses"].shape == (4, 72)
        assert smpl["error_mm"].max() < 4
        theta, found = (
            rotvec_to_rotmat(torch.from_numpy(p).view(4, 52, 3)) for p in (content["poses"], smplh["poses"])
        )
        large = [1, 2, 4, 5, 16, 17, 18, 19]
        assert rotmat_to_rotvec(theta[:, large].mT @ found[:, large]).norm(dim=-1).max() < 0.15
        assert np.ptp(smplh["betas"], axis=0).max() == 0


def test_copying_needs_no_model(sequence, tmp_path):
    content, path = sequence
    assert _convert(path, tmp_path / "copy.npz", "--to", "smpl", "--copy") == 0
    with np.load(tmp_path / "copy.npz") as found:
        np.testing.assert_allclose(found["poses"][:, :66], content["poses"][:, :66], atol=1e-12)
        np.testing.assert_allclose(found["trans"], content["trans"])


def test_further_betas_that_are_zero_are_no_loss(sequence, tmp_path):
    content, _ = sequence
    longer = {**content, "betas": np.concatenate((content["betas"], np.zeros(6)))}
    np.savez(tmp_path / "longer.npz", **longer)
    assert _convert(tmp_path / "longer.npz", tmp_path / "out.npz", "--to", "smpl", "--copy") == 0
    with np.load(tmp_path / "out.npz") as found:
        np.testing.assert_array_equal(found["betas"], np.tile(content["betas"], (4, 1)))


def test_another_topology_needs_its_matrix(folder, tmp_path, capsys):
    body = load_body("male", dtype=torch.float64)
    order = np.random.default_rng(0).permutation(6890)
    matrix = scipy.sparse.csr_matrix((np.ones(6890), (np.arange(6890), order)), shape=(6890, 6897))
    verts = body.template.view(1, -1, 3).numpy()
    other = np.empty_like(verts)
    other[:, order] = verts
    to = ("--to", "smplh", "--body", "standin")
    np.savez(tmp_path / "other.npz", verts=np.concatenate((other, other[:, :7]), axis=1), gender="male")
    assert _convert(tmp_path / "other.npz", tmp_path / "out.npz", *to) == 1
    assert "expected 6890 vertices" in capsys.readouterr().err
    (tmp_path / "matrix.pkl").write_bytes(pickle.dumps({"mtx": matrix}))
    arguments = (*to, "--transfer", tmp_path / "matrix.pkl")
    assert _convert(tmp_path / "other.npz", tmp_path / "out.npz", *arguments) == 0
    with np.load(tmp_path / "out.npz") as found:
        assert found["error_mm"].max() < 0.5


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"poses": None}, r"poses: expected this key or verts"),
        ({"poses": np.zeros((4, 66))}, r"poses: expected 72, 156 or 165 numbers"),
        ({"trans": np.zeros((3, 3))}, r"trans: expected shape \(4, 3\)"),
        ({"gender": None}, r"gender: expected male, female or neutral"),
        ({"betas": np.ones(1)}, r"betas: expected shape \(10,\) or \(4, 10\), found \(1, 1\)"),
        ({"betas": np.ones((4, 1))}, r"betas: expected shape .*found \(4, 1\)"),
        ({"betas": np.ones((3, 10))}, r"betas: expected shape .*found \(3, 10\)"),
        ({"betas": np.ones(16)}, r"betas: .*found 16 numbers.*not 0.*verts"),
        ({"poses": np.full((4, 156), np.nan)}, r"poses: expected finite .* frame 0 has others \(4 of 4"),
        (
            {"trans": np.array([[0.0] * 3] * 3 + [[np.inf] * 3])},
            r"trans: expected finite .* frame 3 has others \(1 of 4",
        ),
        ({"verts": np.full((2, 9, 3), np.nan)}, r"verts: expected finite .* frame 0 has others"),
        ({"verts": np.linspace(0, 1700, 27).reshape(1, 9, 3)}, r"verts: expected metres.*divided by 1000"),
        ({"verts": np.zeros((1, 9, 3))}, r"verts: expected metres"),
    ],
)
def test_errors_name_the_file_and_the_key(sequence, tmp_path, capsys, change, message):
    content, _ = sequence
    content = {key: value for key, value in {**content, **change}.items() if value is not None}
    np.savez(tmp_path / "bad.npz", **content)
    assert _convert(tmp_path / "bad.npz", tmp_path / "out.npz", "--to", "smpl", "--copy") == 1
    error = capsys.readouterr().err
    assert "bad.npz" in error
    assert re.search(message, error)
    assert not (tmp_path / "out.npz").exists()


def test_convert_body_writes_safe_arrays(oracle, tmp_path, capsys):
    raw = oracle("smplh_female")
    (tmp_path / "SMPLH_FEMALE.pkl").write_bytes(pickle.dumps(raw, protocol=2))
    (tmp_path / "broken_male.pkl").write_bytes(b"no pickle")
    (tmp_path / "unnamed.pkl").write_bytes(pickle.dumps(raw, protocol=2))
    sources = [str(tmp_path / name) for name in ("SMPLH_FEMALE.pkl", "broken_male.pkl", "unnamed.pkl")]
    assert main(["convert-body", *sources, "--out", str(tmp_path / "safe")]) == 1
    printed = capsys.readouterr()
    assert "SMPLH_female.npz: 536 vertices, 52 joints" in printed.out
    assert "broken_male.pkl is not a complete pickle" in printed.err
    assert "unnamed.pkl: the name tells no gender; say --gender" in printed.err
    assert [path.name for path in (tmp_path / "safe").iterdir()] == ["SMPLH_female.npz"]
    body = load_body("female", tmp_path / "safe")
    assert body.n_verts == 536


@pytest.fixture(scope="module")
def smplx_folder(tmp_path_factory):
    """SMPL-X and SMPL-H files of one surface, and the matrix from the one to the other."""
    place = tmp_path_factory.mktemp("smplx")
    licensed_files.write(place / "SMPLX_male.npz", licensed_files.smplx())
    licensed_files.write(place / "SMPLH_male.npz", licensed_files.smplh())
    matrix = scipy.sparse.eye(6890, 2 * licensed_files.SMPLX_VERTS, format="csc")
    licensed_files.write(place / "smplx2smplh_deftrafo_setup.pkl", {"mtx": matrix})
    return place


@pytest.fixture
def smplx_sequence(sequence, tmp_path):
    """The frames of `sequence` as SMPL-X tells them: jaw and eyes before the hands."""
    content, _ = sequence
    poses = np.insert(content["poses"], 66, np.zeros((9, 1)), axis=1)
    np.savez(tmp_path / "smplx.npz", **{**content, "poses": poses, "expression": np.zeros((4, 10))})
    return tmp_path / "smplx.npz"


def test_smplx_goes_through_its_own_package_to_smplh(smplx_folder, smplx_sequence, sequence, tmp_path):
    to = ("--to", "smplh", "--body", smplx_folder)
    transfer = ("--transfer", smplx_folder / "smplx2smplh_deftrafo_setup.pkl")
    assert _convert(smplx_sequence, tmp_path / "x.npz", *to, *transfer) == 0
    assert _convert(sequence[1], tmp_path / "h.npz", *to) == 0
    with np.load(tmp_path / "x.npz") as found, np.load(tmp_path / "h.npz") as expected:
        assert found["poses"].shape == (4, 156)
        assert found["error_mm"].max() < 0.5
        for key in ("poses", "betas", "trans"):
            np.testing.assert_allclose(found[key], expected[key], atol=2e-3)


def test_smplx_needs_its_matrix_and_its_file(smplx_folder, smplx_sequence, folder, tmp_path, capsys):
    to = (smplx_sequence, tmp_path / "x.npz", "--to", "smplh")
    assert _convert(*to, "--body", smplx_folder) == 1
    error = capsys.readouterr().err
    assert "--transfer: expected 6890 vertices or a matrix that carries 10475 vertices over to 6890" in error
    assert "https://smpl-x.is.tue.mpg.de" in error
    assert _convert(*to, "--body", folder) == 1
    assert "no SMPLX_male.npz" in capsys.readouterr().err
    assert _convert(*to, "--copy") == 1
    assert "leave out --copy" in capsys.readouterr().err
    np.savez(tmp_path / "wrong.npz", mtx=np.eye(5))
    assert _convert(*to, "--body", smplx_folder, "--transfer", tmp_path / "wrong.npz") == 1
    assert "expected 6890 rows and 10475 or 20950 columns, found (5, 5)" in capsys.readouterr().err
    assert not (tmp_path / "x.npz").exists()
