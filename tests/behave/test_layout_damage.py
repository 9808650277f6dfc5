"""What is broken in a root of another layout: a skip that names the file, or a message."""

import json
import shutil

import numpy as np
import pytest
from behave_tree import TRAIN
from damage import Bomb, truncate

from rhobin.behave.layout import parse_sequence, subject_gender
from rhobin.behave.read import read_release
from rhobin.behave.video import VideoError, read_frame, split_frame
from rhobin.data.images.decode import BadSampleError
from rhobin.data.images.source import read_source

BOX = TRAIN[0]
PARAMS = f"behave-30fps-params-v1/{BOX}"
VIDEO = f"videos/{BOX}.2.color.mp4"
MASK = f"masks/{BOX}/t0004.000-k2.person_mask.png"


def change(path, edit):
    """Edit the arrays of an .npz."""
    with np.load(path) as archive:
        arrays = {key: archive[key].copy() for key in archive.files}
    arrays.update(edit(arrays))
    np.savez(path, **arrays)


def spoil_row(arrays):
    arrays["poses"][1, 5] = np.nan
    return arrays


def objects(arrays):
    return {"frame_times": np.array([Bomb("ran"), None], object)}


DAMAGE_30FPS = {
    "truncated archive": (f"{PARAMS}/smpl_fit_all.npz", truncate, "broken_archive", "", 8),
    "archive that needs code": (
        f"{PARAMS}/object_fit_all.npz",
        lambda p: change(p, objects),
        "broken_archive",
        "",
        8,
    ),
    "no object file": (f"{PARAMS}/object_fit_all.npz", lambda p: p.unlink(), "missing_object_fit", "", 8),
    "no body file": (f"{PARAMS}/smpl_fit_all.npz", lambda p: p.unlink(), "missing_person_fit", "", 8),
    "SMPL instead of SMPL-H": (
        f"{PARAMS}/smpl_fit_all.npz",
        lambda p: change(p, lambda a: {"poses": a["poses"][:, :72]}),
        "bad_parameters",
        "",
        8,
    ),
    "fewer rows than times": (
        f"{PARAMS}/object_fit_all.npz",
        lambda p: change(p, lambda a: {"angles": a["angles"][:1]}),
        "bad_parameters",
        "",
        8,
    ),
    "times that are numbers": (
        f"{PARAMS}/smpl_fit_all.npz",
        lambda p: change(p, lambda a: {"frame_times": np.array([3.0, 4.0])}),
        "bad_parameters",
        "",
        8,
    ),
    "NaN pose": (
        f"{PARAMS}/smpl_fit_all.npz",
        lambda p: change(p, spoil_row),
        "bad_parameters",
        "#t0004.000",
        4,
    ),
    "fit without a partner": (
        f"{PARAMS}/object_fit_all.npz",
        lambda p: change(p, lambda a: {key: value[:1] for key, value in a.items()}),
        "unmatched_times",
        f"{PARAMS}/smpl_fit_all.npz",
        4,
    ),
    "broken info": (f"{PARAMS}/info.json", lambda p: p.write_text("{"), "bad_sequence", "", 8),
    "no video": (VIDEO, lambda p: p.unlink(), "missing_video", "", 2),
    "no parameters": (PARAMS, shutil.rmtree, "missing_sequence", "", 8),
    "broken file of times": (
        VIDEO.replace("color.mp4", "time.json"),
        lambda p: p.write_text('{"color": [2, 1]}'),
        "missing_video",
        VIDEO,
        2,
    ),
    "frames of another time": (
        VIDEO.replace("color.mp4", "time.json"),
        lambda p: p.write_text('{"color": [3000000, 5000000]}'),
        "no_video_frame",
        VIDEO,
        1,
    ),
    "no mask": (MASK, lambda p: p.unlink(), "missing_person_mask", "", 1),
    "empty mask file": (MASK, lambda p: p.write_bytes(b""), "empty_file", "", 1),
}


@pytest.mark.parametrize("what", DAMAGE_30FPS)
def test_damage_at_30fps_is_skipped_and_named(own_layout, templates, what):
    file, damage, reason, named, lost = DAMAGE_30FPS[what]
    root = own_layout("30fps")
    damage(root / file)
    release = read_release(root, "train", templates=templates)
    assert {skip.reason for skip in release.skips} == {reason}
    name = named if "/" in named else file + named
    assert release.skips[0].file == name
    assert len(release.views.frame) == 32 - lost
    assert not (root / "ran").exists()


def test_a_time_twice_costs_nothing_where_both_fits_are_the_same(own_layout, templates):
    root = own_layout("30fps")
    whole, path = read_release(root, "train", templates=templates), root / PARAMS / "smpl_fit_all.npz"
    change(path, lambda arrays: {key: a[[0, 1, 1]] if a.ndim else a for key, a in arrays.items()})
    release = read_release(root, "train", templates=templates)
    assert release.skips == []
    assert np.array_equal(release.frames.pose, whole.frames.pose)
    change(path, lambda arrays: {"poses": arrays["poses"] * np.array([[1.0], [1], [0.9]])})
    (skip,) = read_release(root, "train", templates=templates).skips
    assert (skip.file, skip.reason) == (f"{PARAMS}/smpl_fit_all.npz#t0004.000", "bad_parameters")
    assert skip.views == 4
    assert skip.detail == "two fits of this time differ"


def test_a_video_may_show_two_frames_at_one_time(own_layout, templates):
    root = own_layout("30fps")
    whole = read_release(root, "train", templates=templates)
    times = root / VIDEO.replace("color.mp4", "time.json")
    seconds = json.loads(times.read_text())["color"]
    times.write_text(json.dumps({"color": [seconds[0], *seconds]}))
    release = read_release(root, "train", templates=templates)
    assert release.skips == []
    shown = [file for file in release.views.files[:, 0] if file.startswith(VIDEO)]
    assert len(shown) == sum(file.startswith(VIDEO) for file in whole.views.files[:, 0])


def test_a_video_without_times_starts_at_second_3_with_30_frames_a_second(own_layout, templates):
    root = own_layout("30fps")
    for kinect in range(4):
        (root / f"videos/{BOX}.{kinect}.time.json").unlink()
    release = read_release(root, "train", templates=templates)
    assert [skip.reason for skip in release.skips] == [
        "no_video_frame"
    ] * 4  # frame 1 is at 3.033 s, not at 4 s
    assert str(release.views.files[0, 0]).endswith(".0.color.mp4#0")
    truncate(root / VIDEO)
    release = read_release(root, "train", templates=templates)
    assert (VIDEO, "missing_video") in [(skip.file, skip.reason) for skip in release.skips]


def test_a_broken_video_is_told_when_a_sample_is_made(own_layout, templates):
    root = own_layout("30fps")
    truncate(root / VIDEO)
    release = read_release(root, "train", templates=templates)
    view = next(v for v in range(32) if release.views.kinect[v] == 2)
    with pytest.raises(BadSampleError, match=r"2.color.mp4#0: .*truncated or not a video") as error:
        read_source(release.view_files(view)).read_color(1)
    assert error.value.reason == "unreadable_image"
    picture = read_source(release.view_files(view + 1))
    assert picture.read_color(1).shape == (120, 160, 3)
    assert picture.read_color(4).shape == (30, 40, 3)
    with pytest.raises(VideoError, match="has 2 frames, frame 7 was asked for"):
        read_frame(split_frame(release.view_files(view + 1)[0])[0], 7)


def sequence_as(root, name, target):
    """Rename a sequence of a 30-fps root."""
    params = root / "behave-30fps-params-v1"
    (params / name).rename(params / target)
    info = json.loads((params / target / "info.json").read_text())
    info["gender"] = subject_gender(parse_sequence(target).subject)
    (params / target / "info.json").write_text(json.dumps(info))
    (root / "masks" / name).rename(root / "masks" / target)
    for path in (root / "videos").glob(f"{name}.*"):
        path.rename(path.with_name(path.name.replace(name, target)))
    split = json.loads((root / "split.json").read_text())
    split["train"] = [target if n == name else n for n in split["train"]]
    (root / "split.json").write_text(json.dumps(split))


def test_a_continued_sequence_takes_its_images_from_the_first_part(own_layout, templates):
    root = own_layout("30fps")
    sequence_as(root, "Date04_Sub05_stool", "Date04_Sub05_monitor")
    first = root / "behave-30fps-params-v1" / "Date04_Sub05_monitor"
    second = first.with_name("Date04_Sub05_monitor_part2")
    shutil.copytree(first, second)
    for folder, row in ((first, slice(0, 1)), (second, slice(1, 2))):
        for file in ("smpl_fit_all.npz", "object_fit_all.npz"):
            change(
                folder / file,
                lambda a, row=row: {key: value[row] if value.ndim else value for key, value in a.items()},
            )
    release = read_release(root, "train", templates=templates)
    assert release.skips == []
    assert release.sequences[-2:] == [first.name, second.name]
    assert release.exceptions == {"continued-sequence": [second.name]}
    assert release.views.files[-1].tolist() == [
        "videos/Date04_Sub05_monitor.3.color.mp4#1",
        "masks/Date04_Sub05_monitor/t0004.000-k3.person_mask.png",
        "masks/Date04_Sub05_monitor/t0004.000-k3.obj_rend_mask.png",
    ]


def test_objects_never_registered_at_30fps_are_a_known_exception(own_layout, templates):
    root = own_layout("30fps")
    split = json.loads((root / "split.json").read_text())
    split["train"] += ["Date05_Sub05_basketball", "Date05_Sub05_keyboard_move", "Date05_Sub05_stool"]
    (root / "split.json").write_text(json.dumps(split))
    release = read_release(root, "train", templates=templates)
    assert [skip.reason for skip in release.skips] == ["not_registered", "not_registered", "missing_sequence"]
    assert release.exceptions == {"not-registered-at-30fps": split["train"][-3:-1]}


@pytest.mark.parametrize(
    ("name", "kept"), [("Date02_Sub02_backpack_twohand", 0), ("Date06_Sub07_backpack_back", 1)]
)
def test_bodies_without_objects_are_dropped_at_the_known_end(own_layout, templates, name, kept):
    root = own_layout("30fps")
    sequence_as(root, BOX, name)
    shutil.copytree(root / "calibs/Date01", root / f"calibs/{name[:6]}", dirs_exist_ok=True)
    folder = root / "behave-30fps-params-v1" / name
    change(folder / "object_fit_all.npz", lambda a: {key: value[[kept]] for key, value in a.items()})
    release = read_release(root, "train", templates=templates)
    (skip,) = release.skips
    assert (skip.reason, skip.views) == ("unmatched_times", 4)
    assert release.exceptions == {"more-bodies-than-objects": [name]}
    row = release.sequences.index(name)
    assert release.frames.name[release.frames.sequence == row].tolist() == [f"t000{3 + kept}.000"]
