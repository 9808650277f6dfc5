"""What is broken in a root of another layout: a skip that names the file, or a message."""

import json
import pickle
import shutil

import numpy as np
import pytest
from behave_tree import TEST, TRAIN

from rhobin.behave.builder import EmptySplitError
from rhobin.behave.layout import parse_sequence, subject_gender
from rhobin.behave.read import read_release
from rhobin.behave.video import VideoError, read_frame, split_frame
from rhobin.data.images.decode import BadSampleError
from rhobin.data.images.source import read_source
from rhobin.pickles import BrokenFileError, UnsafePickleError

BOX = TRAIN[0]
PARAMS = f"behave-30fps-params-v1/{BOX}"
VIDEO = f"videos/{BOX}.2.color.mp4"
MASK = f"masks/{BOX}/t0004.000-k2.person_mask.png"


class Bomb:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


def change(path, edit):
    """Edit the arrays of an .npz."""
    with np.load(path) as archive:
        arrays = {key: archive[key].copy() for key in archive.files}
    arrays.update(edit(arrays))
    np.savez(path, **arrays)


def truncate(path):
    path.write_bytes(path.read_bytes()[:100])


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
    "a time twice": (
        f"{PARAMS}/smpl_fit_all.npz",
        lambda p: change(p, lambda a: {"frame_times": a["frame_times"][[0, 0]]}),
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
            change(folder / file, lambda a, row=row: {key: value[row] for key, value in a.items()})
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


def edit_ref(root, edit):
    path = root / "ref.pkl"
    content = pickle.loads(path.read_bytes())
    edit(content)
    path.write_bytes(pickle.dumps(content))


def nan_pose(ref):
    ref["annotations"][TEST[0]]["poses"][0, 0] = np.nan


IMAGES_2023 = f"test_images/{TEST[0]}"
DAMAGE_2023 = {
    "no folder of a frame": (lambda r: shutil.rmtree(r / IMAGES_2023 / "t0003.000"), "missing_image", 1),
    "no mask": (
        lambda r: (r / IMAGES_2023 / "t0003.000/k1.person_mask.jpg").unlink(),
        "missing_person_mask",
        1,
    ),
    "empty image": (lambda r: (r / IMAGES_2023 / "t0003.000/k1.color.jpg").write_bytes(b""), "empty_file", 1),
    "NaN pose": (lambda r: edit_ref(r, nan_pose), "bad_parameters", 1),
    "unannotated frame": (lambda r: (r / IMAGES_2023 / "t0009.000").mkdir(), "missing_annotation", 0),
}


@pytest.mark.parametrize("what", DAMAGE_2023)
def test_damage_of_the_2023_test_images_is_skipped_and_named(own_layout, templates, what):
    damage, reason, lost = DAMAGE_2023[what]
    root = own_layout("2023")
    damage(root)
    release = read_release(root, "test", templates=templates)
    (skip,) = release.skips
    assert skip.reason == reason
    assert skip.file.startswith(IMAGES_2023)
    assert len(release.views.frame) == 2 - lost


def whole_sequence_2023(root):
    return {
        "missing_sequence": lambda: shutil.rmtree(root / IMAGES_2023),
        "bad_sequence": lambda: edit_ref(root, lambda c: c["annotations"][TEST[0]].update(gender="robot")),
        "not_in_split": lambda: (root / "split.json").write_text('{"train": [], "test": []}'),
    }


@pytest.mark.parametrize("reason", ["missing_sequence", "bad_sequence", "not_in_split"])
def test_a_2023_package_without_usable_test_data_still_trains(own_layout, templates, reason):
    root = own_layout("2023")
    (root / "split.json").unlink()
    whole_sequence_2023(root)[reason]()
    with pytest.raises(EmptySplitError, match="test_images"):
        read_release(root, "test", templates=templates)
    if reason != "not_in_split":
        assert len(read_release(root, "train", templates=templates).views.frame) == 32


def test_test_images_without_annotations_are_a_hidden_test_set(own_layout, templates):
    root = own_layout("2023")
    known = read_release(root, "test", templates=templates)
    (root / "ref.pkl").unlink()
    hidden = read_release(root, "test", templates=templates)
    assert hidden.views.files.tolist() == known.views.files.tolist()
    for name in ("name", "gender", "object_id"):
        assert getattr(hidden.frames, name).tolist() == getattr(known.frames, name).tolist()
    assert not hidden.frames.has_body.any()
    assert np.isnan(hidden.frames.obj_trans).all()
    assert known.frames.has_body.all()


def test_training_parts_follow_the_split(own_layout, templates):
    root = own_layout("2023")
    (root / "split.json").write_text(json.dumps({"train": [*TRAIN[1:], "Date09_Sub01_stool"], "test": []}))
    release = read_release(root, "train", templates=templates)
    assert [(skip.file, skip.reason) for skip in release.skips] == [
        (f"train_part1/{BOX}", "not_in_split"),
        ("train_part1/Date09_Sub01_stool", "missing_sequence"),
    ]


def test_a_reference_that_would_run_code_is_refused(own_layout, tmp_path):
    for layout in ("2023", "2024"):
        root = own_layout(layout)
        (root / "ref.pkl").write_bytes(pickle.dumps(Bomb(tmp_path / "ran")))
        with pytest.raises(UnsafePickleError, match=r"ref.pkl"):
            read_release(root, "test")
        truncate(root / "ref.pkl")
        with pytest.raises(BrokenFileError, match=r"ref.pkl"):
            read_release(root, "test")
    assert not (tmp_path / "ran").exists()


ID = f"{BOX}-t0003.000-k2"
GT = f"train/gt/{ID}.pkl"


def edit_gt(path, **changes):
    path.write_bytes(pickle.dumps({**pickle.loads(path.read_bytes()), **changes}))


DAMAGE_2024 = {
    "no annotation": (GT, lambda p: p.unlink(), "missing_annotation"),
    "truncated annotation": (GT, truncate, "broken_pickle"),
    "annotation that runs code": (
        GT,
        lambda p: p.write_bytes(pickle.dumps(Bomb(p / "ran"))),
        "unsafe_pickle",
    ),
    "annotation that is a list": (GT, lambda p: p.write_bytes(pickle.dumps([1])), "bad_parameters"),
    "SMPL instead of SMPL-H": (GT, lambda p: edit_gt(p, pose=np.zeros(72)), "bad_parameters"),
    "infinite translation": (GT, lambda p: edit_gt(p, trans=np.full(3, np.inf)), "bad_parameters"),
    "unknown gender": (GT, lambda p: edit_gt(p, gender="robot"), "bad_parameters"),
    "object vertices of no template": (
        GT,
        lambda p: edit_gt(p, verts_obj=np.zeros((7, 3))),
        "unknown_template",
    ),
    "object vertices elsewhere": (
        GT,
        lambda p: edit_gt(p, obj_trans=np.array([0.0, 0.0, 9.0])),
        "unknown_template",
    ),
    "no image": (f"train/images/{ID}.jpg", lambda p: p.unlink(), "missing_image"),
    "empty image": (f"train/images/{ID}.jpg", lambda p: p.write_bytes(b""), "empty_file"),
    "no human mask": (f"train/masks/{ID}_hum_mask.png", lambda p: p.unlink(), "missing_person_mask"),
    "no object mask": (f"train/masks/{ID}_obj_mask.png", lambda p: p.unlink(), "missing_object_mask"),
    "broken lens": ("calibs/intrinsics/2/calibration.json", lambda p: p.write_text("{"), "bad_calibration"),
}


@pytest.mark.parametrize("what", DAMAGE_2024)
def test_damage_of_an_image_package_is_skipped_and_named(own_layout, templates, what):
    file, damage, reason = DAMAGE_2024[what]
    root = own_layout("2024")
    damage(root / file)
    release = read_release(root, "train", templates=templates)
    assert {(skip.file, skip.reason) for skip in release.skips} == {(file, reason)}
    assert len(release.views.frame) == 32 - len(release.skips)


def test_test_images_may_be_annotated_by_ref_alone(own_layout, templates):
    root = own_layout("2024")
    whole = read_release(root, "test", templates=templates)
    shutil.rmtree(root / "test/gt")
    release = read_release(root, "test", templates=templates)
    assert release.skips == []
    assert np.allclose(release.frames.obj_angle, whole.frames.obj_angle)
    assert np.array_equal(release.frames.pose, whole.frames.pose)
    edit_ref(root, lambda c: c["annotations"].popitem())
    assert [s.reason for s in read_release(root, "test", templates=templates).skips] == ["missing_annotation"]


def test_images_of_other_datasets_and_translations_of_one_row(own_layout, templates):
    root = own_layout("2024")
    name = f"{TEST[0]}-t0003.000-k0"
    edit_ref(root, lambda c: c["annotations"][name].update(meta=("icap", "male", "obj01")))
    other = root / f"test/gt/{TEST[0]}-t0003.000-k1.pkl"
    edit_gt(other, trans=pickle.loads(other.read_bytes())["trans"][None])
    release = read_release(root, "test", templates=templates)
    assert [(skip.file, skip.reason) for skip in release.skips] == [
        (f"test/images/{name}.jpg", "other_dataset")
    ]
    assert release.exceptions == {"other-dataset": ["test"]}
    assert len(release.views.frame) == 7


def test_a_reference_without_templates_is_refused(own_layout):
    root = own_layout("2024")
    edit_ref(root, lambda c: c.pop("templates"))
    with pytest.raises(ValueError, match=r"ref.pkl: expected a dict with templates"):
        read_release(root, "train")
    (root / "ref.pkl").unlink()
    with pytest.raises(
        FileNotFoundError, match=r"no object templates .* expected ref.pkl .* or the folder objects/"
    ):
        read_release(root, "train")
