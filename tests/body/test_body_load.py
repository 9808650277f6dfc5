import pickle
import shutil

import numpy as np
import pytest
import scipy.sparse
import torch

from rhobin.body.arrays import SMPL_LEAVES, BodyFileError, read_arrays, write_arrays
from rhobin.body.load import find, load_bodies, load_body
from rhobin.pickles import BrokenFileError, UnsafePickleError
from rhobin.types import GENDERS

OPTIONAL = ("hands_meanl", "hands_meanr", "leaf_vertices", "model_id", "gender")


@pytest.fixture
def raw(oracle):
    """The content of a small licensed-style SMPL-H file."""
    return oracle("smplh_male")


@pytest.fixture
def write(tmp_path, raw):
    def write(name="SMPLH_male.npz", **changes):
        content = {k: v for k, v in {**raw, **changes}.items() if v is not None}
        if name.endswith(".npz"):
            np.savez(tmp_path / name, **content)
        else:
            (tmp_path / name).write_bytes(pickle.dumps(content, protocol=2))
        return tmp_path

    return write


@pytest.mark.parametrize(
    "name", ["SMPLH_male.npz", "SMPLH_MALE.npz", "smplh_male.npz", "SMPLH_male.pkl", "SMPLH_MALE.pkl"]
)
def test_licensed_names_are_found_in_either_case_and_format(write, raw, pose, name):
    regressor = scipy.sparse.csc_matrix(raw["J_regressor"]) if name.endswith("pkl") else raw["J_regressor"]
    body = load_body("male", write(name, J_regressor=regressor), torch.float64)
    expected = load_body("male", write("smplh_male.npz"), torch.float64)
    parameters = pose(1)
    torch.testing.assert_close(body(*parameters).verts, expected(*parameters).verts, rtol=0, atol=1e-15)
    assert (body.gender, body.model_id) == ("male", "smplh")


@pytest.mark.parametrize("gender", GENDERS)
def test_the_stand_in_comes_with_the_package(gender):
    body = load_body(gender)
    assert body.gender == gender
    assert body.model_id.startswith("rhobin-standin")
    assert body.hands_mean.abs().max() > 0.1
    assert body.leaf_vertices.shape == (5,)
    assert body.template.dtype == torch.float32


def test_every_stand_in_is_a_copy_of_its_own():
    changed, template = load_body("male"), load_body("male").template.clone()
    changed.template.zero_()
    assert torch.equal(load_body("male").template, template)
    assert load_body("male", dtype=torch.float64).template.dtype == torch.float64


def test_leaf_vertices_come_from_the_file_and_else_only_from_the_licensed_topology(raw):
    stand_in = load_body("male")
    assert stand_in.n_verts == 6890
    assert stand_in.leaf_vertices.tolist() != list(SMPL_LEAVES)


def test_licensed_size_without_an_id_gets_smpls_leaves(tmp_path, raw):
    """A 6,890-vertex file that names nothing is taken for SMPL-H; any other size has no known leaves."""
    verts = 6890
    weights = np.zeros((verts, 52))
    weights[:, 0] = 1
    content = {
        "v_template": np.random.default_rng(0).uniform(-1, 1, size=(verts, 3)),
        "shapedirs": np.zeros((verts, 3, 16)),
        "posedirs": np.zeros((verts, 3, 459), np.float16),
        "J_regressor": np.full((52, verts), 1 / verts),
        "weights": weights,
        "f": np.arange(9).reshape(3, 3),
        "kintree_table": raw["kintree_table"],
    }
    np.savez(tmp_path / "SMPLH_female.npz", **content)
    assert read_arrays(tmp_path / "SMPLH_female.npz", "female").leaf_vertices.tolist() == list(SMPL_LEAVES)
    np.savez(tmp_path / "SMPLH_female.npz", **content, model_id="someone-else")
    assert read_arrays(tmp_path / "SMPLH_female.npz", "female").leaf_vertices is None


def test_small_types_are_widened_and_weights_renormalised(write, raw, pose):
    folder = write(
        weights=raw["weights"].astype(np.float16),
        posedirs=raw["posedirs"].astype(np.float16),
        f=raw["f"].astype(np.uint16),
    )
    arrays = read_arrays(folder / "SMPLH_male.npz", "male")
    np.testing.assert_allclose(arrays.weights.sum(1), 1, atol=1e-14)
    assert np.abs(raw["weights"].astype(np.float16).sum(1, dtype=np.float64) - 1).max() > 1e-5
    assert arrays.weights.dtype == arrays.posedirs.dtype == np.float64
    exact, rounded = load_body("male", write("smplh_male.npz")), load_body("male", folder)
    assert (
        exact(*pose(1, dtype=torch.float32)).verts - rounded(*pose(1, dtype=torch.float32)).verts
    ).abs().max() < 1e-3


def test_betas_beyond_ten_are_cut(write, raw):
    more = np.concatenate((raw["shapedirs"], np.ones((len(raw["v_template"]), 3, 6))), axis=2)
    arrays = read_arrays(write(shapedirs=more) / "SMPLH_male.npz", "male")
    np.testing.assert_array_equal(arrays.shapedirs, raw["shapedirs"].astype(np.float64))


def _broken(raw):
    weights, tree, regressor = raw["weights"] * 0.9, raw["kintree_table"].copy(), raw["J_regressor"] * 1.1
    tree[0, 20] = 3
    nan = raw["v_template"].copy()
    nan[7, 1] = np.nan
    negative = raw["weights"].copy()
    negative[0, :2] += (1, -1)
    return {
        "posedirs": [None, raw["posedirs"][..., :207], raw["posedirs"][:-1], 1000 * raw["posedirs"]],
        "shapedirs": [None, raw["shapedirs"][..., :8], raw["shapedirs"][:, :2], 1000 * raw["shapedirs"]],
        "J_regressor": [None, raw["J_regressor"].T, regressor],
        "weights": [None, raw["weights"][:, :24], weights, negative],
        "kintree_table": [None, raw["kintree_table"][:, :30], tree, raw["kintree_table"][0]],
        "v_template": [
            nan,
            raw["v_template"][:, :2],
            raw["v_template"].astype(str),
            raw["v_template"][0],
            raw["v_template"][:0],
            1000 * raw["v_template"],
        ],
        "f": [
            None,
            raw["f"] + len(raw["v_template"]),
            raw["f"][:, :2],
            raw["f"] + 0.5,
            raw["f"][:0],
            raw["f"].astype(int) - 1 - raw["f"].min(),
            raw["f"] * 1e300,
        ],
        "gender": ["female"],
        "leaf_vertices": [[1, 2, 3], [0, 1, 2, 3, 10_000]],
        "hands_meanl": [np.zeros(12), None, np.full(45, 20.0)],
    }


CASES = [
    (key, index)
    for key, count in {
        "posedirs": 4,
        "shapedirs": 4,
        "J_regressor": 3,
        "weights": 4,
        "kintree_table": 4,
        "v_template": 6,
        "f": 7,
        "gender": 1,
        "leaf_vertices": 2,
        "hands_meanl": 3,
    }.items()
    for index in range(count)
]


@pytest.mark.parametrize(("key", "index"), CASES)
def test_errors_name_file_key_and_next_step(write, raw, key, index):
    changes = {key: _broken(raw)[key][index]}
    if key == "hands_meanl":
        changes["hands_meanr"] = np.zeros(45)
    folder = write(**changes)
    with pytest.raises(BodyFileError) as caught:
        load_body("male", folder)
    message = str(caught.value)
    step = "name the file for the gender" if key == "gender" else "copy the model file again"
    for part in ("SMPLH_male.npz", key, "expected", "found", step):
        assert part in message


def test_every_broken_case_is_tried(raw):
    assert {key: len(values) for key, values in _broken(raw).items()} == {
        key: sum(k == key for k, _ in CASES) for key, _ in CASES
    }


def test_truncated_files_are_named(write, tmp_path):
    write()
    whole = (tmp_path / "SMPLH_male.npz").read_bytes()
    for size in (0, 100, len(whole) // 2, len(whole) - 30):
        (tmp_path / "SMPLH_male.npz").write_bytes(whole[:size])
        with pytest.raises(BrokenFileError, match=r"SMPLH_male\.npz"):
            load_body("male", tmp_path)


def test_object_arrays_in_npz_are_not_unpickled(tmp_path, write, raw):
    write()
    content = {**raw, "f": np.array([{"a": 1}], dtype=object)}
    np.savez(tmp_path / "SMPLH_male.npz", **content)
    with pytest.raises(BrokenFileError, match="allow_pickle"):
        load_body("male", tmp_path)


def test_a_pickle_with_code_is_refused(tmp_path):
    class Bomb:
        def __reduce__(self):
            return (print, ("boom",))

    (tmp_path / "SMPLH_male.pkl").write_bytes(pickle.dumps({"v_template": Bomb()}))
    with pytest.raises(UnsafePickleError, match="print"):
        load_body("male", tmp_path)
    (tmp_path / "SMPLH_male.pkl").write_bytes(pickle.dumps([1, 2]))
    with pytest.raises(BodyFileError, match="dictionary"):
        load_body("male", tmp_path)


def test_missing_files_say_what_to_do(tmp_path, write):
    with pytest.raises(FileNotFoundError, match="body models"):
        load_body("male", tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match=r"SMPLH_female.*download SMPL-H"):
        load_body("female", write())
    with pytest.raises(ValueError, match="unknown gender 'Male'"):
        load_body("Male")


def test_a_licensed_folder_without_a_neutral_body_is_enough(tmp_path, oracle_folder):
    for gender in ("male", "female"):
        shutil.copy(oracle_folder / f"smplh_{gender}.npz", tmp_path / f"SMPLH_{gender}.npz")
    assert list(load_bodies(tmp_path).models) == ["male", "female"]
    assert list(load_bodies(tmp_path, ("female",)).models) == ["female"]
    with pytest.raises(FileNotFoundError, match="SMPLH_neutral"):
        load_bodies(tmp_path, ("neutral",))
    (tmp_path / "SMPLH_male.npz").unlink()
    with pytest.raises(FileNotFoundError, match="SMPLH_male"):
        load_bodies(tmp_path)


def test_the_search_order_is_the_documented_one(tmp_path, oracle_folder):
    source = oracle_folder / "smplh_male.npz"
    order = ["smplh_male.npz", "SMPLH_MALE.pkl", "male/model.npz"]
    order += [f"{place}/SMPLH_male.npz" for place in ("smplh", "models", "mano_v1_2/models")]
    order += ["body_models/smplh/male/model.npz"]
    for name in order:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, path)
    for name in order:
        assert find("male", tmp_path).relative_to(tmp_path).as_posix() == name
        (tmp_path / name).unlink()


@pytest.mark.parametrize(
    "name", ["SMPL_NEUTRAL.npz", "basicmodel_neutral_lbs_10_207_0_v1.1.0.npz", "smpl/SMPL_neutral.npz"]
)
def test_smpl_files_are_found_by_their_kind(tmp_path, oracle_folder, name, pose):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    shutil.copy(oracle_folder / "smpl24_neutral.npz", tmp_path / name)
    body = load_body("neutral", tmp_path, kind="smpl")
    assert (body.n_joints, body.model_id) == (24, "smpl")
    with pytest.raises(FileNotFoundError, match="SMPLH_neutral"):
        load_body("neutral", tmp_path)
    with pytest.raises(FileNotFoundError, match="licensed SMPL"):
        load_body("neutral", kind="smpl")


def test_a_file_of_the_other_kind_is_named(tmp_path, oracle_folder):
    shutil.copy(oracle_folder / "smpl24_neutral.npz", tmp_path / "SMPLH_neutral.npz")
    with pytest.raises(ValueError, match=r"SMPLH_neutral.npz: kintree_table: expected 52 joints.*found 24"):
        load_body("neutral", tmp_path)


def test_one_damaged_array_of_an_archive_is_named(write, tmp_path):
    write()
    path = tmp_path / "SMPLH_male.npz"
    whole = bytearray(path.read_bytes())
    at = whole.find(b"posedirs.npy") + 50_000
    whole[at : at + 64] = bytes(64) if any(whole[at : at + 64]) else b"\xff" * 64
    path.write_bytes(bytes(whole))
    with pytest.raises(BrokenFileError, match=r"SMPLH_male\.npz: posedirs: expected plain arrays"):
        load_body("male", tmp_path)


def test_written_arrays_are_the_same_body(write, tmp_path, raw, pose):
    more = np.concatenate((raw["shapedirs"], np.ones((len(raw["v_template"]), 3, 6))), axis=2)
    regressor = scipy.sparse.csc_matrix(raw["J_regressor"])
    folder = write("SMPLH_male.pkl", J_regressor=regressor, shapedirs=more)
    write_arrays(folder / "SMPLH_male.pkl", tmp_path / "safe" / "SMPLH_male.npz", "male")
    with np.load(tmp_path / "safe" / "SMPLH_male.npz", allow_pickle=False) as archive:
        assert archive["shapedirs"].shape[-1] == 16
        assert str(archive["gender"]) == "male"
    parameters = pose(2)
    first, second = (load_body("male", place, torch.float64) for place in (folder, tmp_path / "safe"))
    torch.testing.assert_close(first(*parameters).verts, second(*parameters).verts, rtol=0, atol=0)
    assert second.model_id == "smplh"
