"""Augmented samples of a small tree: targets land on what is shown, pixels change as the config says only."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from data_samples import differing, sample_config, truth_of

from rhobin.behave.read import read_release
from rhobin.data.augment.draw import AugmentConfig
from rhobin.data.datamodule import BehaveDataModule
from rhobin.data.dataset import BehaveDataset
from rhobin.data.sections import read_section
from rhobin.objects.names import OBJECT_NAMES

CONFIG = sample_config(96)
OFF = {"scale": 0.0, "rotation_p": 0.0, "colour": 0.0}
GEOMETRY = {
    "none": OFF,
    "scale": {**OFF, "scale": 0.25, "law": "uniform"},
    "roll": {**OFF, "rotation_p": 1.0},
    "shift": {**OFF, "shift": 0.25, "law": "uniform"},
    "truncation": {**OFF, "truncate_p": 1.0, "truncate": 0.5},
    "all": {"shift": 0.25, "law": "uniform", "rotation_p": 1.0, "truncate_p": 0.5, "truncate": 0.5},
}
EVERYTHING = {
    "shift": 0.2,
    "truncate_p": 0.4,
    "colour_set": "g2dr",
    "background_p": 0.6,
    "occluder": {"p": 0.8},
}


@pytest.fixture(scope="module")
def parts(release_root):
    release = read_release(release_root, "train")
    return release, truth_of(release)


def dataset(parts, values, views=None):
    views = np.arange(len(parts[0].views.frame)) if views is None else views
    return BehaveDataset(*parts, views, CONFIG, read_section(AugmentConfig, "data.augment", values), seed=3)


@pytest.mark.parametrize("kind", GEOMETRY)
def test_the_template_projects_onto_the_object_mask(parts, kind):
    """The tree draws the convex outline of the object, in front of everything."""
    samples = dataset(parts, GEOMETRY[kind])
    overlaps = []
    for index in range(0, len(samples), 2):
        sample = samples[(2, index)]
        template = parts[0].templates[OBJECT_NAMES[sample.object_id]]
        points = template.verts @ sample.target.object.R.double().numpy().T + sample.target.object.t.numpy()
        pixels = points @ sample.K_crop.double().numpy().T
        hull = cv2.convexHull(np.float32(pixels[:, :2] / pixels[:, 2:]))
        drawn = cv2.fillConvexPoly(np.zeros((96, 96), np.uint8), hull.round().astype(np.int32), 1) > 0
        mask = sample.image[4].numpy() > 0
        overlaps.append((drawn & mask).sum() / (drawn | mask).sum())
        weight, uv = (
            sample.target.heatmaps.kpts_weight.numpy(),
            sample.target.heatmaps.kpts_uvd.numpy()[:, :2],
        )
        assert not weight[((uv < -0.5) | (uv >= 0.5)).any(axis=1)].any()
    assert np.mean(overlaps) > 0.9
    assert min(overlaps) > 0.7


def test_truncation_puts_points_outside_the_crop(parts):
    plain, cut = dataset(parts, OFF), dataset(parts, GEOMETRY["truncation"])
    inside = [
        [s[(0, index)].target.heatmaps.joints_weight.mean().item() for index in range(0, 32, 3)]
        for s in (plain, cut)
    ]
    assert np.mean(inside[1]) < np.mean(inside[0]) - 0.05
    for index in range(0, 32, 3):
        masks = [np.count_nonzero(s[(0, index)].image[3:].numpy(), axis=(1, 2)) for s in (plain, cut)]
        assert (masks[1] >= 0.25 * masks[0]).all()


def test_colours_touch_neither_masks_nor_targets(parts):
    before, after = dataset(parts, OFF), dataset(parts, {**OFF, "colour_set": "g2dr", "colour_p": 1.0})
    changed = 0
    for index in range(10):
        a, b = before[(1, index)], after[(1, index)]
        assert torch.equal(a.image[3:], b.image[3:])
        assert differing(a, b) <= {"image"}
        changed += not torch.equal(a.image[:3], b.image[:3])
    assert changed >= 9


@pytest.mark.parametrize("source", ["rooms", "plain", "noise"])
def test_backgrounds_change_what_no_mask_covers(parts, source):
    before = dataset(parts, OFF)
    after = dataset(parts, {**OFF, "background_p": 1.0, "background_from": source})
    for index in range(0, 32, 8):
        a, b = before[(0, index)].image.numpy(), after[(0, index)].image.numpy()
        assert np.array_equal(a[3:], b[3:])
        covered = (a[3] | a[4] > 0).astype(np.uint8)
        deep = cv2.erode(covered, np.ones((5, 5))) > 0
        far = cv2.dilate(covered, np.ones((5, 5))) == 0
        assert np.array_equal(a[:3, deep], b[:3, deep])
        assert np.abs(a[:3, far].astype(int) - b[:3, far]).mean() > 12


def test_occluders_take_pixels_from_masks_and_leave_targets(parts):
    before = dataset(parts, OFF)
    after = dataset(parts, {**OFF, "occluder": {"p": 1.0, "size": [0.3, 0.5]}})
    covered = 0
    for index in range(12):
        a, b = before[(0, index)], after[(0, index)]
        assert (b.image[3:] <= a.image[3:]).all()
        assert differing(a, b) <= {"image"}
        lost = (b.image[3:] < a.image[3:]).any(dim=0)
        covered += bool(lost.any())
        if lost.any():
            assert (a.image[:3, lost] != b.image[:3, lost]).any(dim=0).float().mean() > 0.9
    assert covered > 6


def test_one_kind_does_not_change_the_draws_of_another(parts):
    alone = dataset(parts, {"occluder": {"p": 0.8}})
    together = dataset(parts, {"occluder": {"p": 0.8}, "colour_set": "g2dr"})
    for index in range(8):
        notes = [s.describe(1, index) for s in (alone, together)]
        assert notes[0] == [note for note in notes[1] if note in notes[0]]
        assert torch.equal(alone[(1, index)].image[3:], together[(1, index)].image[3:])


def test_only_training_views_are_borrowed_from(parts):
    """A dataset of some views decodes none of the others for occluders and backgrounds."""
    views = np.array([0, 1, 9, 10, 17])
    some = dataset(parts, {**EVERYTHING, "background_p": 1.0, "occluder": {"p": 1.0}}, views)
    shown = {some.release.view_files(int(view))[0] for view in views}
    read, context = set(), some.view
    some.repainter.backgrounds.donors._load = lambda index: (read.add(index), context(index))[1]
    for epoch in range(6):
        for index in range(len(views)):
            assert some.release.view_files(int(some.views[some[(epoch, index)].key.index]))[0] in shown
    assert read == set(range(len(views)))


def test_broken_donors_do_not_break_a_sample(parts, own_root):
    release = replace(parts[0], root=own_root)
    some = BehaveDataset(
        release,
        parts[1],
        np.arange(32),
        CONFIG,
        read_section(AugmentConfig, "data.augment", EVERYTHING),
        seed=3,
    )
    for view in range(8, 32):
        release.view_files(view)[0].write_bytes(b"")
    for index in range(8):
        assert some[(0, index)].key.index == index


def test_same_item_same_bits_with_everything_on(parts):
    first, again = dataset(parts, EVERYTHING), dataset(parts, EVERYTHING)
    for index in (5, 3, 20):
        assert not differing(first[(4, index)], again[(4, index)])
    assert not torch.equal(first[(4, 5)].image, first[(5, 5)].image)


def test_batches_do_not_depend_on_workers_or_cache(release_root):
    def load(workers, cache):
        datamodule = BehaveDataModule(
            release_root,
            view={"input_size": 32},
            batch_size=4,
            augment=EVERYTHING,
            workers=workers,
            cache={"kind": cache},
        )
        datamodule.setup()
        return list(datamodule.train_dataloader())

    expected = load(0, "none")
    assert len(expected) >= 5
    for workers, cache in ((2, "none"), (2, "ram")):
        for a, b in zip(load(workers, cache), expected, strict=True):
            assert a.keys == b.keys
            assert not differing(a, b)


def test_a_missing_folder_stops_at_the_start(parts):
    with pytest.raises(FileNotFoundError, match="background_from: there is no folder nowhere"):
        dataset(parts, {"background_p": 0.5, "background_from": "nowhere"})


def test_notes_say_what_was_done(parts):
    samples = dataset(parts, {**EVERYTHING, "background_p": 1.0, "truncate_p": 1.0, "colour_p": 1.0})
    notes = ", ".join(samples.describe(0, 3))
    for part in ("scale ", "shift ", "cut ", "background room", "channel jitter"):
        assert part in notes
    assert samples.plain().describe(0, 3) == []
