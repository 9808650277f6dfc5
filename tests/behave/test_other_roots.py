"""Roots that hold the same in another way: moved, linked, unpacked elsewhere, written by other systems."""

import json
import pickle
import shutil

import cv2
import numpy as np
import pytest
import torch
from behave_tree import TRAIN

from rhobin.behave.detections import check_detections
from rhobin.behave.read import read_release

BOX, FOUR = TRAIN[0], (0, 1, 2, 3)


def read(root, templates):
    release = read_release(root, "train", FOUR, templates)
    assert release.skips == []
    return release


def same(release, whole):
    """The same frames, views, files and cameras, wherever they lie."""
    assert release.data_hash == whole.data_hash
    for key in ("name", "pose", "betas", "trans", "obj_angle", "obj_trans", "gender", "object_id"):
        assert np.array_equal(getattr(release.frames, key), getattr(whole.frames, key)), key
    assert np.array_equal(release.views.kinect, whole.views.kinect)
    assert release.sequences == whole.sequences
    names = [[path.rpartition("/")[2] for path in row] for row in release.views.files.tolist()]
    assert names == [[path.rpartition("/")[2] for path in row] for row in whole.views.files.tolist()]
    for mine, other in zip(release.cameras, whole.cameras, strict=True):
        assert np.array_equal(mine.K, other.K)
        assert np.array_equal(mine.t, other.t)


@pytest.fixture(scope="module")
def whole(release_root, templates):
    return read(release_root, templates)


def edit(path, **changes):
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def edit_info(root, **changes):
    for name in TRAIN:
        info = root / "sequences" / name / "info.json"
        edit(info, **{k: v.format(name[:6]) if isinstance(v, str) else v for k, v in changes.items()})


def marked(root, encoding):
    for path in (*root.glob("sequences/*/info.json"), root / "split.json", *root.glob("calibs/**/*.json")):
        path.write_text(path.read_text(), encoding)


def linked(root):
    shutil.move(root / "sequences", root.with_name("elsewhere"))
    (root / "sequences").symlink_to(root.with_name("elsewhere"))


def each_linked(root):
    for name in TRAIN:
        shutil.move(root / "sequences" / name, root.with_name(f"disk_{name}"))
        (root / "sequences" / name).symlink_to(root.with_name(f"disk_{name}"))


def by_date(root):
    for path in sorted((root / "sequences").iterdir()):
        (root / "sequences" / path.name[:6]).mkdir(exist_ok=True)
        path.rename(root / "sequences" / path.name[:6] / path.name)


def bare(root):
    for path in sorted((root / "sequences").iterdir()):
        path.rename(root / path.name)
    (root / "sequences").rmdir()


WAYS = {
    "cameras not named": lambda r: edit_info(r, config=None, intrinsic=None, kinects=None),
    "cameras on another computer": lambda r: edit_info(
        r, config="/scratch/someone/calibs/{}/config", intrinsic="/scratch/someone/calibs/intrinsics"
    ),
    "cameras with backslashes": lambda r: edit_info(
        r, config="..\\..\\calibs\\{}\\config", intrinsic="D:\\behave\\calibs\\intrinsics"
    ),
    "a byte order mark": lambda r: marked(r, "utf-8-sig"),
    "UTF-16": lambda r: marked(r, "utf-16"),
    "sequences behind a link": linked,
    "each sequence behind a link": each_linked,
    "a folder for each date": by_date,
    "sequences in the root": bare,
}


@pytest.mark.parametrize("way", WAYS)
def test_a_root_of_another_kind_is_the_same_release(own_root, whole, templates, way):
    WAYS[way](own_root)
    same(read(own_root, templates), whole)
    if way in ("a folder for each date", "sequences in the root"):
        assert check_detections(own_root)["OpenPose"].views == 40


def test_kinects_that_did_not_film_are_not_missed(own_root, templates):
    edit_info(own_root, kinects=[0, 1, 2])
    for pattern in ("sequences/Date0[124]*/*/k3.*", "calibs/Date0[124]/config/3/*"):
        for path in own_root.glob(pattern):
            path.unlink()
    assert sorted(set(read(own_root, templates).views.kinect)) == [0, 1, 2]
    edit_info(own_root, kinects=[])
    with pytest.raises(ValueError, match=r"info.json: films of kinects none, asked for 0, 1, 2, 3"):
        read_release(own_root, "train", FOUR, templates)


SYSTEM = ("Thumbs.db", ".DS_Store", "._t0003.000", "._k0.color.jpg", "desktop.ini")


@pytest.mark.parametrize("layout", ["raw", "30fps", "2023", "2024"])
def test_what_systems_leave_behind_is_no_data(own_layout, templates, layout):
    root = own_layout(layout)
    whole = {split: read_release(root, split, templates=templates) for split in ("train", "test")}
    for folder in [root, *(path for path in root.rglob("*") if path.is_dir())]:
        for name in (*SYSTEM, *(f"._{path.name}" for path in sorted(folder.iterdir())[:3])):
            (folder / name).write_bytes(b"\0\5\26\7")
    for part in ("train_part1", "sequences", "behave-30fps-params-v1"):
        if (root / part).is_dir():
            (root / part / "__MACOSX" / BOX).mkdir(parents=True)
    for split, expected in whole.items():
        release = read_release(root, split, templates=templates)
        assert release.skips == expected.skips == []
        assert release.data_hash == expected.data_hash


def test_parts_of_2023_may_hold_a_folder_between(own_layout, templates):
    root = own_layout("2023")
    whole = read(root, templates)
    (root / "train_part1").rename(root / "between")
    (root / "train_part1").mkdir()
    (root / "between").rename(root / "train_part1" / "train_part1")
    same(read(root, templates), whole)


def test_parameters_at_30fps_may_hold_a_folder_between(own_layout, templates):
    root = own_layout("30fps")
    whole, place = read(root, templates), root / "behave-30fps-params-v1"
    place.rename(root / "between")
    place.mkdir()
    (root / "between").rename(place / "sequences")
    same(read(root, templates), whole)


def test_masks_without_loss_come_first(own_layout, templates):
    for layout, folder, ending in (("raw", "sequences", "k0."), ("30fps", "masks", "t0003.000-k0.")):
        root = own_layout(layout)
        place = next((root / folder / BOX).glob("t0003.000/")) if layout == "raw" else root / folder / BOX
        for kind in ("person_mask", "obj_rend_mask", "obj_mask"):
            for suffix in ("jpg", "png"):
                file = place / f"{ending}{kind}.{suffix}"
                file.write_bytes(cv2.imencode(f".{suffix}", np.full((120, 160), 255, np.uint8))[1].tobytes())
        color, person, obj = read(root, templates).view_files(0)
        assert person.name.endswith("person_mask.png")
        assert obj.name.endswith("obj_rend_mask.png")
        obj.unlink()
        assert read(root, templates).view_files(0)[2].name.endswith("obj_rend_mask.jpg")
        assert color.name.endswith(("color.jpg", "color.mp4#0"))


def test_a_tensor_beside_numbers_is_left_unread(own_root, whole, templates):
    for path in own_root.glob("sequences/*/*/*/fit0*/*_fit.pkl"):
        path.write_bytes(pickle.dumps({**pickle.loads(path.read_bytes()), "loss": torch.tensor(0.5)}))
    same(read(own_root, templates), whole)
    path.write_bytes(pickle.dumps({**pickle.loads(path.read_bytes()), "trans": torch.ones(3)}))
    skips = [*read_release(own_root, "train", FOUR, templates).skips]
    skips += read_release(own_root, "test", FOUR, templates).skips
    assert [skip.reason for skip in skips] == ["bad_parameters"]
    assert "a tensor of torch, which is not read; store tensor.numpy()" in skips[0].detail
