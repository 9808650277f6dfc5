"""`rhobin prepare` and its checks, as a user meets them."""

import cv2
import numpy as np
from behave_tree import TRAIN
from preparing import read_raw, run

from rhobin.behave.skips import REASONS
from rhobin.cli import prepare as command
from rhobin.data.prepare.check import INHERENT, check_raw


def cli(*arguments):
    import argparse

    parser = argparse.ArgumentParser()
    command.configure(parser)
    return command.run(parser.parse_args([str(a) for a in arguments]))


def test_the_command_from_dry_run_to_green(own_root, tmp_path, capsys):
    out = tmp_path / "out"
    assert cli(own_root, out, "--dry-run") == 0
    assert "views to prepare" in capsys.readouterr().out
    assert not out.exists()
    assert cli(own_root, out, "--workers", 1) == 0
    assert "5 sequences prepared" in capsys.readouterr().out
    for arguments in ([out], [own_root], [own_root, out]):
        assert cli(*arguments, "--check", "--workers", 1) == 0
        assert "34 views checked, ready to train from" in capsys.readouterr().out


def test_nothing_is_written_into_the_dataset(own_root, tmp_path, capsys):
    before = sorted(own_root.rglob("*"))
    (tmp_path / "link").symlink_to(own_root)
    for out in (own_root, own_root / "prepared", own_root.parent, tmp_path / "link"):
        assert cli(own_root, out, "--workers", 1) == 1
        assert "overlap; expected a folder of its own" in capsys.readouterr().err
    assert sorted(own_root.rglob("*")) == before


def test_the_command_on_damage(own_root, tmp_path, capsys):
    out = tmp_path / "out"
    folder = own_root / "sequences" / TRAIN[0] / "t0003.000"
    (folder / "k1.color.jpg").write_bytes((folder / "k1.color.jpg").read_bytes()[:-300])
    cv2.imwrite(str(folder / "k3.obj_rend_mask.jpg"), np.zeros((120, 160), np.uint8))
    assert cli(own_root, "--check", "--workers", 1) == 1
    said = capsys.readouterr().out
    assert "an image is truncated or cannot be decoded: 1 files, 1 views lost" in said
    assert "no object pixel is visible" in said
    assert "1 kind of problem" in said
    assert cli(own_root, out, "--workers", 1) == 0
    said = capsys.readouterr().out
    assert "truncated" in said
    assert "no object pixel is visible" not in said  # the view can still be cut about the person
    assert "1 stored views wholly hide the person or the object" in said
    assert cli(own_root, out, "--check") == 0
    (next((out / "views/train" / TRAIN[2]).glob("*.jpg"))).write_bytes(b"\xff\xd8 short")
    (out / "index/test/stored.npy").unlink()
    assert cli(out, "--check") == 1
    assert "part of the index is missing or broken" in capsys.readouterr().err


def test_the_command_says_what_it_expected(own_root, tmp_path, capsys):
    assert cli(own_root) == 2
    assert cli(tmp_path / "none", tmp_path / "out") == 1
    assert cli(own_root, tmp_path / "none", "--check") == 1
    assert cli(own_root, tmp_path / "out", "--margin", 0.5) == 1
    said = capsys.readouterr().err
    for part in (
        "expected where to write",
        "no BEHAVE data at",
        "not a complete prepared root",
        "--margin is 0.5",
    ):
        assert part in said
    run(own_root, tmp_path / "out")
    assert cli(tmp_path / "out", tmp_path / "twice") == 1
    assert "is a prepared root already" in capsys.readouterr().err


def test_inherent_reasons_exist():
    assert set(REASONS) > INHERENT


def test_checking_tells_damage_from_what_the_release_lacks(own_root):
    folder = own_root / "sequences" / TRAIN[0] / "t0003.000"
    (folder / "k0.obj_rend_mask.jpg").unlink()
    verdict = check_raw(read_raw(own_root))
    assert not verdict.problems
    assert verdict.manifest["skipped"] == {"missing_object_mask": {"files": 1, "views": 1}}
    (folder / "k1.person_mask.jpg").unlink()
    verdict = check_raw(read_raw(own_root))
    assert len(verdict.problems) == 1
    assert "k1.person_mask.jpg" in verdict.problems[0]
