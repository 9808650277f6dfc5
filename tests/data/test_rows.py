"""The first rows of a JPEG: the pixels of the whole, without the rest and without a warning."""

import cv2
import numpy as np
import pytest

from rhobin.data.images.decode import BadSampleError, read_color, read_mask
from rhobin.data.images.rows import BORDER, first_rows, whole_units

SIZE = (150, 117)
FLAGS = {
    "grey": (cv2.IMREAD_GRAYSCALE, 1, 0),
    "full": (cv2.IMREAD_COLOR, 1, BORDER),
    "half": (cv2.IMREAD_REDUCED_COLOR_2, 2, 0),
    "quarter": (cv2.IMREAD_REDUCED_COLOR_4, 4, 0),
    "eighth": (cv2.IMREAD_REDUCED_COLOR_8, 8, 0),
}


def encoded(*options):
    noise = np.random.default_rng(0).integers(0, 256, (SIZE[1] // 6, SIZE[0] // 6, 3), np.uint8)
    return cv2.imencode(".jpg", cv2.resize(noise, SIZE), options)[1].tobytes()


def decode(content, flag):
    return cv2.imdecode(np.frombuffer(content, np.uint8), flag)


@pytest.mark.parametrize("kind", FLAGS)
def test_first_rows_are_those_of_the_whole(kind, capfd):
    flag, factor, border = FLAGS[kind]
    content = encoded()
    whole = decode(content, flag)
    for rows in (16, 48, 112):
        top = decode(first_rows(content, rows, SIZE), flag)
        assert top.shape[:2] == (rows // factor, whole.shape[1])
        assert np.array_equal(top[: len(top) - border], whole[: len(top) - border])
    assert capfd.readouterr().err == ""


def test_files_that_cannot_be_shortened_are_left_alone():
    content = encoded()
    assert first_rows(content, 128, SIZE) is None
    assert first_rows(content, 48, (SIZE[0], 200)) is None
    assert first_rows(encoded(cv2.IMWRITE_JPEG_PROGRESSIVE, 1), 48, SIZE) is None
    assert first_rows(encoded(cv2.IMWRITE_JPEG_RST_INTERVAL, 3), 48, SIZE) is None
    assert first_rows(b"\x89PNG\r\n", 48, SIZE) is None
    assert [whole_units(rows) for rows in (0, 1, 16, 16.5)] == [16, 16, 16, 32]


def test_masks_whose_box_is_known(tmp_path):
    mask = np.zeros(SIZE[::-1], np.uint8)
    mask[20:50, 30:90] = 255
    file = tmp_path / "mask.jpg"
    cv2.imwrite(str(file), mask)
    part, box, size = read_mask(file)
    assert box.tolist() == [30, 20, 60, 30]
    again = read_mask(file, (box, size))
    assert np.array_equal(again[0], part)
    assert again[2] == SIZE
    assert part.all()
    cv2.imwrite(str(file), mask[:40, :80])  # another image has taken its place
    assert read_mask(file, (box, size))[1].tolist() == [30, 20, 50, 20]


def test_colour_must_have_the_size_of_the_masks(tmp_path):
    file = tmp_path / "color.jpg"
    file.write_bytes(encoded())
    assert read_color(file, 2, SIZE, 48).shape == (24, 75, 3)
    assert read_color(file, 2, SIZE, 128).shape == (59, 75, 3)
    for size in ((SIZE[0], 300), (SIZE[0], 48), (80, SIZE[1])):
        with pytest.raises(BadSampleError, match="image is 150x117 at 1/1 of its size, masks are"):
            read_color(file, 1, size, 32)
    file.write_bytes(encoded()[:-300])
    with pytest.raises(BadSampleError, match="truncated"):
        read_color(file, 1, SIZE, 32)
