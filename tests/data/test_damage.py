"""Kinds of damage to a dataset: each is told with the file it is in, and nothing is written.

One line a kind. Trees are copied by hard links, so damage replaces files and never writes into them.
"""

import errno
import json
import multiprocessing
import os
import pickle
import shutil
import signal
import warnings
from pathlib import Path

import cv2
import numpy as np
import pytest
from behave_tree import make_tree
from data_samples import sample_config, truth_of

from rhobin.__main__ import main
from rhobin.behave.manifest import build_manifest
from rhobin.behave.read import read_release
from rhobin.behave.ref import write_ref
from rhobin.data.dataset import BehaveDataset
from rhobin.data.images.decode import BadSampleError
from rhobin.data.prepare import sequence as preparing
from rhobin.data.prepare.build import PrepareError, plan, prepare
from rhobin.data.prepare.prepared import is_prepared, read_prepared_splits
from rhobin.data.prepare.recipe import Recipe
from rhobin.data.prepare.view import prepare_view
from rhobin.data.splits import available_splits
from rhobin.objects.load import load_templates

BOX, CHAIR, TEST = "Date01_Sub01_boxlarge_lift", "Date01_Sub01_chairblack_sit", "Date03_Sub04_backpack_back"
SEQUENCE = f"sequences/{BOX}"
FRAME = f"{SEQUENCE}/t0003.000"
BODY, THING = f"{FRAME}/person/fit02/person_fit.pkl", f"{FRAME}/boxlarge/fit01/boxlarge_fit.pkl"
INFO, SPLIT = f"{SEQUENCE}/info.json", "split.json"
PLACE, LENS = "calibs/Date01/config/2/config.json", "calibs/intrinsics/2/calibration.json"
COLOR, PERSON, MASK = (f"{FRAME}/k2.{name}.jpg" for name in ("color", "person_mask", "obj_rend_mask"))
LATE = f"{SEQUENCE}/t0009.000"
MESH = "objects/stool/stool_f1000.ply"
MIRROR = [1, 0, 0, 0, 1, 0, 0, 0, -1]
VIEWS = 16  # of two training sequences of two frames


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return make_tree(tmp_path_factory.mktemp("damage") / "tree", train=(BOX, CHAIR), test=(TEST,))


@pytest.fixture
def tree(whole, tmp_path):
    return Path(shutil.copytree(whole, tmp_path / "tree", copy_function=os.link))


def put(path, content):
    """Replace a file, leaving alone the one that other trees share."""
    path.unlink(missing_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


def cut(path, share=0.5):
    put(path, path.read_bytes()[: int(path.stat().st_size * share)])


def edit_json(path, **changes):
    put(path, json.dumps({**json.loads(path.read_text()), **changes}))


def edit_lens(path, **changes):
    put(path, json.dumps({"color": {**json.loads(path.read_text())["color"], **changes}}))


def edit_fit(path, **changes):
    put(path, pickle.dumps({**pickle.loads(path.read_bytes()), **changes}))


def draw(path, shape, value=0):
    put(path, cv2.imencode(".jpg", np.full(shape, value, np.uint8))[1].tobytes())


def swap(first, name):
    second = first.with_name(Path(name).name)
    a, b = first.read_bytes(), second.read_bytes()
    put(first, b)
    put(second, a)


def remove(path):
    shutil.rmtree(path) if path.is_dir() else path.unlink()


def make_folder(path):
    remove(path)
    path.mkdir()


def rename_sequence(root, name):
    (root / SEQUENCE).rename(root / "sequences" / name)
    edit_json(root / SPLIT, train=[name, CHAIR])


def of(damage, file, *arguments, **changes):
    """Damage to one file of a tree."""
    return lambda root: damage(root / file, *arguments, **changes)


class Bomb:
    """Pickles into a call that would leave a file behind."""

    def __reduce__(self):
        return (os.system, ("touch bomb_went_off",))


def far(metres):
    return np.array([0.0, 0.0, metres])


# what is damaged: (how, reason, file that is named, views lost)
LEFT_OUT = {
    "no body fit": (of(remove, BODY), "missing_person_fit", BODY, 4),
    "no object fit": (of(remove, THING), "missing_object_fit", THING, 4),
    "body fit cut short": (of(cut, BODY), "broken_pickle", BODY, 4),
    "object fit without bytes": (of(put, THING, b""), "broken_pickle", THING, 4),
    "body fit full of noise": (of(put, BODY, bytes(range(256))), "broken_pickle", BODY, 4),
    "body fit that runs code": (of(put, BODY, pickle.dumps(Bomb())), "unsafe_pickle", BODY, 4),
    "object fit that runs code": (of(edit_fit, THING, angle=Bomb()), "unsafe_pickle", THING, 4),
    "a list for a fit": (of(put, BODY, pickle.dumps([1, 2])), "bad_parameters", BODY, 4),
    "a pose of SMPL": (of(edit_fit, BODY, pose=np.zeros(72)), "bad_parameters", BODY, 4),
    "a pose of NaN": (of(edit_fit, BODY, pose=np.full(156, np.nan)), "bad_parameters", BODY, 4),
    "an infinite shape": (of(edit_fit, BODY, betas=np.full(10, np.inf)), "bad_parameters", BODY, 4),
    "words for a place": (of(edit_fit, THING, trans="here"), "bad_parameters", THING, 4),
    "an object angle of NaN": (of(edit_fit, THING, angle=far(np.nan)), "bad_parameters", THING, 4),
    "a person 1000 m away": (of(edit_fit, BODY, trans=far(1e3)), "absurd_placement", f"{FRAME}/k0", 4),
    "a person behind kinect 1": (of(edit_fit, BODY, trans=far(-1)), "absurd_placement", f"{FRAME}/k1", 1),
    "an object 300 m away": (of(edit_fit, THING, trans=far(300)), "absurd_placement", f"{FRAME}/k0", 4),
    "an object behind kinect 2": (of(edit_fit, THING, trans=far(7)), "absurd_placement", f"{FRAME}/k2", 1),
    "a shape of no human": (of(edit_fit, BODY, betas=np.full(10, 99.0)), "absurd_placement", FRAME, 4),
    "no colour": (of(remove, COLOR), "missing_color", COLOR, 1),
    "no person mask": (of(remove, PERSON), "missing_person_mask", PERSON, 1),
    "no object mask": (of(remove, MASK), "missing_object_mask", MASK, 1),
    "colour without bytes": (of(put, COLOR, b""), "empty_file", COLOR, 1),
    "person mask without bytes": (of(put, PERSON, b""), "empty_file", PERSON, 1),
    "object mask without bytes": (of(put, MASK, b""), "empty_file", MASK, 1),
    "an empty frame folder": (of(make_folder, FRAME), "missing_person_fit", BODY, 4),
    "a file for a frame": (of(put, LATE, b""), "missing_person_fit", LATE, 4),
    "no sequence folder": (of(remove, SEQUENCE), "missing_sequence", SEQUENCE, 0),
    "no info.json": (of(remove, INFO), "bad_sequence", INFO, 8),
    "info.json cut short": (of(cut, INFO), "bad_sequence", INFO, 8),
    "info.json of a list": (of(put, INFO, "[1]"), "bad_sequence", INFO, 8),
    "info.json in no encoding": (of(put, INFO, b"\xff\xfe{"), "bad_sequence", INFO, 8),
    "the other gender": (of(edit_json, INFO, gender="female"), "bad_sequence", INFO, 8),
    "an unknown gender": (of(edit_json, INFO, gender="robot"), "bad_sequence", INFO, 8),
    "a gender of a number": (of(edit_json, INFO, gender=[1]), "bad_sequence", INFO, 8),
    "an unknown object": (of(edit_json, INFO, cat="piano"), "unknown_object", SEQUENCE, 8),
    "another object": (of(edit_json, INFO, cat="stool"), "missing_object_fit", f"{FRAME}/stool", 8),
    "calibration elsewhere": (of(edit_json, INFO, config="../x"), "bad_calibration", SEQUENCE, 8),
    "a name of another script": (of(rename_sequence, "", "日付_箱"), "bad_sequence", "sequences/日付", 8),
    "no placement": (of(remove, PLACE), "bad_calibration", SEQUENCE, 8),
    "a placement of NaN": (of(edit_json, PLACE, rotation=[np.nan] * 9), "bad_calibration", SEQUENCE, 8),
    "a mirrored placement": (of(edit_json, PLACE, rotation=MIRROR), "bad_calibration", SEQUENCE, 8),
    "no lens": (of(remove, LENS), "bad_calibration", SEQUENCE, 8),
    "a lens cut short": (of(cut, LENS), "bad_calibration", SEQUENCE, 8),
    "a lens of no length": (of(edit_lens, LENS, fx=0.0), "bad_calibration", SEQUENCE, 8),
    "half a distortion": (of(edit_lens, LENS, opencv=[1, 1, 1, 1, 0.1]), "bad_calibration", SEQUENCE, 8),
}  # fmt: skip
BOTH_SEQUENCES = {"a mirrored placement", "a placement of NaN", "no placement"} | {
    name for name in LEFT_OUT if "lens" in name or "distortion" in name
}

# what is damaged: (how, reason, file that is named)
AT_SAMPLING = {
    "colour cut short": (of(cut, COLOR), "unreadable_image", COLOR),
    "person mask cut short": (of(cut, PERSON), "unreadable_image", PERSON),
    "noise for a mask": (of(put, MASK, bytes(999)), "unreadable_image", MASK),
    "a folder for a colour": (of(make_folder, COLOR), "unreadable_image", COLOR),
    "colour of another size": (of(draw, COLOR, (60, 80, 3), 9), "image_size", COLOR),
    "masks of two sizes": (of(draw, MASK, (60, 80), 255), "image_size", MASK),
    "a black person mask": (of(draw, PERSON, (120, 160)), "empty_person_mask", PERSON),
    "a black object mask": (of(draw, MASK, (120, 160)), "empty_object_mask", MASK),
    "exchanged masks": (of(swap, PERSON, MASK), "wrong_masks", MASK),
}  # fmt: skip

# what is damaged: (how, message)
REFUSED = {
    "no split file": (of(remove, SPLIT), r"no split.json at .*tree/split.json"),
    "split file cut short": (of(cut, SPLIT), r"split.json: expected \{\"train\""),
    "a split in words": (of(edit_json, SPLIT, train="all"), r"split.json: .*expected a list, found str"),
    "a split of paths": (of(edit_json, SPLIT, train=["../x"]), r"split.json: .*'../x' is no name of a f"),
    "a sequence twice": (of(edit_json, SPLIT, train=[BOX, BOX]), rf"split.json: twice in train: {BOX}"),
    "trained and tested": (of(edit_json, SPLIT, train=[TEST]), rf"in training and in test: {TEST}"),
    "nothing to train on": (of(edit_json, SPLIT, train=[]), r"no usable frame in the train split"),
    "no sequences": (of(remove, "sequences"), r"rhobin synth --out"),
    "no calibration at all": (of(remove, "calibs"), r"no usable frame.*no calibration at"),
    "no templates": (of(remove, "objects"), r"objects folder at .*tree/objects"),
    "a template is missing": (of(remove, MESH), r"expected the simplified template .*stool_f1000"),
    "a template cut short": (of(cut, MESH), r"stool_f1000.ply: expected"),
    "a template without bytes": (of(put, MESH, b""), r"stool_f1000.ply: expected"),
}  # fmt: skip


def listing(root):
    return sorted((str(p), p.stat().st_size) for p in root.rglob("*") if p.is_file())


def datasets(release):
    """Datasets of all views of a release that skip bad samples, and that stop."""
    targets, views = truth_of(release), np.arange(len(release.views.frame))
    configs = (sample_config(32, on_bad_sample=how) for how in ("skip", "raise"))
    return [BehaveDataset(release, targets, views, config) for config in configs]


def show(dataset):
    return [dataset[index] for index in range(len(dataset))]


@pytest.mark.parametrize("kind", LEFT_OUT)
def test_what_cannot_be_used_is_left_out_counted_and_named(tree, kind, monkeypatch):
    damage, reason, file, lost = LEFT_OUT[kind]
    damage(tree)
    before = listing(tree)
    monkeypatch.chdir(tree)
    if kind in BOTH_SEQUENCES:  # a lens or a place of all sequences of a date
        with pytest.raises(ValueError, match=rf"no usable frame.*sequences/{BOX}.*{PLACE[:6]}"):
            read_release(tree, "train", templates=load_templates())
        release, skips = None, read_release(tree, "train", (0, 1, 3), load_templates()).skips
        assert skips == []
    else:
        release = read_release(tree, "train", templates=load_templates())
        assert {skip.reason for skip in release.skips} == {reason}
        assert release.skips[0].file.startswith(file)
        assert all(skip.file.startswith("sequences/") and skip.detail for skip in release.skips)
        assert sum(skip.views for skip in release.skips) == lost
        gone = {"missing_sequence": 8}.get(reason, 0 if file == LATE else lost)
        assert len(release.views.frame) == VIEWS - gone
        assert build_manifest([release])["skipped"][reason]["views"] == lost
    assert listing(tree) == before, "reading must not write"


@pytest.mark.parametrize("kind", AT_SAMPLING)
def test_training_goes_on_or_stops_as_configured(tree, kind):
    damage, reason, file = AT_SAMPLING[kind]
    damage(tree)
    release = read_release(tree, "train", templates=load_templates())
    assert release.skips == []
    patient, strict = datasets(release)
    shown = show(patient)
    assert [(s.reason, s.file, s.views) for s in patient.skips()] == [(reason, file, 1)]
    assert [sample.key.index for sample in shown] == [0, 1, 3, *range(3, VIEWS)], "the next view stands in"
    with pytest.raises(BadSampleError, match=rf"{file}: .*data.view.on_bad_sample=skip") as caught:
        show(strict)
    assert caught.value.reason == reason


@pytest.mark.parametrize("kind", REFUSED)
def test_what_all_depends_on_is_refused_with_its_name(tree, kind):
    damage, message = REFUSED[kind]
    damage(tree)
    before = listing(tree)
    with pytest.raises((FileNotFoundError, ValueError), match=f"(?s){message}"):
        read_release(tree, "train")
    assert listing(tree) == before


def test_every_kind_names_the_calibration_file_it_is_in(tree):
    (tree / PLACE).unlink()
    with pytest.raises(ValueError, match=r"no calibration at .*Date01/config/2/config.json"):
        read_release(tree, "train", templates=load_templates())


def test_names_in_any_script_are_no_damage(tree):
    rename_sequence(tree, "Date01_Sub01_boxlarge_持ち上げ ё")
    there = tree.rename(tree.with_name("データ é"))
    release = read_release(there, "train", templates=load_templates())
    assert release.skips == []
    assert len(show(datasets(release)[1])) == VIEWS


def test_a_template_with_other_vertices_is_a_warning(tree):
    templates = load_templates()
    stool = templates["stool"]
    turn = cv2.Rodrigues(np.array([0.3, 0.4, 0.5]))[0]
    put(tree / MESH, ply(stool.verts @ turn.T, stool.faces))
    with pytest.warns(UserWarning, match=r"stool_f1000.ply: 1094 vertices, BEHAVE's own file has 532"):
        assert len(read_release(tree, "train").views.frame) == VIEWS


def test_a_hostile_ref_costs_only_its_symmetries(tree):
    write_ref(tree / "ref.pkl", {}, {})
    put(tree / "ref.pkl", pickle.dumps({"annotations": Bomb(), "templates": {}}))
    with pytest.warns(UserWarning, match=r"symmetries are our own: .*ref.pkl asks for posix.system"):
        assert len(read_release(tree, "train").views.frame) == VIEWS


def test_a_file_that_goes_away_while_training(tree):
    release = read_release(tree, "train", templates=load_templates())
    (tree / COLOR).unlink()
    patient, strict = datasets(release)
    show(patient)
    assert [(s.reason, s.file) for s in patient.skips()] == [("unreadable_image", COLOR)]
    with pytest.raises(BadSampleError, match=r"k2.color.jpg: cannot be read: No such file"):
        show(strict)


def test_nothing_left_to_show_is_told(tree):
    for path in tree.glob("sequences/Date01*/*/k*.color.jpg"):
        cut(path)
    release = read_release(tree, "train", templates=load_templates())
    with pytest.raises(ValueError, match=r"none of the 16 views can be used; first: .*k0.color.jpg"):
        show(datasets(release)[0])


def ply(verts, faces):
    lines = [
        "ply",
        "format ascii 1.0",
        f"element vertex {len(verts)}",
        "property float x",
        "property float y",
    ]
    lines += ["property float z", f"element face {len(faces)}", "property list uchar int vertex_indices"]
    lines += ["end_header", *(" ".join(map(str, v)) for v in verts), *(f"3 {a} {b} {c}" for a, b, c in faces)]
    return "\n".join(lines)


def prepared(root, out):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        prepare(plan(list(available_splits(root).releases.values()), out, Recipe()))
    return out


def content(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def failing(views, error):
    """Stands in for preparing a view, and fails after some."""
    left = [views]

    def prepare_some(files, recipe):
        left[0] -= 1
        if left[0] < 0:
            error()
        return prepare_view(files, recipe)

    return prepare_some


def full_disk():
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def killed():
    os.kill(os.getpid(), signal.SIGKILL)


def run_until(root, out, views, error):
    preparing.prepare_view = failing(views, error)
    prepared(root, out)


def test_a_full_disk_while_preparing(tree, tmp_path, monkeypatch):
    out = tmp_path / "out"
    monkeypatch.setattr(preparing, "prepare_view", failing(11, full_disk))
    with pytest.raises(PrepareError, match=r"the disk is full. 1 of 3 sequences are complete and kept"):
        prepared(tree, out)
    assert not is_prepared(out)
    assert not [path for path in out.rglob("*") if ".part" in path.name]
    monkeypatch.undo()
    assert content(prepared(tree, out)) == content(prepared(tree, tmp_path / "at_once"))


def test_preparing_that_was_killed_goes_on(tree, tmp_path):
    out = tmp_path / "out"
    child = multiprocessing.get_context("fork").Process(target=run_until, args=(tree, out, 11, killed))
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL
    assert not is_prepared(out)
    assert content(prepared(tree, out)) == content(prepared(tree, tmp_path / "at_once"))


def test_a_cache_that_cannot_be_written(tree, tmp_path, monkeypatch, capsys):
    def refuse(*args, **options):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), "out")

    monkeypatch.setattr(Path, "mkdir", refuse)
    assert main(["prepare", str(tree), str(tmp_path / "out"), "--workers", "1"]) == 1
    assert "cannot be written (Read-only file system" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_damage_is_prepared_around_and_the_same_is_skipped(tree, tmp_path):
    cut(tree / COLOR)
    swap(tree / f"{FRAME}/k0.person_mask.jpg", "k0.obj_rend_mask.jpg")
    found = {}
    for name, root in (("raw", tree), ("prepared", prepared(tree, tmp_path / "out"))):
        dataset = datasets(available_splits(root).releases["train"])[0]
        show(dataset)
        found[name] = [skip.reason for skip in dataset.skips()]
        assert [BOX in skip.file for skip in dataset.skips()] == [True, True], dataset.skips()
    assert found["raw"] == found["prepared"] == ["wrong_masks", "unreadable_image"]


@pytest.mark.parametrize(("pattern", "share"), [("*.jpg", 0.5), ("*.bits", 0.9), ("*.jpg", 0.0)])
def test_prepared_files_that_changed_since(tree, tmp_path, pattern, share):
    out = prepared(tree, tmp_path / "out")
    train, _ = read_prepared_splits(out)
    for path in out.rglob(pattern):
        cut(path, share)
    patient, strict = datasets(train)
    with pytest.raises(BadSampleError, match=r"does not have the \d+ bytes that the index says"):
        show(strict)
    with pytest.raises(ValueError, match="none of the 16 views can be used"):
        show(patient)


@pytest.mark.parametrize("file", ["prepared.json", "index/train/stored.npy", "templates.npz"])
def test_a_prepared_index_that_is_broken(tree, tmp_path, file):
    out = prepared(tree, tmp_path / "out")
    cut(out / file, 0.3)
    with pytest.raises(ValueError, match=rf"(?s){file.rsplit('/')[-1]}.*"):
        available_splits(out)


def test_there_are_sixty_kinds_and_more():
    assert len(LEFT_OUT) + len(AT_SAMPLING) + len(REFUSED) >= 60  # and 13 with tests of their own
