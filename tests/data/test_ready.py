"""Roots that open without an error and cannot be trained on: a check says so, and preparing does."""

import json
import re
import shutil

import cv2
import numpy as np
import pytest
from behave_tree import TRAIN
from commands_of_prepare import cli
from damage_kinds import cut, edit_json, ply, put
from preparing import read_raw

from rhobin.data.images.source import read_source
from rhobin.data.prepare.overlaps import misplaced
from rhobin.objects.load import load_templates

PERSON, OBJECT, COLOR = "*.person_mask.jpg", "*.obj_rend_mask.jpg", "*.color.jpg"


def redraw(root, change, *patterns):
    """Write all images of some kinds anew, as PNG where the change gives them an alpha channel."""
    for pattern in patterns:
        for file in root.glob(f"sequences/*/*/{pattern}"):
            image = change(cv2.imread(str(file), cv2.IMREAD_UNCHANGED))
            ending = ".png" if image.shape[2:] == (4,) or image.max() < 3 else ".jpg"
            put(file, cv2.imencode(ending, image)[1].tobytes())


def in_alpha(mask):
    return np.dstack([np.zeros((*mask.shape, 3), np.uint8), mask])


def padded(image):
    return cv2.copyMakeBorder(image, 20, 20, 0, 0, cv2.BORDER_CONSTANT)


def smaller_in_a_corner(image):
    """A third of the size, on a black image of the size before."""
    small = cv2.resize(image, None, fx=1 / 3, fy=1 / 3, interpolation=cv2.INTER_AREA)
    whole = np.zeros_like(image)
    whole[: small.shape[0], : small.shape[1]] = small
    return whole


def enlarged(image):
    """The middle half, at the size of before."""
    height, width = image.shape[:2]
    middle = image[height // 4 : height * 3 // 4, width // 4 : width * 3 // 4]
    return cv2.resize(middle, (width, height), interpolation=cv2.INTER_NEAREST)


def without_its_middle(root):
    for file in root.glob(f"sequences/*/*/{COLOR}"):
        content = file.read_bytes()
        put(file, content[: len(content) // 2] + content[len(content) * 3 // 4 :])


def world_to_camera(root):
    for file in root.glob("calibs/Date*/config/*/config.json"):
        placed = json.loads(file.read_text())
        R, t = np.reshape(placed["rotation"], (3, 3)), np.array(placed["translation"])
        edit_json(file, rotation=R.T.ravel().tolist(), translation=(-R.T @ t).tolist())


def without_training_fits(root):
    for name in TRAIN:
        for file in root.glob(f"sequences/{name}/*/person/fit02/*.pkl"):
            cut(file)


def masks(change):
    return lambda root: redraw(root, change, PERSON, OBJECT)


def pictures(change):
    return lambda root: redraw(root, change, PERSON, OBJECT, COLOR)


ELSEWHERE = r"train split: masks of the person lie elsewhere .* all views: \d+%"
SHAPE = r"only 0 of 32 views of the train split can be used \(32: an image has another aspect ratio"
UNREADY = {
    "inverted masks": (masks(lambda mask: 255 - mask), ELSEWHERE),
    "masks in the alpha channel": (masks(in_alpha), r"only 0 of 32 views .*no (person|object) pixel is vis"),
    "masks of 0 and 2": (
        masks(lambda mask: (mask > 127) * np.uint8(2)),
        r"the largest value of the mask is 2;",
    ),
    "padded images": (pictures(padded), SHAPE),
    "cropped images": (pictures(lambda image: image[:, 30:-30].copy()), SHAPE),
    "turned images": (pictures(lambda image: cv2.rotate(image, cv2.ROTATE_90_CLOCKWISE)), SHAPE),
    "smaller images on a canvas": (
        pictures(smaller_in_a_corner),
        r"only 0 of 32 .*nowhere near what was fit",
    ),
    "parts of images": (pictures(enlarged), ELSEWHERE),
    "half of the pixels": (without_its_middle, r"libjpeg says: Corrupt JPEG data"),
    "cameras the wrong way round": (
        world_to_camera,
        r"masks of the object lie elsewhere.* kinect 0 of Date01: \d+%",
    ),
    "no fit of the training split": (without_training_fits, r"no training would start: .*no usable frame in"),
}


@pytest.mark.parametrize("kind", UNREADY)
def test_what_cannot_train_is_not_called_ready(own_root, tmp_path, capsys, kind):
    damage, message = UNREADY[kind]
    damage(own_root)
    assert cli(own_root, "--check", "--workers", 1) == 1
    said = capsys.readouterr().out
    assert "not ready to train from" in said
    assert "views checked, ready" not in said
    assert re.search(message, " ".join(said.split()))
    assert cli(own_root, tmp_path / "out", "--workers", 1) == 1
    said = capsys.readouterr().out
    assert "not ready to train from" in said
    assert "Train with data.root" not in said


def test_masks_of_zeros_and_ones_train_as_before(own_root, release_root, capsys):
    redraw(own_root, lambda mask: (mask > 127).astype(np.uint8), PERSON, OBJECT)
    assert cli(own_root, "--check", "--workers", 1) == 0
    for ours, theirs in zip(read_raw(own_root), read_raw(release_root), strict=True):
        for view in range(len(ours.views.frame)):
            a, b = (read_source(release.view_files(view)) for release in (ours, theirs))
            assert np.array_equal(a.boxes, b.boxes)
            assert all(np.array_equal(x, y) for x, y in zip(a.masks, b.masks, strict=True))


def test_a_template_in_millimetres_is_refused(own_root, capsys):
    stool = load_templates()["stool"]
    put(own_root / "objects/stool/stool_f1000.ply", ply(stool.verts * 1000, stool.faces))
    assert cli(own_root, "--check") == 1
    assert (
        "stool_f1000.ply: expected a template in metres, at most 3 m across, found" in capsys.readouterr().err
    )


def test_a_root_without_training_sequences_cannot_train(own_root, tmp_path, capsys):
    edit_json(own_root / "split.json", train=[])
    for name in TRAIN:
        shutil.rmtree(own_root / "sequences" / name)
    out = tmp_path / "out"
    for arguments in ([own_root, "--check"], [own_root, out], [out, "--check"]):
        assert cli(*arguments, "--workers", 1) == 1
        assert "no training would start" in capsys.readouterr().out


@pytest.fixture(scope="module")
def seen(release_root):
    """The training split, all its rows, their boxes and image sizes."""
    release = read_raw(release_root)[0]
    rows = np.arange(len(release.views.frame))
    sources = [read_source(release.view_files(row)) for row in rows.tolist()]
    return release, rows, np.stack([s.boxes for s in sources]), np.array([s.size for s in sources])


def test_one_calibration_and_one_object_are_found_by_name(seen):
    release, rows, boxes, sizes = seen
    assert misplaced(*seen) == []
    date = np.array([release.sequences[i][:6] for i in release.frames.sequence[release.views.frame]])
    there = (date == "Date01") & (release.views.kinect == 2)
    moved = boxes.copy()
    moved[there] = [[0, 0, 8, 8], [150, 110, 8, 8]]
    person, obj = misplaced(release, rows, moved, sizes)
    assert "kinect 2 of Date01: 0%; expected" in person
    assert "kinect 2 of Date01: 0%; expected" in obj
    ball = np.array([release.sequences[i] == TRAIN[2] for i in release.frames.sequence[release.views.frame]])
    moved = boxes.copy()
    moved[ball, 1] = [0, 0, 6, 6]
    (found,) = misplaced(release, rows, moved, sizes)
    assert "yogaball of Date02: 0%" in found


def test_what_hides_a_part_is_no_fault(seen):
    release, rows, boxes, sizes = seen
    hidden = boxes.copy()
    hidden[..., 2:] = np.ceil(boxes[..., 2:] / 4)
    hidden[..., :2] += np.floor(boxes[..., 2:] / 2)
    assert misplaced(release, rows, hidden, sizes) == []
