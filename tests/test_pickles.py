import builtins
import os
import pickle
import pickletools
import subprocess
import sys
from collections import OrderedDict

import numpy as np
import pytest
import scipy.sparse

from rhobin.pickles import BrokenFileError, UnsafePickleError, load_pickle


@pytest.fixture
def write(tmp_path):
    def write(data, protocol=pickle.HIGHEST_PROTOCOL):
        path = tmp_path / "data.pkl"
        path.write_bytes(data if isinstance(data, bytes) else pickle.dumps(data, protocol))
        return path

    return write


class _Call:
    """Pickles as a call of `function`."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


PLAIN = {
    "fit": {"pose": np.linspace(-3, 3, 156), "betas": np.ones(10, np.float32), "trans": [0.1, -2, 3e9]},
    "frames": ["t0003.000", "t0004.000"],
    "scalar": np.float64(1.5),
    "text": "sports ball",
    "bytes": b"\x00\xff",
    "nested": [({"a": (1, None, True)}, {2, 3}), OrderedDict(x=1, y=np.arange(3))],
    "structured": np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]),
    "fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "objects": np.array(["a", None, 3], dtype=object),
    "strings": np.array(["male", "female"]),
    "empty": np.zeros((0, 3)),
    "half": np.float16([1, 2]),
}


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_plain_data_is_read_back(write, protocol):
    found = load_pickle(write(PLAIN, protocol))
    np.testing.assert_equal(found, PLAIN)
    assert type(found["nested"][1]) is OrderedDict
    assert found["fit"]["pose"].dtype == np.float64


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("kind", ["csc_matrix", "csr_matrix", "coo_matrix", "csr_array"])
def test_sparse_matrices_are_read_back(write, kind, protocol):
    dense = np.diag([1.0, 0, 3])
    dense[0, 2] = -1
    found = load_pickle(write({"J_regressor": getattr(scipy.sparse, kind)(dense)}, protocol))["J_regressor"]
    assert scipy.sparse.issparse(found)
    np.testing.assert_array_equal(found.toarray(), dense)


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_other_versions_of_numpy_and_scipy_are_read(write, protocol):
    """The same bytes with the module names that numpy 1, numpy 2 and old scipy write."""
    data = pickle.dumps(
        {"a": np.arange(4.0), "s": np.float32(2), "m": scipy.sparse.csc_matrix(np.eye(2))}, protocol
    )
    names = [(b"numpy._core", b"numpy.core"), (b"scipy.sparse._csc", b"scipy.sparse.csc")]
    for new, old in names:
        assert new in data
        data = _rename(data, new, old) if protocol == 4 else data.replace(new, old)
    found = load_pickle(write(data))
    np.testing.assert_array_equal(found["a"], np.arange(4.0))
    assert found["s"] == 2
    np.testing.assert_array_equal(found["m"].toarray(), np.eye(2))


def _rename(data, new, old):
    """Replace a module name in a protocol 4 pickle: counted strings, within one frame."""
    for opcode, text, at in list(pickletools.genops(data))[::-1]:
        if opcode.name == "SHORT_BINUNICODE" and str(text).startswith(new.decode()):
            name = text.encode().replace(new, old)
            data = data[:at] + b"\x8c" + bytes([len(name)]) + name + data[at + 2 + len(text.encode()) :]
    size = len(data) - 11
    return data[:3] + size.to_bytes(8, "little") + data[11:]


def test_python_2_pickles_with_chumpy_are_read_as_arrays(write):
    """Protocol 2 as Python 2 wrote it: copy_reg, latin1 strings, chumpy objects and a Select of one."""
    array = pickle.dumps(np.arange(6.0), 2)[2:-1].replace(b"numpy._core", b"numpy.core")
    index = pickle.dumps(np.array([4, 1]), 2)[2:-1].replace(b"numpy._core", b"numpy.core")
    ch = b"ccopy_reg\n_reconstructor\n(cchumpy.ch\nCh\nc__builtin__\nobject\nNtR}(U\x01x" + array + b"ub"
    select = b"cchumpy.reordering\nSelect\n)\x81}(U\x01a" + ch + b"U\x04idxs" + index
    select += b"U\x0fpreferred_shapeK\x01K\x02\x86ub"
    found = load_pickle(write(b"\x80\x02}(U\x06v_same" + ch + b"U\x06shapes" + select + b"u."))
    np.testing.assert_array_equal(found["v_same"], np.arange(6.0))
    np.testing.assert_array_equal(found["shapes"], [[4.0, 1.0]])


def _leaves(tmp_path):
    return {path.name for path in tmp_path.iterdir()}


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize(
    "wrap",
    [
        lambda bomb: bomb,
        lambda bomb: {"pose": [1, ({"deep": bomb},)]},
        lambda bomb: np.array([bomb], dtype=object),
        lambda bomb: {"first": np.arange(3), "then": bomb},
    ],
)
def test_code_is_not_run(write, tmp_path, protocol, wrap):
    mark = tmp_path / "ran"
    command = f"import pathlib; pathlib.Path({str(mark)!r}).touch()"
    for function, argument in (
        (os.system, f'{sys.executable} -c "{command}"'),
        (builtins.eval, f"__import__('pathlib').Path({str(mark)!r}).touch()"),
        (builtins.exec, command),
        (subprocess.check_output, [sys.executable, "-c", command]),
        (builtins.open, str(mark)),
    ):
        path = write(wrap(_Call(function, *([argument, "w"] if function is open else [argument]))), protocol)
        with pytest.raises(UnsafePickleError, match=str(path)) as caught:
            load_pickle(path)
        assert function.__name__ in str(caught.value)
        assert _leaves(tmp_path) == {"data.pkl"}
    pickle.loads(pickle.dumps(_Call(builtins.exec, command)))
    assert mark.exists(), "the bombs above would have gone off"


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("builtins", "getattr"),
        ("builtins", "__import__"),
        ("builtins", "type"),
        ("numpy", "load"),
        ("numpy", "fromfile"),
        ("numpy.core.multiarray", "fromfile"),
        ("numpy", "core.multiarray.os.system"),
        ("numpy._core.multiarray", "_reconstruct.__self__"),
        ("functools", "partial"),
        ("operator", "attrgetter"),
        ("torch", "load"),
        ("scipy.sparse", "load_npz"),
        ("rhobin.pickles", "load_pickle"),
        ("copyreg", "__newobj__"),
    ],
)
def test_other_names_are_refused_even_unused(write, module, name):
    data = b"\x80\x04" + b"".join(b"\x8c" + bytes([len(x)]) + x.encode() for x in (module, name)) + b"\x93."
    with pytest.raises(UnsafePickleError, match=f"{module}.{name}"):
        load_pickle(write(data))


def _text(value):
    return b"\x8c" + bytes([len(value)]) + value.encode()


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("_codecs", "encode"),
        ("chumpy.ch", "Ch"),
        ("scipy.sparse", "csc_matrix"),
        ("numpy._core.numeric", "_frombuffer"),
    ],
)
def test_allowed_names_cannot_be_changed(write, module, name):
    """BUILD on the class or function itself, with plain and with slot state, must not stick."""
    state = b"}" + _text("__setstate__") + b"c__builtin__\nset\ns"
    for body in (state, b"N" + state + b"\x86"):
        path = write(b"\x80\x04c" + module.encode() + b"\n" + name.encode() + b"\n" + body + b"b.")
        with pytest.raises(BrokenFileError):
            load_pickle(path)
    sound = {"m": scipy.sparse.csc_matrix(np.eye(2)), "b": b"\xff"}
    np.testing.assert_array_equal(load_pickle(write(sound, 2))["m"].toarray(), np.eye(2))


def test_encodings_and_instances_are_limited(write):
    for data in (
        b"\x80\x02c_codecs\nencode\nU\x01aU\x05rot13\x86R.",
        b"\x80\x02ccopy_reg\n_reconstructor\nc__builtin__\nset\nc__builtin__\nset\n]\x87R.",
        b"\x80\x02c__builtin__\nbytearray\nJ\x00\x00\x00\x70\x85R.",
        b"\x80\x02cnumpy\nndarray\nJ\x00\x00\x00\x70\x85\x85R.",
    ):
        with pytest.raises(BrokenFileError):
            load_pickle(write(data))


def test_sparse_indices_outside_the_matrix_are_refused(write):
    """scipy's C code would read and write past its arrays."""
    matrix = scipy.sparse.csc_matrix(np.eye(3))
    matrix.indices[1] = 1_000_000
    with pytest.raises(BrokenFileError, match=r"data\.pkl"):
        load_pickle(write(matrix))


def test_truncated_files_are_broken(write):
    data = pickle.dumps(PLAIN)
    for size in (0, 1, 2, 10, len(data) // 2, len(data) - 1):
        path = write(data[:size])
        with pytest.raises(BrokenFileError, match=str(path)):
            load_pickle(path)


def test_other_files_are_broken(write):
    for data in (
        b"PK\x03\x04 not a pickle",
        b"\x80\x05\x95",
        b"\xff\xd8\xff\xe0\x00\x10JFIF",
        b"(" * 1000 + b".",
    ):
        with pytest.raises(BrokenFileError):
            load_pickle(write(data))
    deep = b"]" * 50_000 + b"a" * 49_999 + b"."
    with pytest.raises(BrokenFileError):
        load_pickle(write(deep))


def test_a_missing_file_says_where_it_looked(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"person_fit\.pkl"):
        load_pickle(tmp_path / "person_fit.pkl")


def test_containers_that_hold_themselves_are_read(write):
    loop = []
    loop.append({"again": loop})
    found = load_pickle(write(loop))
    assert found[0]["again"] is found
