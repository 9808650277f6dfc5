"""Training from a prepared root: the batches of the raw one, up to the loss of JPEG."""

import re

import numpy as np
import pytest
import torch
from prepared_roots import EVERYTHING, MAX_DIFFERENCE, MEAN_DIFFERENCE, RAM, compare, make, make_prepared

from rhobin.behave.writers.relayout import write_release
from rhobin.body.load import load_bodies
from rhobin.data.prepare.prepared import read_prepared
from rhobin.data.splits import available_splits
from rhobin.reports.case_meshes import read_view


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
