"""The colour set of G2DR: its steps against albumentations or by hand, its chances, nothing but its seed."""

import os

os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"

import albumentations as A
import numpy as np
import pytest

from rhobin.data.augment.colour import BLUR_PX, Tone, draw_tone, drop_cells, g2dr_colours

IMAGE = np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8)
OFF = {"add": 0.0, "invert": False, "multiply": 1.0, "brightness": 1.0, "contrast": 1.0}


def tone(**changes):
    values = {**OFF, **changes}
    return Tone(
        np.broadcast_to(np.float32(values["add"]), 3),
        np.broadcast_to(values["invert"], 3),
        np.broadcast_to(np.float32(values["multiply"]), 3),
        values["brightness"],
        np.broadcast_to(np.float32(values["contrast"]), 3),
    )


def applied(table):
    return np.stack([table[IMAGE[..., channel], channel] for channel in range(3)], axis=-1)


def by_albumentations(transform):
    return A.Compose([transform])(image=IMAGE)["image"]


def test_inversion_and_multiplication_are_albumentations_own():
    assert np.array_equal(applied(tone(invert=True).table()), by_albumentations(A.InvertImg(p=1)))
    for key in ("multiply", "brightness"):
        noise = A.MultiplicativeNoise(multiplier=(1.3, 1.3), per_channel=False, elementwise=False, p=1)
        ours = applied(tone(**{key: 1.3}).table()).astype(int)
        assert np.abs(ours - by_albumentations(noise)).max() <= 1  # it truncates, the table rounds


def test_steps_follow_each_other_and_clip_as_they_go():
    """imgaug's order and clipping, one level by hand: 200 + 20 -> 220 -> 35 -> 49 -> 39.2 -> -48.6 -> 0."""
    add, invert = np.array([20.0, 0, 90]), np.array([True, False, True])
    table = tone(add=add, invert=invert, multiply=1.4, brightness=0.8, contrast=2.0).table()
    assert table[200].tolist() == [0, 255, 0]
    assert tone(contrast=1.5).table()[200, 0] == 236  # the pivot is 127
    assert np.array_equal(tone().table(), np.arange(256)[:, None].repeat(3, axis=1))


def test_cells_of_a_square_grid_go_black():
    white = np.full((200, 160, 3), 255, np.uint8)
    dropped = [drop_cells(white, np.random.default_rng(seed), 10.0) for seed in range(60)]
    assert np.mean([(image == 0).mean() for image in dropped]) == pytest.approx(0.2, abs=0.01)
    phases = set()
    for image in dropped:
        black = image[..., 0] == 0
        edges = np.flatnonzero((black[:, 1:] != black[:, :-1]).any(axis=0))
        assert len(edges) > 10
        assert len(set((edges % 10).tolist())) == 1  # every vertical edge is on one grid
        phases.add(int(edges[0] % 10))
    assert len(phases) > 5


def test_blur_is_albumentations_gaussian():
    """With everything else neutral the set's blur is a Gaussian of the drawn sigma."""
    for seed in range(400):
        result, notes = g2dr_colours(IMAGE, np.random.default_rng(seed), 2.0)
        if len(notes) == 1 and notes[0].startswith("blur"):
            break
    sigma = float(notes[0].split()[1])
    assert 0 < sigma <= 2 * BLUR_PX
    errors = [
        np.abs(
            by_albumentations(A.GaussianBlur(sigma_limit=(s, s), blur_limit=0, p=1)).astype(int) - result
        ).mean()
        for s in (sigma, sigma + 0.4)
    ]
    assert errors[0] < errors[1] / 3


def test_chances_are_gdr_net_s():
    tones = [draw_tone(np.random.default_rng(seed)) for seed in range(4000)]
    add = np.array([t.add for t in tones])
    assert np.abs(add).max() <= 25
    assert (add != 0).any(1).mean() == pytest.approx(0.5, abs=0.03)
    together = add[(add != 0).any(1)]
    assert (np.ptp(together, axis=1) == 0).mean() == pytest.approx(0.7, abs=0.04)
    inverted = np.array([t.invert for t in tones])
    assert inverted.mean(0) == pytest.approx([0.06] * 3, abs=0.012)
    contrast = np.array([t.contrast for t in tones])
    assert 0.5 <= contrast.min() < 0.55 < 2.1 < contrast.max() <= 2.2
    brightness = np.array([t.brightness for t in tones])
    assert (brightness != 1).mean() == pytest.approx(0.5, abs=0.03)
    assert 0.6 <= brightness.min() < 0.62 < 1.38 < brightness.max() <= 1.4


def test_the_seed_is_all_that_matters():
    before = IMAGE.copy()
    first, notes = g2dr_colours(IMAGE, np.random.default_rng(9), 0.5)
    again, same_notes = g2dr_colours(IMAGE, np.random.default_rng(9), 0.5)
    assert np.array_equal(first, again)
    assert notes == same_notes
    assert np.array_equal(IMAGE, before)
    assert first.dtype == np.uint8
    assert not np.array_equal(first, g2dr_colours(IMAGE, np.random.default_rng(10), 0.5)[0])
