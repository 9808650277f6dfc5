"""A damaged checkpoint is never taken for a whole one."""

import io
import random

import pytest
import torch

from rhobin.engine.resume import ResumeError, find_start
from rhobin.engine.saved import FORMAT, CheckpointError, NewerCheckpointError, read_checkpoint

SMALL = {
    "state_dict": {"a": torch.arange(5.0), "b": torch.ones(2, 2, dtype=torch.bfloat16)},
    "global_step": 3,
    "epoch": 0,
    "optimizer_states": [{"state": {0: {"step": torch.tensor(3.0)}}}],
    "rhobin": {"identity": {"seed": 0}, "random": {}, "log_rows": 1, "clock": {"batches": 3, "step": 3}},
}


def as_bytes(state):
    file = io.BytesIO()
    torch.save(state, file)
    return file.getvalue()


def equal(one, two):
    """Whether two nested states are the same, tensors bit for bit."""
    if isinstance(two, torch.Tensor):
        return one.dtype == two.dtype and torch.equal(one, two)
    if isinstance(two, dict):
        return one.keys() == two.keys() and all(equal(one[key], value) for key, value in two.items())
    if isinstance(two, list | tuple):
        return len(one) == len(two) and all(equal(a, b) for a, b in zip(one, two, strict=True))
    return one == two


def noticed(path, content, place, bit, expected):
    """Whether a flipped bit is noticed; where it is not, it must have changed nothing."""
    flipped = bytearray(content)
    flipped[place] ^= 1 << bit
    path.write_bytes(flipped)
    try:
        state = read_checkpoint(path)
    except CheckpointError:
        return True
    assert equal(state, expected), f"byte {place}, bit {bit}"
    return False


def test_no_flipped_bit_of_a_small_checkpoint_changes_what_is_read(tmp_path):
    content, rng = as_bytes(SMALL), random.Random(0)
    found = sum(
        noticed(tmp_path / "a.ckpt", content, place, rng.randrange(8), SMALL)
        for place in range(0, len(content), 7)
    )
    assert found > len(content) / 7 * 0.5  # the other bytes are padding and dates


def test_no_flipped_byte_of_a_run_s_checkpoint_changes_what_is_read(reference, tmp_path):
    last = reference / "checkpoints" / "last.ckpt"
    content, expected, rng = last.read_bytes(), read_checkpoint(last), random.Random(0)
    found = sum(
        noticed(tmp_path / "a.ckpt", content, rng.randrange(len(content)), rng.randrange(8), expected)
        for _ in range(60)
    )
    assert found > 45


def test_a_flipped_weight_makes_auto_take_the_one_before(stopped_at):
    run_dir = stopped_at(9)
    last = run_dir / "checkpoints" / "last.ckpt"
    content = bytearray(last.read_bytes())
    weight = torch.load(last, weights_only=True)["state_dict"]["net.beta.weight"]
    content[content.index(weight.numpy().tobytes()) + 3] ^= 64
    last.write_bytes(content)
    assert torch.load(last, weights_only=True)["global_step"] == 9  # torch alone notices nothing
    identity = read_checkpoint(run_dir / "checkpoints" / "previous.ckpt")["rhobin"]["identity"]
    start = find_start(run_dir, "auto", identity)
    assert (start.checkpoint.name, start.step) == ("previous.ckpt", 8)
    assert start.messages[0].startswith(f"skipped {last}: not readable (record ")


@pytest.mark.parametrize(
    ("lost", "named"),
    [
        ("rhobin", "rhobin.identity"),
        ("identity", "rhobin.identity"),
        ("log_rows", "rhobin.log_rows"),
        ("epoch", "epoch"),
    ],
)
def test_a_checkpoint_that_lacks_a_part_is_named_and_the_one_before_taken(lost, named, tmp_path):
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    record = {key: value for key, value in SMALL["rhobin"].items() if key != lost}
    broken = {key: value for key, value in {**SMALL, "rhobin": record}.items() if key != lost}
    torch.save({**broken, "rhobin": {}} if lost == "rhobin" else broken, folder / "last.ckpt")
    torch.save(SMALL, folder / "previous.ckpt")
    start = find_start(tmp_path, "auto", {"seed": 0})
    assert start.checkpoint.name == "previous.ckpt"
    assert f"last.ckpt: not a whole rhobin checkpoint (it lacks {named})" in start.messages[0]
    with pytest.raises(ResumeError, match=f"it lacks {named}"):
        find_start(tmp_path, str(folder / "last.ckpt"), {"seed": 0})


@pytest.mark.parametrize("content", [b"", b"text", as_bytes(SMALL)[:-200], as_bytes([1, 2])])
def test_other_files_are_refused_with_the_reason(content, tmp_path):
    path = tmp_path / "a.ckpt"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"a\.ckpt: not "):
        read_checkpoint(path)


def test_a_checkpoint_of_a_newer_version_is_refused_and_never_passed_over(stopped_at):
    run = stopped_at(5)
    last = run / "checkpoints" / "last.ckpt"
    state = torch.load(last, weights_only=True)
    assert state["rhobin"]["format"] == FORMAT
    state["rhobin"] |= {"format": FORMAT + 1, "version": "9.0"}
    torch.save(state, last)
    with pytest.raises(NewerCheckpointError, match=r"last\.ckpt was written by rhobin 9\.0 in format 2;"):
        find_start(run, "auto", {}, True)
