"""What is broken in a package of the 2023 or 2024 challenge: a skip that names the file, or a message."""

import json
import pickle
import shutil

import numpy as np
import pytest
from behave_tree import TEST, TRAIN
from damage import Bomb, truncate

from rhobin.behave.builder import EmptySplitError
from rhobin.behave.read import read_release
from rhobin.pickles import BrokenFileError, UnsafePickleError

BOX = TRAIN[0]


def edit_ref(root, edit):
    path = root / "ref.pkl"
    content = pickle.loads(path.read_bytes())
    edit(content)
    path.write_bytes(pickle.dumps(content))


def nan_pose(ref):
    ref["annotations"][TEST[0]]["poses"][0, 0] = np.nan


IMAGES_2023 = f"test_images/{TEST[0]}"
DAMAGE_2023 = {
    "no folder of a frame": (lambda r: shutil.rmtree(r / IMAGES_2023 / "t0003.000"), "missing_image", 1),
    "no mask": (
        lambda r: (r / IMAGES_2023 / "t0003.000/k1.person_mask.jpg").unlink(),
        "missing_person_mask",
        1,
    ),
    "empty image": (lambda r: (r / IMAGES_2023 / "t0003.000/k1.color.jpg").write_bytes(b""), "empty_file", 1),
    "NaN pose": (lambda r: edit_ref(r, nan_pose), "bad_parameters", 1),
    "unannotated frame": (lambda r: (r / IMAGES_2023 / "t0009.000").mkdir(), "missing_annotation", 0),
}


@pytest.mark.parametrize("what", DAMAGE_2023)
def test_damage_of_the_2023_test_images_is_skipped_and_named(own_layout, templates, what):
    damage, reason, lost = DAMAGE_2023[what]
    root = own_layout("2023")
    damage(root)
    release = read_release(root, "test", templates=templates)
    (skip,) = release.skips
    assert skip.reason == reason
    assert skip.file.startswith(IMAGES_2023)
    assert len(release.views.frame) == 2 - lost


def whole_sequence_2023(root):
    return {
        "missing_sequence": lambda: shutil.rmtree(root / IMAGES_2023),
        "bad_sequence": lambda: edit_ref(root, lambda c: c["annotations"][TEST[0]].update(gender="robot")),
        "not_in_split": lambda: (root / "split.json").write_text('{"train": [], "test": []}'),
    }


@pytest.mark.parametrize("reason", ["missing_sequence", "bad_sequence", "not_in_split"])
def test_a_2023_package_without_usable_test_data_still_trains(own_layout, templates, reason):
    root = own_layout("2023")
    (root / "split.json").unlink()
    whole_sequence_2023(root)[reason]()
    with pytest.raises(EmptySplitError, match="test_images"):
        read_release(root, "test", templates=templates)
    if reason != "not_in_split":
        assert len(read_release(root, "train", templates=templates).views.frame) == 32


def test_test_images_without_annotations_are_a_hidden_test_set(own_layout, templates):
    root = own_layout("2023")
    known = read_release(root, "test", templates=templates)
    (root / "ref.pkl").unlink()
    hidden = read_release(root, "test", templates=templates)
    assert hidden.views.files.tolist() == known.views.files.tolist()
    for name in ("name", "gender", "object_id"):
        assert getattr(hidden.frames, name).tolist() == getattr(known.frames, name).tolist()
    assert not hidden.frames.has_body.any()
    assert np.isnan(hidden.frames.obj_trans).all()
    assert known.frames.has_body.all()


def test_training_parts_follow_the_split(own_layout, templates):
    root = own_layout("2023")
    (root / "split.json").write_text(json.dumps({"train": [*TRAIN[1:], "Date09_Sub01_stool"], "test": []}))
    release = read_release(root, "train", templates=templates)
    assert [(skip.file, skip.reason) for skip in release.skips] == [
        (f"train_part1/{BOX}", "not_in_split"),
        ("train_part1/Date09_Sub01_stool", "missing_sequence"),
    ]


def test_a_reference_that_would_run_code_is_refused(own_layout, tmp_path):
    for layout in ("2023", "2024"):
        root = own_layout(layout)
        (root / "ref.pkl").write_bytes(pickle.dumps(Bomb(tmp_path / "ran")))
        with pytest.raises(UnsafePickleError, match=r"ref.pkl"):
            read_release(root, "test")
        truncate(root / "ref.pkl")
        with pytest.raises(BrokenFileError, match=r"ref.pkl"):
            read_release(root, "test")
    assert not (tmp_path / "ran").exists()


ID = f"{BOX}-t0003.000-k2"
GT = f"train/gt/{ID}.pkl"


def edit_gt(path, **changes):
    path.write_bytes(pickle.dumps({**pickle.loads(path.read_bytes()), **changes}))


DAMAGE_2024 = {
    "no annotation": (GT, lambda p: p.unlink(), "missing_annotation"),
    "truncated annotation": (GT, truncate, "broken_pickle"),
    "annotation that runs code": (
        GT,
        lambda p: p.write_bytes(pickle.dumps(Bomb(p / "ran"))),
        "unsafe_pickle",
    ),
    "annotation that is a list": (GT, lambda p: p.write_bytes(pickle.dumps([1])), "bad_parameters"),
    "SMPL instead of SMPL-H": (GT, lambda p: edit_gt(p, pose=np.zeros(72)), "bad_parameters"),
    "infinite translation": (GT, lambda p: edit_gt(p, trans=np.full(3, np.inf)), "bad_parameters"),
    "unknown gender": (GT, lambda p: edit_gt(p, gender="robot"), "bad_parameters"),
    "object vertices of no template": (
        GT,
        lambda p: edit_gt(p, verts_obj=np.zeros((7, 3))),
        "unknown_template",
    ),
    "object vertices elsewhere": (
        GT,
        lambda p: edit_gt(p, obj_trans=np.array([0.0, 0.0, 9.0])),
        "unknown_template",
    ),
    "no image": (f"train/images/{ID}.jpg", lambda p: p.unlink(), "missing_image"),
    "empty image": (f"train/images/{ID}.jpg", lambda p: p.write_bytes(b""), "empty_file"),
    "no human mask": (f"train/masks/{ID}_hum_mask.png", lambda p: p.unlink(), "missing_person_mask"),
    "no object mask": (f"train/masks/{ID}_obj_mask.png", lambda p: p.unlink(), "missing_object_mask"),
    "broken lens": ("calibs/intrinsics/2/calibration.json", lambda p: p.write_text("{"), "bad_calibration"),
}


@pytest.mark.parametrize("what", DAMAGE_2024)
def test_damage_of_an_image_package_is_skipped_and_named(own_layout, templates, what):
    file, damage, reason = DAMAGE_2024[what]
    root = own_layout("2024")
    damage(root / file)
    release = read_release(root, "train", templates=templates)
    assert {(skip.file, skip.reason) for skip in release.skips} == {(file, reason)}
    assert len(release.views.frame) == 32 - len(release.skips)


def test_test_images_may_be_annotated_by_ref_alone(own_layout, templates):
    root = own_layout("2024")
    whole = read_release(root, "test", (1,), templates=templates)
    shutil.rmtree(root / "test/gt")
    release = read_release(root, "test", (1,), templates=templates)
    assert release.skips == []
    with pytest.raises(EmptySplitError, match=r"ref\.pkl has no such"):  # it lists kinect 1
        read_release(root, "test", (0, 2, 3), templates=templates)
    assert np.allclose(release.frames.obj_angle, whole.frames.obj_angle)
    assert np.array_equal(release.frames.pose, whole.frames.pose)
    edit_ref(root, lambda c: c["annotations"].popitem())
    found = read_release(root, "test", (1,), templates=templates).skips
    assert [skip.reason for skip in found] == ["missing_annotation"]


def test_images_of_other_datasets_and_translations_of_one_row(own_layout, templates):
    root = own_layout("2024")
    name = f"{TEST[0]}-t0003.000-k1"
    edit_ref(root, lambda c: c["annotations"][name].update(meta=("icap", "male", "obj01")))
    other = root / f"test/gt/{TEST[0]}-t0003.000-k0.pkl"
    edit_gt(other, trans=pickle.loads(other.read_bytes())["trans"][None])
    release = read_release(root, "test", templates=templates)
    assert [(skip.file, skip.reason) for skip in release.skips] == [
        (f"test/images/{name}.jpg", "other_dataset")
    ]
    assert release.exceptions == {"other-dataset": ["test"]}
    assert len(release.views.frame) == 7


def test_a_reference_without_templates_is_refused(own_layout):
    root = own_layout("2024")
    edit_ref(root, lambda c: c.pop("templates"))
    with pytest.raises(ValueError, match=r"ref.pkl: expected a dict with templates"):
        read_release(root, "train")
    (root / "ref.pkl").unlink()
    with pytest.raises(
        FileNotFoundError, match=r"no object templates .* expected ref.pkl .* or the folder objects/"
    ):
        read_release(root, "train")
