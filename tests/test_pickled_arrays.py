"""Arrays in pickles: equal to what pickle itself reads, or refused."""

import ast
import copy
import pickle
import pickletools
import re
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import rhobin
from rhobin.pickles import BrokenFileError, load, load_pickle
from rhobin.pickles.write import pickled

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)
PLAIN = st.one_of(
    hnp.boolean_dtypes(),
    hnp.integer_dtypes(endianness="?"),
    hnp.unsigned_integer_dtypes(endianness="?"),
    hnp.floating_dtypes(endianness="?"),
    hnp.complex_number_dtypes(endianness="?"),
    hnp.unicode_string_dtypes(endianness="?", max_len=4),
    hnp.byte_string_dtypes(max_len=4),
)
SHAPES = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)


@st.composite
def arrays(draw):
    """Any order of axes, steps and directions, byte order, type; 0-d, empty and structured."""
    kind = draw(st.one_of(PLAIN, hnp.array_dtypes(PLAIN, max_size=3, allow_subarrays=True)))
    made = draw(hnp.arrays(kind, draw(SHAPES)))
    made = made.transpose(draw(st.permutations(range(made.ndim))))
    for axis in range(made.ndim):
        step = draw(st.sampled_from([1, 2, -1]))
        made = made[(slice(None),) * axis + (slice(None, None, step),)]
    return made


def read(folder, value, protocol):
    path = folder / "value.pkl"
    path.write_bytes(pickle.dumps(value, protocol))
    return load_pickle(path)


@settings(max_examples=300, deadline=None)
@given(array=arrays(), protocol=st.sampled_from(PROTOCOLS))
def test_any_array_is_read_as_pickle_reads_it(tmp_path_factory, array, protocol):
    found = read(tmp_path_factory.mktemp("any"), array, protocol)
    assert (found.dtype, found.shape) == (array.dtype, array.shape)
    assert found.tobytes() == array.tobytes()
    assert found.flags.writeable


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_transposed_view_keeps_its_axes(tmp_path, protocol):
    turns = np.arange(18.0).reshape(2, 3, 3).swapaxes(1, 2)
    np.testing.assert_array_equal(read(tmp_path, turns, protocol), turns)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("value", [np.float32(1.5), np.bool_(True), np.str_("ab"), np.bytes_(b"c"), 2 + 3j])
def test_scalars_keep_their_type(tmp_path, value, protocol):
    found = read(tmp_path, value, protocol)
    assert (found, type(found)) == (value, type(value))


class _State:
    """Pickles as a numpy object with a state of our own."""

    def __init__(self, made, state):
        self.reduced = (*made, state)

    def __reduce__(self):
        return self.reduced


def false_dtype(name="V8", kind="O", offset=0):
    """A dtype of one field; of objects with flags 0, numpy would take its bytes for pointers."""
    return _State(
        (np.dtype, (name, False, True)), (3, "|", None, ("a",), {"a": (np.dtype(kind), offset)}, 8, 1, 0)
    )


def false_array(shape, dtype, content, fortran=False):
    function, arguments, _ = np.zeros(0).__reduce__()
    return _State((function, arguments), (1, shape, dtype, fortran, content))


HOSTILE = {
    "bytes as pointers": false_array((1,), false_dtype(), b"A" * 8),
    "a plain type with a field": false_array((1,), false_dtype("f8"), b"A" * 8),
    "a field outside": false_array((1,), false_dtype(kind="f8", offset=4096), b"A" * 8),
    "a field before": false_array((1,), false_dtype(kind="f8", offset=-4096), b"A" * 8),
    "more than its bytes": false_array((1 << 40,), np.dtype("f8"), b"A" * 8),
    "fewer than its bytes": false_array((1,), np.dtype("f8"), b"A" * 16),
    "a negative size": false_array((-1,), np.dtype("f8"), b"A" * 8),
    "values of no bytes": false_array((1 << 40,), np.dtype("S0"), b""),
    "objects from bytes": false_array((1,), np.dtype("O"), b"A" * 8),
    "fewer objects": false_array((2,), np.dtype("O"), [1]),
    "raw memory": false_array((1,), np.dtype("V8"), b"A" * 8),
    "days": np.array(["2023-06-01"], "datetime64[D]"),
    "a boolean of 2": false_array((1,), np.dtype("b1"), b"\x02"),
    "no letter": false_array((1,), np.dtype("<U1"), b"\xff" * 4),
}


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)
def test_what_is_no_plain_array_is_refused(tmp_path, value):
    """In another process, since numpy's own reader would crash it."""
    path = tmp_path / "value.pkl"
    path.write_bytes(pickle.dumps(value, 4))
    script = (
        "import sys; from rhobin.pickles import BrokenFileError, load_pickle\n"
        "try:\n    print(repr(load_pickle(sys.argv[1])))\n"
        "except BrokenFileError as error:\n    print('refused', error)"
    )
    done = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, text=True)
    assert done.returncode == 0, (done.returncode, done.stderr)
    assert done.stdout.startswith(f"refused {path}"), done.stdout


def test_shared_tuples_take_no_time(tmp_path):
    """Each of 200 tuples holds the one before twice."""
    nested = ()
    for _ in range(200):
        nested = (nested, nested)
    path = tmp_path / "value.pkl"
    path.write_bytes(pickle.dumps({"a": nested}, 2))
    assert len(load_pickle(path)["a"]) == 2


def test_copies_of_copies_are_refused(tmp_path):
    """One string, and an instruction to copy it for every few bytes of the file."""
    text = b"X" + (200_000).to_bytes(4, "little") + b"a" * 200_000 + b"q\x00"
    copies = b"h\x00\x85q\x01" + b"".join(b"c__builtin__\nbytearray\nh\x02h\x01R" for _ in range(40))
    data = b"\x80\x02](" + b"c_codecs\nencode\n" + text + b"\x85Rq\x02" + copies + b"e."
    path = tmp_path / "value.pkl"
    path.write_bytes(data)
    with pytest.raises(BrokenFileError, match=r"value\.pkl"):
        load_pickle(path)
    sets = (
        b"\x80\x02]("
        + b"]("
        + b"K\x01" * 20_000
        + b"eq\x00"
        + b"c__builtin__\nset\nh\x00\x85R" * 30_000
        + b"e."
    )
    path.write_bytes(sets)
    with pytest.raises(BrokenFileError, match=r"value\.pkl.*bytes of memory"):
        load_pickle(path)


def test_more_containers_than_data_have_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(load, "MOST_OBJECTS", 1000)
    path = tmp_path / "value.pkl"
    path.write_bytes(pickle.dumps([[] for _ in range(2000)]))
    with pytest.raises(BrokenFileError, match="containers"):
        load_pickle(path)
    sound = [list(range(100)) for _ in range(500)]
    path.write_bytes(pickle.dumps(copy.deepcopy(sound)))
    assert load_pickle(path) == sound


def test_one_module_writes_all_pickles():
    source = Path(rhobin.__file__).parent
    calls = {
        file: [node for node in ast.walk(ast.parse(file.read_bytes())) if isinstance(node, ast.Call)]
        for file in source.rglob("*.py")
    }
    writing = {
        f for f, nodes in calls.items() for n in nodes if re.match(r"pickle\.dumps?$", ast.unparse(n.func))
    }
    assert writing == {source / "pickles" / "write.py"}


@pytest.mark.parametrize(
    "value",
    [
        {
            "a": np.arange(6.0).reshape(2, 3),
            "b": [np.float32(1), "numpy._core.multiarray"],
            "c": b"cnumpy._core.",
        },
        {"m": np.frombuffer(b"cnumpy._core.multiarray\n", np.uint8), "t": (True, None, {"x": np.str_("y")})},
    ],
)
def test_what_is_written_names_nothing_that_old_numpy_lacks(tmp_path, value):
    data = pickled(value)
    names = {argument for opcode, argument, _ in pickletools.genops(data) if opcode.name == "GLOBAL"}
    assert names
    assert not [name for name in names if "_core" in name]
    assert {opcode.proto for opcode, _, _ in pickletools.genops(data)} <= {0, 1, 2, 3}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        np.testing.assert_equal(pickle.loads(data), value)
    path = tmp_path / "value.pkl"
    path.write_bytes(data)
    np.testing.assert_equal(load_pickle(path), value)
