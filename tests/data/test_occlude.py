"""Occluders: only training views are cut, covered pixels leave the masks, enough of both stays visible."""

import cv2
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from rhobin.data.augment.background import Backgrounds, blend
from rhobin.data.augment.donors import Donors
from rhobin.data.augment.occlude import KINDS, OccluderConfig, Occluders, lay
from rhobin.data.augment.pieces import Piece, cut_piece, noise_piece, rectangle_piece, render_piece
from rhobin.data.images.decode import BadSampleError
from rhobin.data.images.outline import DecodedView
from rhobin.data.images.patch import Patch
from rhobin.objects.load import load_templates

SIZE = 96
TEMPLATES = load_templates()


def context_of(index, broken=()):
    """View `index`: person and object side by side in a colour of their own."""
    if index in broken:
        raise BadSampleError("file", "unreadable_image", "broken")
    color = np.full((SIZE, SIZE, 3), 10 + index, np.uint8)
    masks = np.zeros((2, SIZE, SIZE), np.uint8)
    masks[0, 20:80, 20:44], masks[1, 40:80, 50:85] = 255, 255
    color[masks[0] > 0], color[masks[1] > 0] = 100 + index, 200 + index
    color, person, obj = (Patch(pixels, np.eye(3)) for pixels in (color, *masks))
    return DecodedView(color, (person, obj), np.full(2, SIZE / 2), 80.0, (SIZE, SIZE))


def planes_of(index):
    """Colour and masks of a view as arrays."""
    view = context_of(index)
    return view.color.pixels, view.masks_on_color()


def donors_of(load=context_of):
    sequences = ["Date01_a", "Date01_a", "Date01_b", "Date02_c"]
    return Donors(sequences, [0, 1, 0, 2], load)


def occluders(load=context_of, min_visible=0.3, **config):
    donors = donors_of(load)
    backgrounds = Backgrounds("noise", donors)
    return Occluders(OccluderConfig(**config), min_visible, donors, list(TEMPLATES.values()), backgrounds)


@pytest.mark.parametrize("kind", KINDS)
def test_covered_pixels_leave_the_masks_and_the_others_stay(kind):
    maker = occluders(p=1.0, kinds=[kind], size=(0.3, 0.5), count=1)
    whole_color, whole_masks = planes_of(0)
    placed = 0
    for seed in range(12):
        color, masks, notes = maker.apply(np.random.default_rng(seed), 0, whole_color, whole_masks)
        assert set(np.unique(masks)) <= {0, 255}
        assert not (masks & ~whole_masks).any()
        lost = (whole_masks > masks).any(axis=0)
        changed = (color != whole_color).any(axis=-1)
        assert (changed[lost]).mean() > 0.9 or not lost.any()  # noise may hit the old colour
        deep = cv2.dilate(changed.astype(np.uint8), np.ones((3, 3))) == 0
        assert np.array_equal(masks[:, deep], whole_masks[:, deep])
        covered = cv2.erode(changed.astype(np.uint8), np.ones((7, 7))) > 0
        assert not masks[:, covered].any() or kind in ("object", "person", "template")
        for left, whole in zip(masks, whole_masks, strict=True):
            assert np.count_nonzero(left) >= 0.3 * np.count_nonzero(whole)
        placed += lost.any()
        assert notes
        assert all(note in (kind, f"{kind}: no room") for note in notes)
    assert placed > 6


def test_masks_lose_exactly_what_is_opaque():
    piece = Piece(np.full((20, 10, 3), 7, np.uint8), np.full((20, 10), 255, np.uint8))
    above, alpha = lay(piece, 60, 20, np.array([30.0, 25.0]), np.random.default_rng(0))
    rows, columns = np.nonzero(alpha > 127)
    assert (columns.min(), columns.max(), rows.min(), rows.max()) in [(25, 35, 15, 35), (26, 35, 16, 35)]
    mixed = blend(np.full((60, 60, 3), 200, np.uint8), above, alpha)
    assert (mixed[alpha == 255] == 7).all()
    assert (mixed[alpha == 0] == 200).all()


def test_what_would_hide_too_much_is_left_out():
    maker = occluders(p=1.0, kinds=["rectangle"], size=(1.0, 1.0), count=1, min_visible=0.99)
    whole_color, whole_masks = planes_of(0)
    color, masks, notes = maker.apply(np.random.default_rng(1), 0, whole_color, whole_masks)
    assert notes == ["rectangle: no room"]
    assert np.array_equal(color, whole_color)
    assert np.array_equal(masks, whole_masks)


def test_cut_outs_come_from_other_sequences_and_show_them():
    seen = []

    def load(index):
        seen.append(index)
        return context_of(index)

    maker = occluders(load, p=1.0, kinds=["object"], count=1)
    whole_color, whole_masks = planes_of(0)
    for seed in range(30):
        color, _, _ = maker.apply(np.random.default_rng(seed), 0, whole_color, whole_masks)
        new = color[(color != whole_color).any(axis=-1)][:, 0]
        assert {202, 203} & set(new.tolist()) or not len(new)
    assert set(seen) == {2, 3}  # views 0 and 1 are of the sample's own sequence


def test_broken_donors_are_replaced():
    donors = donors_of(lambda index: context_of(index, broken={2}))
    found = [donors.elsewhere(np.random.default_rng(seed), 0, donors.sequence) for seed in range(20)]
    assert {index for index, _ in filter(None, found)} == {3}
    alone = Donors(["Date01_a"] * 2, [0, 0], context_of)
    assert alone.elsewhere(np.random.default_rng(0), 0, alone.sequence) is None


def test_without_another_sequence_nothing_is_cut():
    alone = Donors(["Date01_a"] * 2, [0, 0], context_of)
    maker = occluders(p=1.0, kinds=["person"], count=1)
    maker.donors = alone
    whole_color, whole_masks = planes_of(0)
    assert maker.apply(np.random.default_rng(0), 0, whole_color, whole_masks)[2] == ["person: no room"]


def test_a_cut_out_is_the_mask_without_its_outer_ring():
    piece = cut_piece(context_of(3), 1)
    assert piece.alpha.shape == (38 + 4, 33 + 4)
    assert (piece.color[piece.alpha > 127] == 203).all()
    assert np.count_nonzero(piece.alpha > 127) == pytest.approx(38 * 33, abs=8)
    empty = context_of(3)
    empty.masks[1].pixels[:] = 0
    empty.masks[1].pixels[:19, :19] = 255  # 17 x 17 after the ring
    assert cut_piece(empty, 1) is None


@pytest.mark.parametrize("name", ["boxmedium", "suitcase", "chairblack"])
def test_rendered_pieces_have_the_projected_outline(name):
    """Against filled triangles drawn by OpenCV, with the same orientation."""
    template = TEMPLATES[name]
    piece = render_piece(template, np.random.default_rng(4), 120)
    R = Rotation.from_quat(np.random.default_rng(4).standard_normal(4)).as_matrix()
    verts = template.verts @ R.T
    verts = verts - (verts.min(axis=0) + verts.max(axis=0)) / 2 + [0, 0, 2.6 * template.diameter]
    points = verts[:, :2] / verts[:, 2:]
    pixels = 8 * (points - points.min(axis=0)) * 119 / np.ptp(points, axis=0).max()
    drawn = np.zeros((120, 120), np.uint8)
    for face in template.faces:
        cv2.fillConvexPoly(drawn, pixels[face].round().astype(np.int32), 255, shift=3)
    _, _, width, height = cv2.boundingRect(drawn)
    assert abs(piece.alpha.shape[0] - height) <= 2
    assert abs(piece.alpha.shape[1] - width) <= 2
    assert np.count_nonzero(piece.alpha > 127) == pytest.approx(np.count_nonzero(drawn), rel=0.08)
    inside = piece.alpha == 255
    assert len(np.unique(piece.color[inside], axis=0)) > 2  # shaded
    assert piece.color[inside].max() > 25


def test_a_scan_without_colours_gets_one():
    from dataclasses import replace

    grey = replace(TEMPLATES["boxlarge"], colors=np.full_like(TEMPLATES["boxlarge"].colors, 150))
    tints = set()
    for seed in range(6):
        piece = render_piece(grey, np.random.default_rng(seed), 40)
        brightest = piece.color[piece.alpha == 255].astype(int)
        brightest = brightest[brightest.sum(axis=1).argmax()]
        tints.add(tuple((brightest / max(brightest.max(), 1) * 4).round().astype(int).tolist()))
    assert len(tints) > 3


def test_rectangles_keep_hybrik_s_shape():
    shapes = np.array(
        [noise_piece(np.random.default_rng(seed), 60).alpha.shape for seed in range(300)], float
    )
    ratio = shapes[:, 0] / shapes[:, 1]
    assert (shapes.max(axis=1) == 60).all()
    assert 0.49 < ratio.min() < 0.55
    assert 1.85 < ratio.max() < 2.05
    part = rectangle_piece(np.random.default_rng(0), np.zeros((100, 100, 3), np.uint8))
    assert part.alpha.size <= 0.51 * 100 * 100
