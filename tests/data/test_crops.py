"""Boxes and squares: CONTHO's reference values, and a mask edge to the pixel."""

import numpy as np

from rhobin.data.crops import crop_square, mask_box, union_square, window_square


def test_union_square_is_contho_process_bbox(oracle):
    vectors = oracle("contho_pipeline")
    for box, expected in zip(vectors["bbox_xywh"], vectors["processed"], strict=True):
        centre, side = union_square(box, 1.3)
        left_top = centre - side / 2 + 0.5  # the reference counts from the first pixel's corner
        assert np.allclose([*left_top, side, side], expected, atol=1e-4)


def test_a_square_of_factor_one_covers_exactly_the_mask():
    mask = np.zeros((50, 80), np.uint8)
    mask[10:30, 40:55] = 255
    assert mask_box(mask).tolist() == [40, 10, 15, 20]
    centre, side = union_square(mask_box(mask), 1.0)
    assert centre.tolist() == [47.0, 19.5]
    assert (centre[1] - side / 2, centre[1] + side / 2) == (9.5, 29.5)


def test_window_has_a_fixed_size_and_scales_with_the_image():
    centre, side = window_square(np.array([1000.0, 701.0, 100.0, 100.0]), 2048)
    assert (centre.tolist(), side) == ([1048.5, 749.5], 1200)  # pixels [449, 1649) about the floored middle
    centre, side = window_square(np.array([250.0, 175.0, 25.0, 25.0]), 512)
    assert side == 300
    box = np.array([10.0, 10, 20, 40])
    assert crop_square(box, "window", 1.3, 2048)[1] == 1200
    assert crop_square(box, "union", 1.3, 2048)[1] == 52
