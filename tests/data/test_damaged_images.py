"""Images that decode and are damaged all the same, and masks that are drawn in other values."""

import os

import cv2
import numpy as np
import pytest
from damage_kinds import put

from rhobin.behave.writers import files
from rhobin.data.images.decode import BadSampleError, decode_color, read_color, read_mask

SIZE = (640, 480)


@pytest.fixture(scope="module")
def photo():
    """A JPEG of smooth noise."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (30, 40, 3), dtype=np.uint8)
    image = cv2.resize(coarse, SIZE, interpolation=cv2.INTER_CUBIC).astype(int)
    image = np.clip(image + rng.integers(-8, 8, image.shape), 0, 255).astype(np.uint8)
    return cv2.imencode(".jpg", image)[1].tobytes()


@pytest.fixture(scope="module")
def drawn():
    """A mask of 0 and 255."""
    mask = np.zeros(SIZE[::-1], np.uint8)
    cv2.circle(mask, (300, 200), 120, 255, -1)
    return mask


def half_zero(content):
    return content[: len(content) // 2] + bytes(len(content) // 2 - 2) + content[-2:]


def garbage(content):
    noise, middle = np.random.default_rng(1).bytes(400), len(content) // 2
    return content[:middle] + noise + content[middle + 400 :]


def cut_and_ended(content):
    return content[: len(content) // 2] + b"\xff\xd9"


def hole(content):
    return content[: len(content) // 3] + content[len(content) // 2 :]


DAMAGE = (half_zero, garbage, cut_and_ended, hole)


@pytest.mark.parametrize("damage", DAMAGE, ids=lambda damage: damage.__name__)
@pytest.mark.parametrize("factor", [1, 2, 4, 8])
def test_what_libjpeg_passes_over_is_an_error(photo, tmp_path, damage, factor, capfd):
    put(tmp_path / "color.jpg", damage(photo))
    assert cv2.imdecode(np.frombuffer(damage(photo), np.uint8), cv2.IMREAD_COLOR) is not None
    assert "Corrupt JPEG data" in capfd.readouterr().err, "OpenCV shows it, with what libjpeg says"
    with pytest.raises(
        BadSampleError, match=r"color.jpg: damaged; libjpeg says: Corrupt JPEG data"
    ) as caught:
        read_color(tmp_path / "color.jpg", factor, SIZE)
    assert caught.value.reason == "unreadable_image"
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("damage", [cut_and_ended, hole], ids=lambda damage: damage.__name__)
def test_masks_are_looked_at_as_closely(drawn, tmp_path, damage):
    put(tmp_path / "mask.jpg", damage(cv2.imencode(".jpg", drawn)[1].tobytes()))
    with pytest.raises(BadSampleError, match="libjpeg says"):
        read_mask(tmp_path / "mask.jpg")
    put(tmp_path / "mask.png", damage(cv2.imencode(".png", drawn)[1].tobytes()))
    with pytest.raises(BadSampleError, match="not an image that OpenCV can decode"):
        read_mask(tmp_path / "mask.png")


def test_cameras_may_pad_a_jpeg(photo, tmp_path):
    for surplus in (1, 32):
        padded = photo[:-2] + bytes(surplus) + photo[-2:]
        assert (decode_color(tmp_path, padded, 1) == decode_color(tmp_path, photo, 1)).all()


def test_what_others_say_meanwhile_is_not_lost(photo, tmp_path, monkeypatch, capfd):
    decode = cv2.imdecode

    def noisy(*arguments):
        os.write(2, b"somebody else\n")
        return decode(*arguments)

    monkeypatch.setattr(cv2, "imdecode", noisy)
    decode_color(tmp_path, photo, 8)
    with pytest.raises(BadSampleError):
        decode_color(tmp_path, hole(photo), 8)
    assert capfd.readouterr().err == "somebody else\n" * 2


def test_masks_of_zeros_and_ones_are_masks(drawn, tmp_path):
    for name, mask in (("full", drawn), ("ones", drawn // 255)):
        cv2.imwrite(str(tmp_path / f"{name}.png"), mask)
    expected, ones = (read_mask(tmp_path / f"{name}.png") for name in ("full", "ones"))
    again = read_mask(tmp_path / "ones.png", ones[1:])
    copied, expected_copy = (files.read_mask(tmp_path / f"{name}.png") for name in ("ones", "full"))
    assert np.array_equal(copied, expected_copy), "relayout writes them alike"
    for found in (ones, again):
        for a, b in zip(expected, found, strict=True):
            assert np.array_equal(a, b)


def test_masks_in_other_values_name_the_largest(drawn, tmp_path):
    cv2.imwrite(str(tmp_path / "mask.png"), drawn // 255 * 2)
    with pytest.raises(BadSampleError, match=r"mask.png: the largest value of the mask is 2; expected 0 and"):
        read_mask(tmp_path / "mask.png")


@pytest.mark.parametrize("quality", [50, 95])
def test_black_masks_and_traces_are_empty(tmp_path, quality):
    for value in (0, 90):
        mask = np.zeros(SIZE[::-1], np.uint8)
        mask[100, 200] = value
        cv2.imwrite(str(tmp_path / "mask.jpg"), mask, [cv2.IMWRITE_JPEG_QUALITY, quality])
        part, box, size = read_mask(tmp_path / "mask.jpg")
        assert (part.size, box.any(), size) == (0, False, SIZE)
