"""A photograph makes the sample that a test view of the same pixels makes; what users say is checked."""

import struct

import cv2
import numpy as np
import pytest
import torch
from data_samples import sample_config, truth_of
from PIL import Image
from turned_scene import write_scene

from rhobin.behave.read import read_release
from rhobin.data.dataset import BehaveDataset
from rhobin.data.images.crops import mask_box
from rhobin.data.photos.camera import photo_camera
from rhobin.data.photos.exif import Exif, read_exif
from rhobin.data.photos.grabcut import cut_person
from rhobin.data.photos.photo import PhotoError, read_photo, read_photo_mask
from rhobin.data.photos.pointer import Pointer, Told
from rhobin.data.photos.sample import photo_sample
from rhobin.data.photos.subject import find_subject, whole_box


@pytest.fixture(scope="module")
def release(tmp_path_factory):
    return read_release(write_scene(tmp_path_factory.mktemp("scene")), "train")


ALL = ("color", "person", "object")


def config_of(size=96, crop="person", further=None, planes=ALL, parts=("human",), **view):
    reads = {"parts": parts, "crop": crop, "further": further or {}, "planes": planes}
    return sample_config(size, reads, **view)


def jpeg_with_exif(image, orientation, focal, order="<"):
    """A JPEG with two tags, as a camera writes them."""
    letters = b"II" if order == "<" else b"MM"
    main = struct.pack(f"{order}H HHIHxx HHII I", 2, 0x0112, 3, 1, orientation, 0x8769, 4, 1, 38, 0)
    further = struct.pack(f"{order}H HHIHxx I", 1, 0xA405, 3, 1, focal, 0)
    segment = b"Exif\0\0" + letters + struct.pack(f"{order}HI", 42, 8) + main + further
    content = cv2.imencode(".jpg", image)[1].tobytes()
    return content[:2] + b"\xff\xe1" + struct.pack(">H", 2 + len(segment)) + segment + content[2:]


@pytest.mark.parametrize(
    ("crop", "size", "view"),
    [
        ("person", 96, {}),
        ("person", 40, {"ray": "turn"}),
        ("frame", 96, {}),
        ("frame", 40, {"ray": "turn", "background": "zero"}),
        ("union", 64, {"background": "zero"}),
        ("window", 64, {"ray": "turn"}),
    ],
)
def test_a_view_as_a_bare_photograph_makes_the_same_sample(release, crop, size, view):
    config = config_of(size, crop, {"object": {"crop": "object", "input_size": 48}}, **view)
    dataset = BehaveDataset(release, truth_of(release), np.arange(4), config)
    for number in range(2):
        sample, (color, person, obj) = dataset[number], release.view_files(number)
        photo = read_photo(color)
        subject = find_subject(photo, Pointer(Told(mask=person), Told(mask=obj)), config)
        found = photo_sample(subject, release.intrinsics(number, photo.size), config, sample.gender, 0)
        for name in ("image", "K_crop", "window", "turn"):
            assert torch.equal(getattr(found, name), getattr(sample, name)), name
        assert torch.equal(found.further["object"].image, sample.further["object"].image)
        assert torch.equal(found.further["object"].K, sample.further["object"].K)


def test_a_box_alone_is_enough_for_a_network_without_masks(release):
    config = config_of(planes=("color",))
    color, person, _ = release.view_files(1)
    photo = read_photo(color)
    box = tuple(mask_box(cv2.imread(str(person), cv2.IMREAD_GRAYSCALE)).tolist())
    K = release.intrinsics(1, photo.size)
    by_box, by_mask = (
        photo_sample(find_subject(photo, pointer, config), K, config, 0, 0)
        for pointer in (Pointer(Told(box=box)), Pointer(Told(mask=person)))
    )
    assert torch.equal(by_box.image, by_mask.image)
    assert torch.equal(by_box.K_crop, by_mask.K_crop)


def test_a_mask_is_cut_from_a_box_where_the_network_reads_one(tmp_path):
    rng = np.random.default_rng(0)
    image = rng.normal((40, 120, 60), 6, (300, 400, 3))
    truth = np.zeros((300, 400), np.uint8)
    cv2.ellipse(truth, (210, 150), (40, 90), 10, 0, 360, 255, -1)
    image[truth > 0] = rng.normal((60, 70, 200), 6, ((truth > 0).sum(), 3))
    cv2.imwrite(str(tmp_path / "photo.png"), image.clip(0, 255))
    cv2.imwrite(str(tmp_path / "object.png"), (np.arange(300)[:, None] > 200) * np.full((1, 400), 255))
    photo, box = read_photo(tmp_path / "photo.png"), mask_box(truth) + np.array([-6, -6, 12, 12])
    person = cut_person(photo.pixels, box)
    x, y, width, height = box.astype(int)
    inside = truth[y : y + height, x : x + width]
    overlap = ((person & inside) > 0).sum() / ((person | inside) > 0).sum()
    assert (inside > 0).mean() < 0.75 < 0.97 < overlap
    assert np.array_equal(person, cut_person(photo.pixels, box))
    subject = find_subject(photo, Pointer(Told(tuple(box)), Told(mask=tmp_path / "object.png")), config_of())
    assert "GrabCut" in subject.how["person"]
    assert not subject.source.masks[0][201 - y :].any()  # the object is no part of the person
    assert (subject.about.masks[0] == 255).all()  # crops are cut about the whole box
    plain = np.full((100, 100, 3), 90, np.uint8)
    assert cut_person(plain, np.array([0.0, 0, 100, 100])) is None


def test_any_depth_and_number_of_channels_is_read(tmp_path):
    image = np.random.default_rng(0).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    for name, pixels, expected in (
        ("color", image, image),
        ("grey", image[..., 0], np.repeat(image[..., :1], 3, axis=2)),
        ("alpha", np.dstack([image, image[..., 0]]), image),
        ("deep", image.astype(np.uint16) * 257, image),
    ):
        cv2.imwrite(str(tmp_path / f"{name}.png"), pixels)
        assert np.array_equal(read_photo(tmp_path / f"{name}.png").pixels, expected), name
    flat = np.full((30, 40, 3), (30, 60, 200), np.uint8)
    Image.fromarray(flat[..., ::-1]).convert("CMYK").save(tmp_path / "print.jpg", quality=95)
    assert np.abs(read_photo(tmp_path / "print.jpg").pixels.astype(int) - flat).max() < 4
    cv2.imwrite(str(tmp_path / "real.tiff"), image.astype(np.float32) / 255)
    with pytest.raises(PhotoError, match=r"real\.tiff: holds float32 numbers; expected 8 or 16 bits"):
        read_photo(tmp_path / "real.tiff")


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_turns_the_image_as_opencv_does(tmp_path, orientation):
    image = cv2.resize(np.random.default_rng(0).integers(0, 256, (3, 5, 3), dtype=np.uint8), (81, 47))
    file = tmp_path / "photo.jpg"
    file.write_bytes(jpeg_with_exif(image, orientation, 28, "<>"[orientation % 2]))
    photo = read_photo(file)
    assert photo.exif == Exif(orientation, 28.0)
    assert np.array_equal(photo.pixels, cv2.imread(str(file)))
    assert photo.size == ((81, 47) if orientation < 5 else (47, 81))
    small = photo.reduced(2)
    assert small.shape[1::-1] == tuple(-(-side // 2) for side in photo.size)
    assert np.abs(small.astype(float) - cv2.resize(photo.pixels, small.shape[1::-1])).mean() < 3


def test_the_camera_is_the_given_one_or_exifs_or_assumed(tmp_path):
    image = np.zeros((300, 400, 3), np.uint8)
    told, bare = tmp_path / "told.jpg", tmp_path / "bare.jpg"
    told.write_bytes(jpeg_with_exif(image, 6, 35))
    cv2.imwrite(str(bare), image)
    told, bare = read_photo(told), read_photo(bare)
    K = np.diag([5.0, 6.0, 1.0])
    assert photo_camera(told, K).K is K
    assert photo_camera(told, focal=210.0).K.tolist() == [[210, 0, 149.5], [0, 210, 199.5], [0, 0, 1]]
    assert photo_camera(told).K[0, 0] == pytest.approx(500 * 35 / 43.2666, rel=1e-5)
    assert "EXIF: 35 mm" in photo_camera(told).how
    assert photo_camera(bare).K.tolist() == [[500, 0, 199.5], [0, 500, 149.5], [0, 0, 1]]
    assert "assumed" in photo_camera(bare).how


@pytest.fixture
def upright(tmp_path):
    """A photograph of 300 x 400 pixels."""
    cv2.imwrite(str(tmp_path / "upright.jpg"), np.zeros((400, 300, 3), np.uint8))
    return read_photo(tmp_path / "upright.jpg")


@pytest.mark.parametrize(
    ("axis", "told"),
    [
        ((150.0, 200.0), "intrinsics as given"),
        ((-1.0, 200.0), "intrinsics as given; the principal point (-1, 200) of --K lies outside"),
        ((150.0, 700.0), "right for a part cut from an image, wrong for a smaller copy of it"),
    ],
)
def test_intrinsics_whose_axis_misses_the_image_say_so(upright, axis, told):
    K = np.array([[500.0, 0, axis[0]], [0, 500.0, axis[1]], [0, 0, 1]])
    assert told in photo_camera(upright, K).how


def test_intrinsics_of_a_much_larger_image_are_refused(upright):
    K = np.array([[3000.0, 0, 2000.0], [0, 3000.0, 1500.0], [0, 0, 1]])
    with pytest.raises(PhotoError, match="lies outside the 300x400 pixels by more than their size"):
        photo_camera(upright, K)


def test_broken_exif_counts_as_none():
    content = jpeg_with_exif(np.zeros((8, 8, 3), np.uint8), 6, 28)
    start = content.index(b"Exif")
    for cut in range(start + 6, start + 60):
        broken = content[:cut] + b"\xff" * (start + 60 - cut) + content[start + 60 :]
        assert isinstance(read_exif(broken), Exif)
        assert isinstance(read_exif(content[:cut]), Exif)
    assert read_exif(b"") == Exif()


def test_masks_that_cannot_be_used_are_named(tmp_path):
    photo_file, mask = tmp_path / "photo.jpg", tmp_path / "mask.png"
    photo_file.write_bytes(jpeg_with_exif(np.zeros((30, 40, 3), np.uint8), 6, 28))
    photo = read_photo(photo_file)
    for pixels, said in (
        (np.full((30, 40), 255), r"mask\.png: mask is 40x30; expected 30x40, the size of .*upright"),
        (np.ones((40, 30)), r"mask\.png: mask is empty: its brightest pixel is 1; expected pixels above 127"),
    ):
        cv2.imwrite(str(mask), pixels.astype(np.uint8))
        with pytest.raises(PhotoError, match=said):
            read_photo_mask(mask, photo)


def test_boxes_are_clipped_and_refused_outside(tmp_path):
    cv2.imwrite(str(tmp_path / "photo.png"), np.zeros((30, 40, 3), np.uint8))
    photo = read_photo(tmp_path / "photo.png")
    assert whole_box(photo, (-5.0, 10.4, 20.0, 100.0)).tolist() == [0, 10, 15, 20]
    for box in ((40.0, 0.0, 10.0, 10.0), (5.0, -20.0, 10.0, 20.0), (5.0, 5.0, 0.3, 10.0)):
        with pytest.raises(PhotoError, match=r"holds no pixel of the image, which is 40x30"):
            whole_box(photo, box)


def test_a_network_that_looks_at_the_object_says_so(release):
    color, person, _ = release.view_files(0)
    config = config_of(further={"object": {"crop": "object", "input_size": 48}})
    with pytest.raises(PhotoError, match="--object-mask"):
        find_subject(read_photo(color), Pointer(Told(mask=person)), config)
    subject = find_subject(read_photo(color), Pointer(Told(mask=person)), config_of())
    assert "sees an empty one" in subject.notes[0]
    bare = config_of(crop="frame", planes=("color",))
    frame = find_subject(read_photo(color), Pointer(Told(mask=person)), bare)
    assert "whole image" in frame.notes[0]
