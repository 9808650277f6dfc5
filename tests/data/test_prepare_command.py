"""`rhobin prepare` and its checks, as a user meets them."""

import cv2
import numpy as np
from behave_tree import TRAIN
from commands_of_prepare import cli
from preparing import content, read_raw, run

from rhobin.behave.skips import REASONS
from rhobin.data.prepare import build
from rhobin.data.prepare.check import INHERENT, check_raw
from rhobin.data.prepare.index import read_recipe
from rhobin.data.prepare.recipe import Recipe


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


def test_other_options_are_asked_for_twice(own_root, tmp_path, capsys):
    """Views that were stored with other options are hours of work: nothing replaces them silently."""
    out, shards = tmp_path / "out", Recipe(size=64, shards=True)
    run(own_root, out, shards)
    before = content(out)
    assert cli(own_root, out, "--workers", 1) == 1
    said = capsys.readouterr().err
    assert "5 sequences are stored with other options than this command's. Nothing was changed" in said
    assert f"go on with the stored options: rhobin prepare {own_root} {out} --size 64 --shards\n" in said
    assert f"To replace what is stored: rhobin prepare {own_root} {out} --redo\n" in said
    assert content(out) == before
    assert cli(own_root, out, "--dry-run") == 0
    assert cli(own_root, out, "--size", 64, "--shards", "--workers", 1) == 0
    assert content(out) == before
    assert cli(own_root, out, "--redo", "--workers", 1) == 0
    assert read_recipe(out) == Recipe()


def test_other_options_are_asked_for_twice_of_an_unfinished_root(own_root, tmp_path, monkeypatch, capsys):
    out = tmp_path / "out"
    with monkeypatch.context() as patch:
        patch.setattr(build, "write_index", lambda *arguments: (_ for _ in ()).throw(OSError("killed")))
        assert cli(own_root, out, "--size", 64, "--workers", 1) == 1
    assert read_recipe(out) == Recipe(size=64)
    assert cli(own_root, out, "--workers", 1) == 1
    assert "--size 64" in capsys.readouterr().err
    assert cli(own_root, out, "--size", 64, "--workers", 1) == 0
    assert "5 were complete before" in capsys.readouterr().out
    assert not (out / "unfinished.json").exists()


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
