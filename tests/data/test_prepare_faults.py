"""Prepared roots with something wrong: told, skipped as from the raw root, or read all the same."""

import io
import time
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from behave_tree import TEST, TRAIN
from prepared_roots import EVERYTHING, MEAN_DIFFERENCE, compare, make, make_prepared

from rhobin.data.images.decode import BadSampleError
from rhobin.data.prepare import prepared
from rhobin.data.prepare.index import file_digests
from rhobin.data.prepare.prepared import read_prepared, read_prepared_splits
from rhobin.data.prepare.recipe import FORMAT, STORED
from rhobin.data.splits import available_splits
from rhobin.files import read_sealed, write_sealed


def test_broken_views_are_skipped_as_from_the_raw_root(own_root, tmp_path):
    folder = own_root / "sequences" / TRAIN[0]
    color = folder / "t0003.000/k2.color.jpg"
    color.write_bytes(color.read_bytes()[:-200])
    cv2.imwrite(str(folder / "t0004.000/k0.obj_rend_mask.jpg"), np.zeros((120, 160), np.uint8))
    (folder / "t0004.000/k1.person_mask.jpg").unlink()
    out = make_prepared(own_root, tmp_path / "out")
    made = [make(root, view={"on_bad_sample": "skip"}, **EVERYTHING) for root in (own_root, out)]
    compare(*(datamodule.train_dataloader() for datamodule in made))
    raw, stored = (datamodule.manifest() for datamodule in made)
    assert raw["splits"] == stored["splits"]
    assert raw["skipped"] == stored["skipped"]
    assert set(raw["skipped"]) == {"unreadable_image", "empty_object_mask", "missing_person_mask"}
    named = [[s["file"].rpartition("/")[2] for s in manifest["skips"]] for manifest in (raw, stored)]
    assert named[0] == [name.replace("t0004_000_k0.bits", "k0.obj_rend_mask.jpg") for name in named[1]]
    train, _ = read_prepared_splits(out)
    with pytest.raises(BadSampleError, match=r"k2.color.jpg: an image is truncated"):
        train.source(2)


@pytest.mark.parametrize("hidden", ["person_mask", "obj_rend_mask"])
def test_test_views_that_hide_something_are_stored(own_root, tmp_path, hidden):
    """About the other one of the two; the dataset of test views shows them as from the raw root."""
    file = next((own_root / "sequences" / TEST[0]).glob(f"*/k1.{hidden}.jpg"))
    cv2.imwrite(str(file), np.zeros((120, 160), np.uint8))
    out = make_prepared(own_root, tmp_path / "out")
    made = [make(root, **{**EVERYTHING, "augment": None}) for root in (own_root, out)]
    mean, _, overlap = compare(*(datamodule.test_dataloader() for datamodule in made))
    assert mean < MEAN_DIFFERENCE
    assert overlap == 1
    planes = [sample.image[3:].flatten(1).any(dim=1).all() for sample in made[1].test_dataset]
    assert planes.count(False) == 1


@pytest.mark.parametrize(
    ("kind", "pattern"), [("folders", "*.jpg"), ("folders", "*.bits"), ("shards", "*.tar")]
)
def test_files_that_changed_since_are_noticed(release_root, tmp_path, kind, pattern):
    out = make_prepared(release_root, tmp_path / "out", shards=kind == "shards")
    for file in sorted(out.rglob(pattern)):
        file.write_bytes(file.read_bytes()[: -(file.stat().st_size // 2)])
    train, _ = read_prepared_splits(out)
    with pytest.raises(BadSampleError, match=r"bytes that the index says.*rhobin prepare --check"):
        train.source(7).read_color(1)
    for file in out.rglob(pattern):
        file.unlink()
    with pytest.raises(BadSampleError, match="cannot be read: No such file"):
        train.source(7).read_color(1)


def test_reads_that_stop_early_go_on(roots, monkeypatch):
    class Halting(io.FileIO):
        def read(self, size=-1):
            return super().read(min(size, 1000))

    train, _ = read_prepared_splits(roots["folders"])
    expected = train.source(3)
    opener = SimpleNamespace(open=lambda *arguments, **options: Halting(expected.file))
    assert len(expected.content) > 1000
    monkeypatch.setattr(prepared, "_container", lambda file: opener)
    assert train.content(expected.file, train.stored[3]["color"]) == expected.content


def test_an_index_that_cannot_be_used_says_what_to_do(release_root, tmp_path):
    out = make_prepared(release_root, tmp_path / "out")
    np.save(out / "index/train/views_kinect.npy", np.zeros(3, np.int32))
    with pytest.raises(ValueError, match=r"views_kinect.npy: changed since .*run rhobin prepare again"):
        read_prepared(out, "train")
    for content in (b"no array", b""):
        (out / "index/train/frames_pose.npy").write_bytes(content)
        with pytest.raises(ValueError, match=r"frames_pose.npy: changed since it was written \(2 such files"):
            read_prepared(out, "train")
    make_prepared(release_root, out)
    (out / "index/train/frames_pose.npy").unlink()
    with pytest.raises(ValueError, match=r"frames_pose.npy: part of the index is missing or broken"):
        read_prepared(out, "train")
    with pytest.raises(ValueError, match="holds train, test, not val"):
        read_prepared(out, "val")
    header = out / "prepared.json"
    header.write_text(header.read_text().replace(f'"format": {FORMAT}', '"format": 99'))
    with pytest.raises(ValueError, match=f"has format 99, this version reads {FORMAT}"):
        available_splits(out)
    header.write_text("{")
    with pytest.raises(ValueError, match="not the header of a prepared root"):
        available_splits(out)


@pytest.mark.parametrize("name", ["frames_pose", "frames_trans", "views_camera", "stored"])
def test_numbers_that_changed_in_the_index_are_not_believed(release_root, tmp_path, name):
    out = make_prepared(release_root, tmp_path / "out")
    file = out / f"index/train/{name}.npy"
    content = bytearray(file.read_bytes())
    content[-8:] = np.full(1, np.nan).tobytes()
    file.write_bytes(content)
    with pytest.raises(ValueError, match=rf"{name}.npy: changed since it was written .*rhobin prepare again"):
        available_splits(out)
    make_prepared(release_root, out)
    assert available_splits(out).releases["train"]


def test_what_preparing_found_is_known_before_the_first_sample(own_root, tmp_path):
    color = own_root / "sequences" / TRAIN[0] / "t0003.000/k2.color.jpg"
    color.write_bytes(color.read_bytes()[:-200])
    out = make_prepared(own_root, tmp_path / "out")
    before = make(out, view={"on_bad_sample": "skip"}, **EVERYTHING)
    assert [(skip.reason, skip.views) for skip in before.skips] == [("unreadable_image", 1)]
    assert before.train_dataset[2].key.index == 3
    strict = make(out, view={"on_bad_sample": "raise"}, **EVERYTHING)
    assert strict.skips == []
    with pytest.raises(BadSampleError, match="on_bad_sample=skip"):
        strict.train_dataset[2]


def test_forty_five_thousand_views_open_in_less_than_a_second(release_root, tmp_path):
    out = make_prepared(release_root, tmp_path / "out")
    times = 45_000 // 32 + 1
    for file in (out / "index/train").glob("*.npy"):
        array = np.load(file)
        np.save(file, np.concatenate([array] * times))
    manifest = read_sealed(out / "manifest.json")
    manifest["files"]["index"] = file_digests(out)
    write_sealed(out / "manifest.json", manifest)
    start = time.process_time()
    release = read_prepared(out, "train", available_splits(release_root).templates)
    spent = time.process_time() - start
    assert len(release.views.frame) >= 45_000
    assert release.stored.dtype == STORED
    assert spent < 1.0
    assert release.source(44_999).boxes.tolist() == release.source(44_999 % 32).boxes.tolist()
