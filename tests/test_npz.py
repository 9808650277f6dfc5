"""Archives of arrays: plain ones come back, bombs and broken ones are named."""

import pickle
import zipfile

import numpy as np
import pytest

import rhobin.pickles.npz as npz
from rhobin.behave.readers.joblib_files import load_joblib
from rhobin.pickles import BrokenFileError, read_npz
from rhobin.pickles.load import MOST_OBJECTS

ARRAYS = {"a": np.arange(6.0).reshape(2, 3), "names": np.array(["t0003.000"]), "none": np.zeros((0, 3))}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "fit.npz"


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_arrays_come_back(path, save):
    save(path, **ARRAYS)
    np.testing.assert_equal(read_npz(path), ARRAYS)
    assert list(read_npz(path, ("names", "other"))) == ["names"]


def test_zeros_may_be_packed_as_tightly_as_deflate_can(path):
    np.savez_compressed(path, zeros=np.zeros(3_000_000))
    assert path.stat().st_size < 24_000_000 / 500
    assert read_npz(path)["zeros"].nbytes == 24_000_000


def test_a_bomb_is_refused_before_it_unpacks(path, monkeypatch):
    np.savez_compressed(path, zeros=np.zeros(3_000_000))
    monkeypatch.setattr(npz, "ALLOWANCE", 1 << 20)
    monkeypatch.setattr(np, "load", None)
    with pytest.raises(BrokenFileError, match=r"fit\.npz: expected .* at most \d MB .* found 24 MB"):
        read_npz(path)


def header(shape):
    text = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}}}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()


BROKEN = {
    "an array of more than memory": header((1 << 50,)) + bytes(64),
    "an array of overflowing size": header((1 << 40, 1 << 40)) + bytes(64),
    "a shape of brackets": b"\x93NUMPY\x01\x00\x40\x00" + b"(" * 64,
    "Python objects": None,
}


@pytest.mark.parametrize("what", BROKEN)
def test_what_is_no_plain_array_is_named(path, what):
    content = BROKEN[what]
    if content is None:
        np.savez(path, a=np.array([{}], object))
    else:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("a.npy", content)
    with pytest.raises(BrokenFileError, match=r"fit\.npz: a: expected plain arrays"):
        read_npz(path)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", pickle.dumps({"a": 1}), b"\x93NUMPY"])
def test_other_files_are_no_archive(path, content):
    path.write_bytes(content)
    with pytest.raises(BrokenFileError, match=r"fit\.npz: its list of arrays: expected"):
        read_npz(path)
    path.unlink()
    with pytest.raises(FileNotFoundError, match=r"no file at .*fit\.npz"):
        read_npz(path)


def test_a_joblib_file_of_more_containers_than_data_have_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("rhobin.behave.readers.joblib_files.MOST_OBJECTS", 1000)
    path = tmp_path / "packed.pkl"
    path.write_bytes(pickle.dumps([[] for _ in range(900)]))
    assert load_joblib(path) == [[]] * 900
    path.write_bytes(pickle.dumps([[] for _ in range(1100)]))
    with pytest.raises(BrokenFileError, match=r"packed.pkl .*more than 1000 containers"):
        load_joblib(path)
    assert MOST_OBJECTS >= 1_000_000
