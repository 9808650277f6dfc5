"""Rectangles of stored JPEGs: the same pixels as the whole."""

import re

import cv2
import numpy as np
import pytest

from rhobin.data.prepare.jpeg import BORDER, UNIT, Units, cut_units, encode_units


def picture(width, height):
    rng = np.random.default_rng(width)
    rough = cv2.resize(rng.integers(0, 256, (height // 8 + 1, width // 8 + 1, 3), np.uint8), (width, height))
    return cv2.add(rough, rng.integers(0, 30, rough.shape, np.uint8))


def decode(content, flag=cv2.IMREAD_COLOR):
    return cv2.imdecode(np.frombuffer(content, np.uint8), flag)


@pytest.mark.parametrize("size", [(160, 96), (157, 101), (17, 200), (9, 5)])
@pytest.mark.parametrize(
    ("flag", "factor"),
    [(cv2.IMREAD_COLOR, 1), (cv2.IMREAD_REDUCED_COLOR_2, 2), (cv2.IMREAD_REDUCED_COLOR_4, 4)],
)
def test_a_rectangle_decodes_to_the_pixels_of_the_whole(size, flag, factor):
    content = encode_units(picture(*size), 95)
    whole, ends = decode(content, flag), [-(-length // UNIT) for length in size]
    rng = np.random.default_rng(0)
    for _ in range(12):
        columns, rows = (np.sort(rng.choice(end + 1, 2, replace=False)).tolist() for end in ends)
        units = Units(columns[0], rows[0], columns[1], rows[1])
        part = decode(cut_units(content, units, size), flag)
        assert part.shape[1::-1] == tuple(-(-length // factor) for length in units.pixels(size))
        top, left = units.top * UNIT // factor, units.left * UNIT // factor
        same = (part == whole[top : top + part.shape[0], left : left + part.shape[1]]).all(axis=2)
        border = BORDER if factor == 1 else 0
        inner = same[
            border * (units.top > 0) : len(same) - border * (units.bottom < ends[1]),
            border * (units.left > 0) : same.shape[1] - border * (units.right < ends[0]),
        ]
        assert inner.all()


def test_units_are_independent():
    """What lies elsewhere in the image leaves no trace in a rectangle."""
    image = picture(160, 96)
    other = image.copy()
    other[:, 80:] = 255 - other[:, 80:]
    units = Units(0, 1, 4, 5)
    cuts = [cut_units(encode_units(i, 90), units, (160, 96)) for i in (image, other)]
    assert cuts[0] == cuts[1]


def test_units_cover_regions():
    assert Units.covering((16, 15, 33, 48), (160, 96)) == (1, 0, 3, 3)
    assert Units.covering((-20, -20, 500, 500), (157, 101)) == (0, 0, 10, 7)
    assert Units.covering((300, 300, 310, 310), (160, 96)) == (9, 5, 10, 6)
    assert Units.covering((-30, -30, -20, -20), (160, 96)) == (0, 0, 1, 1)
    assert Units(1, 1, 5, 5).overlap(Units(3, 0, 9, 4)) == (3, 1, 5, 4)
    assert Units(1, 1, 5, 5).overlap(Units(6, 0, 9, 4)) == (1, 1, 5, 5)


def test_other_content_is_refused():
    image = picture(160, 96)
    plain = cv2.imencode(".jpg", image)[1].tobytes()
    with pytest.raises(ValueError, match="lists 0 units of 16 x 16 pixels, expected 60"):
        cut_units(plain, Units(0, 0, 1, 1), (160, 96))
    with pytest.raises(ValueError, match="not a baseline JPEG"):
        cut_units(b"\x89PNG and more", Units(0, 0, 1, 1), (160, 96))
    content = encode_units(image, 90)
    with pytest.raises(ValueError, match=r"has \d+ bytes, its table of units says"):
        cut_units(content[:-40] + content[-2:], Units(0, 0, 1, 1), (160, 96))


def test_the_table_of_units_is_a_comment_that_says_where_markers_are():
    """Also one that is too long for a single comment: 16 bits hold 32,766 entries."""
    image = np.zeros((UNIT * 128, UNIT * 260, 3), np.uint8)
    image[::7, ::5] = 255
    content = encode_units(image, 90)
    scan = content.index(b"\xff\xda")
    start, table = content.index(b"\xff\xfe"), b""
    while start < scan:
        length = int.from_bytes(content[start + 2 : start + 4], "big")
        table, start = table + content[start + 4 : start + 2 + length], start + 2 + length
    assert start == scan
    first = scan + 2 + int.from_bytes(content[scan + 2 : scan + 4], "big")
    units = re.split(rb"\xff[\xd0-\xd7]", content[first:-2])
    assert [int.from_bytes(table[at : at + 2], "big") for at in range(0, len(table), 2)] == list(
        map(len, units)
    )
    units = Units(250, 120, 260, 128)
    part = decode(cut_units(content, units, image.shape[1::-1]))[BORDER:, BORDER:]
    assert np.array_equal(part, decode(content)[120 * UNIT + BORDER :, 250 * UNIT + BORDER :])
