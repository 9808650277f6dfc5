"""Boxes and squares: the reference values of CONTHO, GDR-Net and HybrIK, and a mask edge to the pixel."""

import numpy as np
import pytest

from rhobin.data.augment.draw import Augmentation, move_crop
from rhobin.data.images.crops import (
    CROPS,
    box_square,
    crop_square,
    mask_box,
    missing_mask,
    union_box,
    window_square,
)
from rhobin.data.images.outline import DecodedView
from rhobin.data.images.patch import Patch
from rhobin.geometry.camera import crop_matrix

PERSON, OBJECT = np.array([200.0, 100, 80, 300]), np.array([250.0, 350, 120, 90])
BOXES = np.stack([PERSON, OBJECT])


def test_union_crop_is_contho_process_bbox(oracle):
    vectors = oracle("contho_pipeline")
    for box, expected in zip(vectors["bbox_xywh"], vectors["processed"], strict=True):
        centre, side = crop_square(np.stack([box, box]), "union", None, (2048, 1536))
        left_top = centre - side / 2 + 0.5  # the reference counts from the first pixel's corner
        assert np.allclose([*left_top, side, side], expected, atol=1e-4)


def test_object_crop_is_gdr_nets_at_test(oracle):
    """Padded by 1.5 and never wider than the image."""
    vectors = oracle("gdr_targets")
    for sample in range(3):
        x1, y1, x2, y2 = vectors[f"test{sample}/in/bbox_est_xyxy"]
        box = np.array([x1, y1, x2 - x1, y2 - y1])
        height, width = vectors[f"train{sample}/in/segmentation"].shape
        centre, side = crop_square(np.stack([PERSON, box]), "object", None, (width, height))
        assert np.allclose(centre + 0.5, vectors[f"test{sample}/out/bbox_center"][0])
        assert side == pytest.approx(vectors[f"test{sample}/out/scale"][0])
    free = crop_square(np.stack([PERSON, box]), "object", None, (2048, 1536))[1]
    assert free == 1.5 * max(x2 - x1, y2 - y1)


def test_person_crop_is_hybriks(oracle):
    vectors = oracle("hybrik_data")
    shape = zip(vectors["box_xywh"], vectors["center"], vectors["scale"], strict=True)
    for box, centre, scale in shape:
        ours = crop_square(np.stack([box, OBJECT]), "person", None, (1920, 1080))
        assert np.allclose(ours[0] + 0.5, centre, atol=1e-3)
        assert np.allclose(ours[1], scale, atol=1e-3)


def test_crops_become_the_matrices_of_hybrik_and_gdr_net(oracle):
    """Up to half a pixel of the crop, which they count from the first pixel's corner."""
    corner = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    vectors = oracle("hybrik_data")
    for index in np.flatnonzero(vectors["rot_deg"] == 0):
        matrix = crop_matrix(vectors["center"][index], float(vectors["scale"][index, 0]), 256)
        theirs = np.linalg.inv(corner) @ np.vstack([vectors["trans"][index], [0, 0, 1]])
        assert np.allclose(matrix, theirs, atol=1e-3)
    vectors = oracle("gdr_crop_region")
    for index in (0, 1, 2):
        side, out = float(vectors[f"crop/{index}/scale"][0]), vectors[f"crop/{index}/out_wh"][0]
        matrix = crop_matrix(vectors[f"crop/{index}/center"], side, int(out))
        theirs = np.linalg.inv(corner) @ np.vstack([vectors[f"crop/{index}/trans"], [0, 0, 1]])
        assert np.allclose(matrix, theirs, atol=1e-4)


def test_a_square_of_factor_one_covers_exactly_the_mask():
    mask = np.zeros((50, 80), np.uint8)
    mask[10:30, 40:55] = 255
    assert mask_box(mask).tolist() == [40, 10, 15, 20]
    centre, side = box_square(mask_box(mask), 1.0)
    assert centre.tolist() == [47.0, 19.5]
    assert (centre[1] - side / 2, centre[1] + side / 2) == (9.5, 29.5)


def test_window_has_a_fixed_size_and_scales_with_the_image():
    for box in ([1000.0, 701.0, 100.0, 100.0], [1000.0, 701.0, 101.0, 101.0], [999.0, 700.0, 102.0, 103.0]):
        first, past = box[0], box[0] + box[2]
        assert (first + past) // 2 == 1050  # CHORE's (bmin + bmax) // 2
        centre, side = window_square(np.array(box), 2048)
        assert (centre.tolist(), side) == ([1049.5, 750.5], 1200)  # pixels [450, 1650) by [151, 1351)
    centre, side = window_square(np.array([250.0, 175.0, 25.0, 25.0]), 512)
    assert side == 300


@pytest.mark.parametrize("kind", CROPS)
def test_every_crop_shows_what_its_track_needs(kind):
    centre, side = crop_square(BOXES, kind, None, (2048, 1536))
    left_top, right_bottom = centre - side / 2, centre + side / 2
    wanted = {"object": OBJECT, "person": PERSON}.get(kind, union_box(BOXES))
    assert (left_top < wanted[:2]).all()
    assert (right_bottom > wanted[:2] + wanted[2:]).all()


def test_the_frame_crop_holds_every_pixel_of_the_image():
    centre, side = crop_square(BOXES, "frame", None, (2048, 1536))
    corners = crop_matrix(centre, side, 512) @ np.array([[-0.5, 2047.5], [-0.5, 1535.5], [1, 1]])
    assert np.allclose(corners[:2].T, [[-0.5, 63.5], [511.5, 447.5]])


@pytest.mark.parametrize("kind", CROPS)
@pytest.mark.parametrize("hidden", [(), (0,), (1,), (0, 1)])
def test_which_mask_a_crop_lacks(kind, hidden):
    boxes = BOXES.copy()
    boxes[list(hidden)] = 0
    needed = {"object": {1}, "person": {0}, "frame": {0}}.get(kind, {0, 1})
    lacking = needed & set(hidden)
    assert missing_mask(boxes, kind, partly=False) == (min(lacking) if lacking else None)
    either = kind == "frame" or (kind in ("union", "window") and len(hidden) < 2)
    assert missing_mask(boxes, kind, partly=True) == (None if either or not lacking else min(lacking))
    if missing_mask(boxes, kind, partly=True) is None:
        assert crop_square(boxes, kind, None, (2048, 1536))[1] > 0


def test_the_union_with_what_is_hidden_is_the_other_box():
    boxes = BOXES.copy()
    boxes[1] = 0
    assert np.array_equal(union_box(boxes), boxes[0])


def test_a_factor_of_ones_own_replaces_the_methods():
    assert crop_square(BOXES, "union", 2.0, (2048, 1536))[1] == 2.0 * 340
    assert crop_square(BOXES, "union", None, (2048, 1536))[1] == 1.3 * 340
    assert crop_square(BOXES, "window", 2.0, (2048, 1536))[1] == 1200


def test_shift_and_scale_of_the_object_crop_are_gdr_nets_dynamic_zoom(oracle):
    """With its own uniform draws, to a pixel or two: its boxes are fractional, masks are not."""
    vectors = oracle("gdr_crop_region")
    zoom, move, _ = vectors["dzi/cfg_scale_shift_pad"]
    height, width = vectors["dzi/im_hw"].tolist()
    free = 0
    pairs = zip(vectors["dzi/bbox_xyxy"], vectors["dzi/uniform_draws"], strict=True)
    for row, (box, draws) in enumerate(pairs):
        x1, y1, x2, y2 = np.round(box).astype(int)
        mask = np.zeros((height, width), np.uint8)
        mask[y1:y2, x1:x2] = 255
        boxes = np.stack([PERSON, mask_box(mask)])
        centre, side = crop_square(boxes, "object", None, (width, height))
        seen = Patch(mask, np.eye(3))
        context = DecodedView(seen, (seen, seen), centre, side, (width, height))
        grow, right, down = (2 * draws - 1) * (zoom, move, move)
        change = Augmentation(scale=1 + grow, shift=(right, down))
        moved = move_crop(change, context, "object", 0.3)
        assert np.allclose(moved + 0.5, vectors["dzi/center"][row], atol=1.5)
        if max(side, vectors["dzi/scale"][row]) < width:  # theirs is cut to the image after growing
            free += 1
            assert np.isclose(side * change.scale, vectors["dzi/scale"][row], atol=4)
    assert free > 0
