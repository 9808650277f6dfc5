"""Training from a prepared root: the batches of the raw one, up to the loss of JPEG."""

import io
import json
import re
import time
from functools import cache
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from behave_tree import TEST, TRAIN
from data_samples import merged, tensors

from rhobin.behave.writers.relayout import write_release
from rhobin.body.load import load_bodies
from rhobin.data.datamodule import BehaveDataModule
from rhobin.data.images.decode import BadSampleError
from rhobin.data.prepare import prepared
from rhobin.data.prepare.build import plan, prepare
from rhobin.data.prepare.prepared import read_prepared, read_prepared_splits
from rhobin.data.prepare.recipe import STORED, Recipe
from rhobin.data.splits import available_splits
from rhobin.reports.cases import read_view

OPTIONS = {"view": {"input_size": 64}, "batch_size": 4, "validation": {"fraction": 0.25}, "workers": 0}
RAM = {"kind": "ram"}
EVERYTHING = {"validation": {"fraction": 0}, "augment": {}}
MEAN_DIFFERENCE, MAX_DIFFERENCE = 3.5, 35.0  # levels of noise


@cache
def _made(root, changes):
    datamodule = BehaveDataModule(root, **merged(OPTIONS, json.loads(changes)))
    datamodule.setup()
    return datamodule


def make(root, **changes):
    """A datamodule; the same one for the same settings."""
    return _made(root, json.dumps(changes))


def make_prepared(root, out, **recipe):
    prepare(plan(list(available_splits(root).releases.values()), out, Recipe(**recipe)))
    return out


@pytest.fixture(scope="module")
def roots(release_root, tmp_path_factory):
    folder = tmp_path_factory.mktemp("prepared")
    return {
        "folders": make_prepared(release_root, folder / "folders"),
        "shards": make_prepared(release_root, folder / "shards", shards=True),
        "whole": make_prepared(release_root, folder / "whole", margin=np.inf),
        "narrow": make_prepared(release_root, folder / "narrow", margin=1.5),
        "object": make_prepared(release_root, folder / "object", around="object"),
        "small": make_prepared(release_root, folder / "small", size=72),
    }


def compare(raw, stored):
    """Mean and maximal difference of colour, and the worst overlap of masks, over two loaders."""
    means, most, overlaps = [], 0.0, []
    batches = list(zip(raw, stored, strict=True))
    assert batches
    for a, b in batches:
        assert a.keys == b.keys
        assert torch.allclose(a.K_crop, b.K_crop, atol=1e-5, rtol=0)
        others = tensors(b.target)
        for name, value in tensors(a.target).items():
            assert torch.allclose(value, others[name], atol=1e-5, rtol=0), name
        difference = (a.image[:, :3].float() - b.image[:, :3].float()).abs()
        means.append(difference.mean().item())
        most = max(most, difference.max().item())
        both, either = (a.image[:, 3:] & b.image[:, 3:]) > 0, (a.image[:, 3:] | b.image[:, 3:]) > 0
        overlaps.append((both.sum((0, 2, 3)) / either.sum((0, 2, 3))).min().item())
    return float(np.mean(means)), most, min(overlaps)


@pytest.mark.parametrize(
    ("kind", "augment"),
    [
        ("folders", {}),
        ("folders", None),
        ("shards", {}),
        ("whole", {"rotation_deg": 90.0, "rotation_p": 1.0}),
    ],
)
def test_batches_are_those_of_the_raw_root(release_root, roots, kind, augment):
    raw, stored = make(release_root, augment=augment), make(roots[kind], augment=augment)
    assert raw.data_hash == stored.data_hash
    for loader in ("train_dataloader", "val_dataloader", "test_dataloader"):
        mean, most, overlap = compare(getattr(raw, loader)(), getattr(stored, loader)())
        assert mean < MEAN_DIFFERENCE
        assert most < MAX_DIFFERENCE
        assert overlap == 1


def test_the_comparison_notices_a_shift_of_one_pixel(release_root):
    """What the limits above are worth."""
    raw = make(release_root, augment=None)

    class Shifted(list):
        def __iter__(self):
            for batch in super().__iter__():
                batch.image = batch.image.roll(1, dims=-1)
                yield batch

    mean, most, overlap = compare(raw.test_dataloader(), Shifted(raw.test_dataloader()))
    assert mean > MEAN_DIFFERENCE
    assert most > MAX_DIFFERENCE
    assert overlap < 0.99


def test_patches_around_the_object_serve_the_object_track(release_root, roots):
    options = {"reads": {"crop": "object"}, "augment": {"rotation_deg": 90.0, "rotation_p": 1.0}}
    raw, stored = make(release_root, **options), make(roots["object"], **options)
    mean, _, overlap = compare(raw.train_dataloader(), stored.train_dataloader())
    assert mean < MEAN_DIFFERENCE
    assert overlap == 1
    with pytest.raises(ValueError, match=r"times the box of the object. Prepare again"):
        make(roots["object"], augment={})


@pytest.mark.parametrize("crop", ["object", "person", "window", "frame"])
def test_every_crop_of_whole_frames(release_root, roots, crop):
    raw, stored = (make(root, reads={"crop": crop}) for root in (release_root, roots["whole"]))
    mean, _, overlap = compare(raw.train_dataloader(), stored.train_dataloader())
    assert mean < MEAN_DIFFERENCE
    assert overlap == 1


def test_what_is_stored_smaller_keeps_its_place(release_root, roots, caplog):
    raw, stored = make(release_root), make(roots["small"])
    assert "fewer pixels are stored than data.view.input_size=64 shows" in caplog.text
    mean, _, overlap = compare(raw.train_dataloader(), stored.train_dataloader())
    assert mean < 15  # fine noise is lost
    assert overlap == 1


def test_the_advised_size_is_the_smallest_that_keeps_all_detail(release_root, roots, tmp_path, caplog):
    options = {
        "reads": {"crop": "person"},
        "view": {"on_bad_sample": "skip"},
    }  # settings of its own: not made before
    make(roots["small"], **options)
    advice = r"data.view.input_size=64 shows; prepare with --around person, or with --size (\d+)"
    size = max(map(int, re.findall(advice, caplog.text)))
    for enough, coarse in ((size, False), (size - 4, True)):
        caplog.clear()
        make(make_prepared(release_root, tmp_path / str(enough), size=enough), **options)
        assert ("fewer pixels are stored" in caplog.text) == coarse


def test_a_narrow_margin_serves_what_fits_and_says_what_does_not(release_root, roots):
    mean, _, overlap = compare(
        make(release_root).train_dataloader(), make(roots["narrow"]).train_dataloader()
    )
    assert mean < MEAN_DIFFERENCE
    assert overlap == 1
    with pytest.raises(
        ValueError,
        match=r"(?s)--margin 1.5; model.reads.crop, its expand and data.augment look as far as 2.*"
        r"--margin 2.7 --size 1383 for the same detail",
    ):
        make(roots["narrow"], augment={})
    gentle = {"scale": 0.1, "rotation_p": 0.0}
    compare(
        make(release_root, augment=gentle).train_dataloader(),
        make(roots["narrow"], augment=gentle).train_dataloader(),
    )
    with pytest.raises(ValueError, match="Prepare again with --margin"):
        make(roots["narrow"], reads={"crop": "frame"})


@pytest.mark.parametrize("changes", [{"workers": 2}, {"cache": RAM}, {"workers": 1, "cache": RAM}])
def test_workers_and_memory_change_nothing(roots, changes):
    expected = make(roots["shards"], augment={}).train_dataloader()
    found = make(roots["shards"], augment={}, **changes).train_dataloader()
    for a, b in zip([*expected, *expected], [*found, *found], strict=True):
        assert torch.equal(a.image, b.image)
        assert torch.equal(a.target.human.joints, b.target.human.joints)


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
    with pytest.raises(ValueError, match="do not belong together; run rhobin prepare again"):
        read_prepared(out, "train")
    (out / "index/train/frames_pose.npy").write_bytes(b"no array")
    with pytest.raises(ValueError, match=r"frames_pose.npy: part of the index is missing or broken"):
        read_prepared(out, "train")
    with pytest.raises(ValueError, match="holds train, test, not val"):
        read_prepared(out, "val")
    header = out / "prepared.json"
    header.write_text(header.read_text().replace('"format": 3', '"format": 99'))
    with pytest.raises(ValueError, match="has format 99, this version reads 3"):
        available_splits(out)
    header.write_text("{")
    with pytest.raises(ValueError, match="not the header of a prepared root"):
        available_splits(out)


def test_forty_five_thousand_views_open_in_less_than_a_second(release_root, roots, tmp_path):
    out = make_prepared(release_root, tmp_path / "out")
    times = 45_000 // 32 + 1
    for file in (out / "index/train").glob("*.npy"):
        array = np.load(file)
        np.save(file, np.concatenate([array] * times))
    start = time.process_time()
    release = read_prepared(out, "train", roots and available_splits(release_root).templates)
    spent = time.process_time() - start
    assert len(release.views.frame) >= 45_000
    assert release.stored.dtype == STORED
    assert spent < 1.0
    assert release.source(44_999).boxes.tolist() == release.source(44_999 % 32).boxes.tolist()


@pytest.mark.parametrize("layout", ["30fps", "2023", "2024"])
def test_every_layout_can_be_prepared(release_root, tmp_path, layout):
    raw = list(available_splits(release_root).releases.values())
    root = tmp_path / layout
    write_release(raw, root, layout, load_bodies())
    out = make_prepared(root, tmp_path / "out")
    made = [make(folder, **EVERYTHING) for folder in (root, out)]
    for loader in ("train_dataloader", "test_dataloader"):
        mean, _, overlap = compare(*(getattr(datamodule, loader)() for datamodule in made))
        assert mean < (6 if layout == "30fps" else MEAN_DIFFERENCE)  # compressed twice, as a video before
        assert overlap == 1
    assert made[0].data_hash == made[1].data_hash


@pytest.mark.parametrize("kind", ["folders", "whole"])
def test_reports_draw_on_the_stored_part_of_test_images(release_root, roots, kind):
    release = available_splits(release_root).releases["test"]
    sequence, frame = release.sequences[0], str(release.frames.name[1])
    expected, K = read_view(release_root, sequence, frame)
    image, same_K = read_view(roots[kind], sequence, frame)
    assert np.allclose(K, same_K)
    assert image.shape == expected.shape
    left, top, right, bottom = read_prepared(roots[kind], "test").stored[1]["patch"]
    part, raw = (picture[top:bottom, left:right].astype(int) for picture in (image, expected))
    assert np.abs(part - raw).mean() < 4
    outside = image.copy()
    outside[max(0, top - 1) : bottom + 1, max(0, left - 1) : right + 1] = 0
    assert not outside.any()
    with pytest.raises(FileNotFoundError, match="no test view of Date09"):
        read_view(roots[kind], "Date09", frame)
