"""A gender is read in any way that files of this field write it: bytes, capitals, arrays of one word."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pytest

from rhobin.__main__ import main
from rhobin.behave.readers.annotation2024 import References
from rhobin.behave.readers.info import read_info
from rhobin.behave.ref import WIDTHS, read_ref
from rhobin.body.load import load_body
from rhobin.types import gender_name

WORDS = ["male", "MALE", " Male ", b"male", b"MALE", "b'male'", np.array("Male"), np.array([b"male"])]


@pytest.mark.parametrize("stored", WORDS, ids=repr)
def test_every_way_to_write_it_is_read(stored):
    assert gender_name(stored) == "male"


@pytest.mark.parametrize(
    ("stored", "found"), [("mal", "mal"), (b"M", "M"), (np.array(["male", "male"]), None)]
)
def test_other_words_stay_what_they_are(stored, found):
    assert gender_name(stored) == (found or str(stored))


@pytest.mark.parametrize("stored", [b"MALE", "b'male'", np.array("Male")], ids=repr)
@pytest.mark.parametrize("suffix", [".npz", ".pkl"])
def test_body_files(oracle, tmp_path, stored, suffix):
    content = {**oracle("smplh_male"), "gender": stored}
    path = tmp_path / f"SMPLH_male{suffix}"
    if suffix == ".npz":
        np.savez(path, **content)
    else:
        path.write_bytes(pickle.dumps(content, protocol=2))
    assert load_body("male", tmp_path).gender == "male"


def test_another_gender_than_the_file_is_named_for(oracle, tmp_path):
    np.savez(tmp_path / "SMPLH_male.npz", **{**oracle("smplh_male"), "gender": "Female"})
    with pytest.raises(
        ValueError, match=r"gender: expected male, found 'female'; name the file for the gender"
    ):
        load_body("male", tmp_path)


def test_fits_to_convert(tmp_path):
    fits = {"poses": np.zeros((1, 156)), "betas": np.zeros(10), "trans": np.zeros((1, 3)), "gender": b"MALE"}
    np.savez(tmp_path / "fits.npz", **fits)
    arguments = ["convert", str(tmp_path / "fits.npz"), str(tmp_path / "out.npz"), "--to", "smpl", "--copy"]
    assert main(arguments) == 0
    with np.load(tmp_path / "out.npz") as written:
        assert str(written["gender"]) == "male"


def test_sequences_and_references(tmp_path):
    folder = tmp_path / "Date01_Sub01_backpack_back"
    folder.mkdir()
    (folder / "info.json").write_text(json.dumps({"gender": "MALE", "cat": "backpack"}))
    assert read_info(folder, tmp_path).gender == "male"
    content = {key: np.zeros((1, *shape)) for key, shape in WIDTHS.items()}
    content |= {"frames": ["t"], "gender": b"FEMALE"}
    (tmp_path / "ref.pkl").write_bytes(pickle.dumps({"annotations": {"a": content}, "templates": {}}))
    assert read_ref(tmp_path)[0]["a"].gender == "female"
    image = References(None, {"1": {"meta": ("behave", b"Female", "stool")}}, None)
    assert image.meta("1") == ("behave", "female", "stool")
