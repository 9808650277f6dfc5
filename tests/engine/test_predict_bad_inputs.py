"""`rhobin predict` and what it cannot use: each input has a message that names it and the next step."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from photo_runs import draw_photo, write_photos, write_video

from rhobin.__main__ import main


@pytest.fixture(scope="session")
def bad_inputs(tmp_path_factory):
    """A folder with photographs, masks and videos that can be used, and others that cannot."""
    root = write_photos(tmp_path_factory.mktemp("bad"), "ab")
    write_video(root / "video")
    _write_photos_that_cannot_be_used(root)
    _write_masks_that_cannot_be_used(root)
    _write_videos_that_cannot_be_used(root)
    return root


def _write_photos_that_cannot_be_used(root: Path) -> None:
    whole, image = (root / "photos" / "a.jpg").read_bytes(), draw_photo()[0]
    (root / "zero.jpg").touch()
    (root / "cut.jpg").write_bytes(whole[:900])
    (root / "text.jpg").write_text("This is no photograph.")
    (root / "page.png").write_text("<!DOCTYPE html><html><body>404 Not Found</body></html>")
    (root / "holes.jpg").write_bytes(whole[:1500] + b"\xff\xd5" * 40 + whole[1580:])
    (root / "page.pdf").write_bytes(b"%PDF-1.7\n")
    cv2.imwrite(str(root / "dot.png"), image[:1, :1])
    cv2.imwrite(str(root / "line.png"), image[:3])
    cv2.imwrite(str(root / "real.tiff"), image.astype(np.float32) / 255)
    (root / "copies").mkdir()
    for name in ("a.jpg", "a.png"):
        cv2.imwrite(str(root / "copies" / name), image)
    (root / "bare").mkdir()
    (root / "bare" / "notes.txt").touch()


def _write_masks_that_cannot_be_used(root: Path) -> None:
    person = draw_photo()[1]
    cv2.imwrite(str(root / "small.png"), person[::2, ::2])
    cv2.imwrite(str(root / "turned.png"), person.T)
    cv2.imwrite(str(root / "dark.png"), person // 255)
    two = np.roll(person, -55, axis=1) | np.roll(person, 60, axis=1)
    cv2.imwrite(str(root / "two.png"), two)
    for folder in ("twice", "no_masks"):
        (root / folder).mkdir()
    for name in ("a.png", "a.bmp"):
        cv2.imwrite(str(root / "twice" / name), person)


def _write_videos_that_cannot_be_used(root: Path) -> None:
    whole = (root / "video" / "clip.avi").read_bytes()
    for name, content in (
        ("early", whole[: len(whole) * 2 // 3]),
        ("noise", b"\0" * 5000),
        ("unmasked", whole),
    ):
        (root / name).mkdir()
        (root / name / "clip.avi").write_bytes(content)
    cv2.imwrite(str(root / "unmasked" / "000999.png"), draw_photo()[1])
    shutil.copytree(root / "video" / "person", root / "sizes")
    cv2.imwrite(str(root / "sizes" / "clip" / "000001.png"), draw_photo()[1][::2])


A, PERSON, OBJECT = "DIR/photos/a.jpg", "--mask DIR/person", "--object-mask DIR/object"
CLIP, CLIP_MASKS = "DIR/video/clip.avi", "--mask DIR/video/person"
BOTH = f"{PERSON} {OBJECT} --object stool"
CASES = {
    name: rest
    for name, *rest in (
        line.split(" | ")
        for line in (Path(__file__).parent / "predict_bad_inputs.txt").read_text().splitlines()
        if not line.startswith("#")
    )
}
REFUSED = {
    "box of zero size": ("--box 1,2,0,40", "expected a width and a height above 0, found 1,2,0,40"),
    "negative size": ("--box 10,10,-5,20", "expected a width and a height above 0"),
    "three numbers": ("--object-box 1,2,3", "expected four numbers with commas between, found 1,2,3"),
    "NaN intrinsics": (
        f"{PERSON} --K nan,500,80,60",
        "expected four numbers with commas between, found nan,500",
    ),
    "no focal length": (f"{PERSON} --K 0,500,80,60", "expected focal lengths above 0"),
    "endless focal length": (f"{PERSON} --focal inf", "expected a number, found inf"),
    "unknown gender": (f"{PERSON} --gender other", "invalid choice: 'other'"),
    "unknown precision": (f"{PERSON} --precision 8", "invalid choice: '8'"),
    "unknown device": (f"{PERSON} --device tpu", "invalid choice: 'tpu'"),
    "half a photograph": (f"{PERSON} --batch 1.5", "expected a whole number above 0, found 1.5"),
    "mask and box": (f"{PERSON} --box 1,2,3,4", "not allowed with argument"),
}


def predict(capsys, root, out, run, arguments):
    words = [word.replace("DIR", str(root)) for word in arguments.split()]
    status = main(["predict", str(run), *words, "--out", str(out)])
    return status, *capsys.readouterr()


@pytest.mark.parametrize("case", CASES)
def test_what_cannot_be_used_has_a_message(bad_inputs, photo_runs, tmp_path, capsys, case):
    method, arguments, said = CASES[case]
    run = photo_runs.get(method, bad_inputs / "absent_run")
    status, _, err = predict(capsys, bad_inputs, tmp_path / "out", run, arguments)
    assert status == 1
    assert said in err
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("case", REFUSED)
def test_options_that_make_no_sense_are_refused(bad_inputs, capsys, case):
    options, said = REFUSED[case]
    with pytest.raises(SystemExit) as stopped:
        predict(capsys, bad_inputs, bad_inputs / "out", bad_inputs, f"{A} {options}")
    assert stopped.value.code == 2
    assert said in capsys.readouterr().err


def test_two_people_in_a_mask_are_a_note(bad_inputs, photo_runs, tmp_path, capsys):
    arguments = f"{A} --mask DIR/two.png"
    status, out, _ = predict(capsys, bad_inputs, tmp_path, photo_runs["bev_hybrik"], arguments)
    assert status == 0
    assert "two.png has two large pieces far apart; expected one person" in out


def test_of_two_files_with_one_name_the_second_is_refused(bad_inputs, photo_runs, tmp_path, capsys):
    arguments = "DIR/copies DIR/photos/b.jpg --mask DIR/person"
    status, out, err = predict(capsys, bad_inputs, tmp_path, photo_runs["bev_hybrik"], arguments)
    assert status == 1
    assert "a.png: " in err
    assert "has the same name, and its files are a.*" in err
    assert "2 of 3 images predicted, 1 failed" in out


def test_a_video_that_ends_early_is_predicted_up_to_there(bad_inputs, photo_runs, tmp_path, capsys):
    arguments = f"DIR/early/clip.avi {CLIP_MASKS}"
    status, out, err = predict(capsys, bad_inputs, tmp_path, photo_runs["bev_hybrik"], arguments)
    assert status == 1
    assert "clip.avi: ends early: 4 frames can be decoded, its header promises 7" in err
    assert "3 of 4 frames predicted; gaps: 3" in out
    assert np.load(tmp_path / "clip.npz")["frames"].tolist() == [0, 1, 2]


def test_a_frame_with_a_bad_mask_is_told_and_the_others_are_predicted(
    bad_inputs, photo_runs, tmp_path, capsys
):
    arguments = f"{CLIP} --mask DIR/sizes"
    status, out, err = predict(capsys, bad_inputs, tmp_path, photo_runs["bev_hybrik"], arguments)
    assert status == 1
    assert "000001.png: mask is 160x60; expected 160x120, the size of" in err
    assert "5 of 7 frames predicted; gaps: 1, 3" in out
