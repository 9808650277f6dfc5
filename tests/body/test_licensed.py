"""Licensed files against smplx's own forward pass; the files here hold the stand-in body."""

import licensed_files
import numpy as np
import pytest
import torch

from rhobin.__main__ import main
from rhobin.body.arrays import write_arrays
from rhobin.body.licensed import distance_mm, smplx_vertices
from rhobin.body.load import load_body
from rhobin.geometry.rotation import rotvec_to_rotmat


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("licensed")
    return {
        "smpl": licensed_files.write(folder / "SMPL_MALE.pkl", licensed_files.smpl()),
        "smplh": licensed_files.write(folder / "SMPLH_male.npz", licensed_files.smplh()),
        "smplx": licensed_files.write(folder / "SMPLX_MALE.npz", licensed_files.smplx()),
    }


@pytest.mark.parametrize("kind", ["smpl", "smplh", "smplx"])
def test_our_vertices_are_smplx_s(files, kind):
    assert distance_mm(files[kind], kind, "male") < 0.001


def test_any_number_of_bodies_betas_and_expressions_is_posed(files):
    rng = np.random.default_rng(0)
    poses, betas, trans, expression = (
        torch.from_numpy(rng.normal(scale=0.3, size=(70, n))) for n in (165, 300, 3, 50)
    )
    neutral = smplx_vertices(files["smplx"], "smplx", "male", poses, betas, trans)
    body = load_body("male", files["smplx"].parent, torch.float64, "smplx")
    expected = body(rotvec_to_rotmat(poses.view(70, 55, 3)), betas[:, :10], trans).verts
    torch.testing.assert_close(neutral, expected, rtol=0, atol=1e-6)
    moved = smplx_vertices(files["smplx"], "smplx", "male", poses, betas, trans, expression)
    assert 1e-4 < (moved - neutral).norm(dim=-1).mean() < 5e-3


def test_a_file_that_is_posed_differently_is_noticed(files, tmp_path, capsys):
    """Skinning weights that do not sum to one: we scale them, smplx does not."""
    content = licensed_files.smplh()
    off = {**content, "weights": content["weights"] * 0.999}
    path = licensed_files.write(tmp_path / "SMPLH_male.npz", off)
    assert distance_mm(path, "smplh", "male") > 0.5
    assert main(["doctor", "--body", str(tmp_path)]) == 1
    printed = capsys.readouterr().out
    assert "FAIL  SMPL-H male" in printed
    assert "copy the file again" in printed


def test_doctor_checks_each_file_that_it_finds(files, capsys):
    main(["doctor", "--body", str(files["smpl"].parent)])
    lines = capsys.readouterr().out.splitlines()
    for name, path in zip(("SMPL", "SMPL-H", "SMPL-X"), files.values(), strict=True):
        (line,) = [line for line in lines if f"  {name} male" in line]
        assert line.startswith("ok")
        assert path.name in line
        assert "mm from smplx's vertices" in line


def test_doctor_names_a_broken_file_and_goes_on(files, tmp_path, capsys):
    (tmp_path / "SMPL_male.pkl").write_bytes(b"no pickle")
    licensed_files.write(tmp_path / "SMPLH_male.npz", licensed_files.smplh())
    assert main(["doctor", "--body", str(tmp_path)]) == 1
    printed = capsys.readouterr().out
    assert "FAIL  SMPL male" in printed
    assert "is not a complete pickle" in printed
    assert "ok    SMPL-H male" in printed


def test_smplx_files_are_written_without_pickles(files, tmp_path):
    write_arrays(files["smplx"], tmp_path / "SMPLX_male.npz", "male")
    with np.load(tmp_path / "SMPLX_male.npz", allow_pickle=False) as archive:
        assert "joint2num" not in archive.files
        assert archive["shapedirs"].shape[-1] == 20
    assert distance_mm(tmp_path / "SMPLX_male.npz", "smplx", "male") < 0.001
