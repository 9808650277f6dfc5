"""Views that cannot be used: named, counted and replaced, or left out of training only."""

import cv2
import numpy as np
import pytest
import torch
from data_samples import differing, make_dataset, sample_config, truth_of

from rhobin.behave.read import read_release
from rhobin.data.dataset import BehaveDataset
from rhobin.data.images.decode import BadSampleError

SKIPPING = sample_config(on_bad_sample="skip")


@pytest.fixture(scope="module")
def plain(release_root):
    return make_dataset(release_root)


VIEW = "sequences/Date01_Sub01_boxlarge_lift/t0003.000"


def blacken(path):
    cv2.imwrite(str(path), np.zeros((120, 160), np.uint8))


DAMAGE = {
    "unreadable_image": ("k2.color.jpg", lambda p: p.write_bytes(p.read_bytes()[:-200])),
    "empty_object_mask": ("k2.obj_rend_mask.jpg", blacken),
    "empty_person_mask": ("k2.person_mask.jpg", blacken),
    "empty_file": ("k2.color.jpg", lambda p: p.write_bytes(b"")),
    "image_size": ("k2.color.jpg", lambda p: cv2.imwrite(str(p), np.zeros((60, 80, 3), np.uint8))),
}


@pytest.mark.parametrize("reason", DAMAGE)
def test_broken_images_raise_naming_the_file(own_root, reason):
    dataset = make_dataset(own_root)
    file, damage = DAMAGE[reason]
    damage(own_root / VIEW / file)
    with pytest.raises(BadSampleError, match=f"{VIEW}/{file}.*on_bad_sample=skip") as caught:
        dataset[2]
    assert caught.value.reason == reason


@pytest.mark.parametrize("reason", DAMAGE)
def test_broken_images_are_replaced_counted_and_named(own_root, plain, reason, caplog):
    dataset = make_dataset(own_root, SKIPPING)
    file, damage = DAMAGE[reason]
    damage(own_root / VIEW / file)
    assert dataset.skips() == []
    assert not differing(dataset[2], plain[3])
    assert dataset[2].key.index == 3
    assert [(s.reason, s.file, s.views) for s in dataset.skips()] == [(reason, f"{VIEW}/{file}", 1)]
    assert caplog.text.count(f"{VIEW}/{file}") == 1


@pytest.mark.parametrize(
    ("crop", "hidden", "shown", "partly_shown"),
    [
        ("union", "obj_rend_mask", False, True),
        ("union", "person_mask", False, True),
        ("person", "obj_rend_mask", True, True),
        ("object", "obj_rend_mask", False, False),
        ("frame", "obj_rend_mask", True, True),
        ("frame", "person_mask", False, True),
    ],
)
def test_what_is_wholly_hidden_is_left_out_of_training_only(own_root, crop, hidden, shown, partly_shown):
    """A dataset of test views is content with what the crop can do without."""
    blacken(own_root / VIEW / f"k2.{hidden}.jpg")
    release = read_release(own_root, "train")
    targets = truth_of(release)
    for partly, usable in ((False, shown), (True, partly_shown)):
        dataset = BehaveDataset(
            release, targets, np.arange(4), sample_config(reads={"crop": crop}), partly=partly
        )
        if not usable:
            with pytest.raises(BadSampleError, match=rf"{VIEW}/k2.{hidden}.jpg: no pixel is set"):
                dataset[2]
            continue
        for sample in (dataset[2], dataset[2]):  # its boxes are known the second time
            planes = sample.image[3:].flatten(1).any(dim=1).tolist()
            assert planes == [hidden != "person_mask", hidden != "obj_rend_mask"]
            assert torch.isfinite(sample.target.heatmaps.joints_uvd).all()


def test_noise_in_a_jpeg_is_an_unreadable_image(own_root):
    dataset = make_dataset(own_root)
    (own_root / VIEW / "k0.person_mask.jpg").write_bytes(b"not a picture")
    with pytest.raises(BadSampleError, match=r"k0.person_mask.jpg: not an image that OpenCV can decode"):
        dataset[0]
    (own_root / VIEW / "k0.person_mask.jpg").unlink()
    with pytest.raises(BadSampleError, match=r"cannot be read: No such file"):
        dataset[0]


def test_when_nothing_can_be_used_it_says_so(own_root):
    dataset = make_dataset(own_root, SKIPPING, views=np.array([2, 3]))
    for kinect in (2, 3):
        (own_root / VIEW / f"k{kinect}.color.jpg").write_bytes(b"")
    with pytest.raises(ValueError, match=r"none of the 2 views can be used.*k2.color.jpg"):
        dataset[1]
