"""Results as other people save and pack them: read, or one line that says what to do, and that works."""

from __future__ import annotations

import gzip
import pickle
import re
import shlex
import subprocess
import sys
import zipfile
import zlib
from collections import defaultdict

import numpy as np
import pytest
import torch
from challenge_files import as_results
from test_submissions import ARRAYS, same

from rhobin.pickles import UnsafePickleError
from rhobin.scoring.submissions import read_submission


@pytest.fixture(scope="module")
def results(oracle):
    whole = as_results(oracle("rhobin_pred_mid_sym"))
    return {name: whole[name] for name in sorted(whole)[:2]}


@pytest.fixture
def packed(results):
    return pickle.dumps(results)


def refusal(path) -> str:
    with pytest.raises(ValueError, match=re.escape(str(path))) as found:
        read_submission(path)
    told = str(found.value)
    assert "\n" not in told
    return told


def zip_of(path, entries, method=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize("name", ["results.pkl", "./results.pkl"])
def test_what_macos_and_unzip_leave_in_a_zip_is_no_matter(name, packed, results, tmp_path):
    more = {"__MACOSX/._results.pkl": b"x", "._results.pkl": b"x", ".DS_Store": b"x", "notes/": b""}
    same(read_submission(zip_of(tmp_path / "a.zip", {**more, name: packed})), results, ARRAYS)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_methods_that_python_reads_are_read(method, packed, results, tmp_path):
    same(read_submission(zip_of(tmp_path / "a.zip", {"results.pkl": packed}, method)), results, ARRAYS)


def marked(path, content, at, value):
    """A zip whose entry says another flag or method, in both of its headers."""
    raw = bytearray(zip_of(path, {"results.pkl": content}).read_bytes())
    central = raw.index(b"PK\x01\x02")
    raw[6 + at : 8 + at] = raw[central + 8 + at : central + 10 + at] = value.to_bytes(2, "little")
    path.write_bytes(raw)
    return path


def test_damaged_and_odd_zips_say_what_they_are(packed, tmp_path):
    path = tmp_path / "a.zip"
    assert "results.pkl is encrypted" in refusal(marked(path, packed, 0, 1))
    assert "packed by Deflate64; expected Deflate. Pack it again: python -m zipfile" in refusal(
        marked(path, packed, 2, 9)
    )
    assert "packed by method 77" in refusal(marked(path, packed, 2, 77))
    raw = bytearray(zip_of(path, {"results.pkl": packed}, zipfile.ZIP_STORED).read_bytes())
    raw[500] ^= 255
    path.write_bytes(raw)
    assert "the zip is damaged (Bad CRC-32" in refusal(path)
    raw = bytearray(zip_of(path, {"results.pkl": packed}).read_bytes())
    raw[200:260] = bytes(60)
    path.write_bytes(raw)
    assert "the zip is damaged" in refusal(path)
    found = refusal(zip_of(path, {"deep/results.pkl": packed}))
    assert "expected a zip with results.pkl, found deep/results.pkl" in found
    assert "found a.pkl, b.pkl" in refusal(zip_of(path, {"a.pkl": packed, "b.pkl": packed}))
    assert "found nothing" in refusal(zip_of(path, {}))


def test_a_zip_bomb_is_not_unpacked(packed, tmp_path):
    path = zip_of(tmp_path / "bomb.zip", {"results.pkl": packed})
    raw = bytearray(path.read_bytes())
    central = raw.index(b"PK\x01\x02")
    raw[22:26] = raw[central + 24 : central + 28] = (3_000_000_000).to_bytes(4, "little")
    path.write_bytes(raw)
    assert "found 3000 MB; no predictions do" in refusal(path)


def test_an_error_inside_a_zip_names_the_zip(tmp_path):
    path = tmp_path / "a.zip"
    assert "results.pkl is not a complete pickle" in refusal(zip_of(path, {"results.pkl": b"\x80\x04x"}))
    told = refusal(zip_of(path, {"results.pkl": pickle.dumps(print)}))
    assert told.startswith(f"{path}: results.pkl asks for builtins.print")


def tensors(results):
    kept = ("frames", "gender")
    return {
        name: {k: v if k in kept else torch.from_numpy(np.asarray(v)).requires_grad_() for k, v in r.items()}
        for name, r in results.items()
    }


def save_torch(path, results):
    torch.save(tensors(results), path)


def save_torch_of_old(path, results):
    torch.save(tensors(results), path, _use_new_zipfile_serialization=False)


def save_defaultdict(path, results):
    path.write_bytes(pickle.dumps(defaultdict(dict, results)))


def save_tensors(path, results):
    path.write_bytes(pickle.dumps(tensors(results)))


WAYS = (save_torch, save_torch_of_old, save_defaultdict, save_tensors)


@pytest.mark.parametrize("save", WAYS, ids=lambda save: save.__name__)
def test_the_words_that_convert_a_file_work(save, results, tmp_path):
    path = tmp_path / "it's mine.pkl"
    save(path, results)
    told = refusal(path)
    assert ".npz" not in told
    command = shlex.split(told[told.index("python -c") :])
    subprocess.run([sys.executable, *command[1:]], check=True, cwd=tmp_path)
    same(read_submission(tmp_path / "it's mine-plain.pkl"), results, ARRAYS)


def test_joblibs_files_are_told_from_others(packed, tmp_path):
    path = tmp_path / "r.pkl"
    for content in (zlib.compress(packed), gzip.compress(packed)):
        path.write_bytes(content)
        assert "found a compressed file. If you trust its author" in refusal(path)
        assert "joblib.load(sys.argv[1])" in refusal(path)
    path.write_bytes(b"\x80\x04cjoblib.numpy_pickle\nNumpyArrayWrapper\n)\x81.")
    with pytest.raises(UnsafePickleError, match=r"joblib\.load\(sys\.argv\[1\]\)"):
        read_submission(path)
