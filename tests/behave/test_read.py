"""Reading a release: everything that was written comes back, everything broken is counted and named."""

import json
import pickle
import shutil

import numpy as np
import pytest
from behave_tree import TEST, TRAIN, make_cameras, make_parameters
from rich.console import Console

from rhobin.behave.calibration import read_camera
from rhobin.behave.manifest import build_manifest, manifest_tables
from rhobin.behave.read import read_release
from rhobin.behave.skips import REASONS, Skip
from rhobin.behave.splits import carve_validation, read_split
from rhobin.objects.names import OBJECT_NAMES
from rhobin.types import GENDERS

FRAME = "sequences/Date01_Sub01_boxlarge_lift/t0003.000"


def test_parameters_cameras_and_files_come_back(release_root):
    release = read_release(release_root, "train")
    assert release.skips == []
    assert release.sequences == list(TRAIN)
    assert len(release.views.frame) == 4 * len(release.frames.name) == 4 * 2 * len(TRAIN)
    written = make_parameters(np.random.default_rng(0))  # the first frame's, by the tree's seed
    for key, value in written.items():
        name = {"obj_angle": "obj_angle", "obj_trans": "obj_trans"}.get(key, key)
        assert np.array_equal(getattr(release.frames, name)[0], value.astype(np.float32)), key
    assert [GENDERS[g] for g in release.frames.gender[::2]] == ["male", "male", "female", "male"]
    assert [OBJECT_NAMES[i] for i in release.frames.object_id[::2]] == [
        "boxlarge",
        "chairblack",
        "yogaball",
        "stool",
    ]
    cameras = make_cameras()
    for view in range(len(release.views.frame)):
        camera, kinect = release.cameras[release.views.camera[view]], release.views.kinect[view]
        assert np.allclose(camera.K, cameras[kinect].K)
        assert np.allclose(camera.t, cameras[kinect].t)
        assert all(file.is_file() for file in release.view_files(view))
    assert (
        release.view_files(5)[0]
        == release_root / "sequences/Date01_Sub01_boxlarge_lift/t0004.000/k1.color.jpg"
    )


def test_split_and_kinects_are_chosen(release_root):
    release = read_release(release_root, "test", cameras=(1,))
    assert release.sequences == list(TEST)
    assert set(release.views.kinect) == {1}
    with pytest.raises(ValueError, match="unknown split 'validation'"):
        read_release(release_root, "validation")


def test_built_in_templates_are_recognised(release_root):
    ball = read_release(release_root, "train").templates["yogaball"]
    assert len(ball.symmetries) > 1
    assert np.abs(ball.verts.mean(0)).max() < 1e-9


def test_data_hash_follows_content_not_place(release_root, own_root):
    digest = read_release(release_root, "train").data_hash
    assert read_release(own_root, "train").data_hash == digest
    with (own_root / FRAME / "k2.color.jpg").open("ab") as file:
        file.write(b"\0")
    changed = read_release(own_root, "train").data_hash
    assert changed != digest
    lens = own_root / "calibs/intrinsics/0/calibration.json"
    lens.write_text(lens.read_text().replace("76.5", "76.6", 1))
    assert read_release(own_root, "train").data_hash not in (digest, changed)


def test_missing_root_says_what_to_do(tmp_path):
    with pytest.raises(
        FileNotFoundError, match=r"(?s)no BEHAVE data at .*/nowhere.*rhobin synth --out .*register"
    ):
        read_release(tmp_path / "nowhere", "train")


def test_missing_or_wrong_split_file(own_root):
    path = own_root / "split.json"
    path.write_text('{"train": ["a"], "test": ["a"]}')
    with pytest.raises(ValueError, match="in train and in test: a"):
        read_split(own_root)
    path.write_text('{"train": ["a"], "test": ["b"], "val": ["c", "b"]}')
    with pytest.raises(ValueError, match="in test and in val: b"):
        read_split(own_root)
    path.write_text('{"train": ["a"]}')
    with pytest.raises(ValueError, match=r"split.json: expected"):
        read_split(own_root)
    path.unlink()
    with pytest.raises(FileNotFoundError, match=r"no split.json at"):
        read_split(own_root)


class Bomb:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


def replace_pickle(path, **changes):
    path.write_bytes(pickle.dumps({**pickle.loads(path.read_bytes()), **changes}))


PERSON, THING = "person/fit02/person_fit.pkl", "boxlarge/fit01/boxlarge_fit.pkl"
BREAKS = {
    "missing_person_fit": (PERSON, lambda p: p.unlink(), 4),
    "missing_object_fit": (THING, lambda p: p.unlink(), 4),
    "broken_pickle": (PERSON, lambda p: p.write_bytes(p.read_bytes()[:200]), 4),
    "unsafe_pickle": (THING, lambda p: p.write_bytes(pickle.dumps(Bomb(p.with_name("ran")))), 4),
    "bad_parameters": (PERSON, lambda p: replace_pickle(p, trans=np.array([0, np.nan, 0])), 4),
    "missing_color": ("k2.color.jpg", lambda p: p.unlink(), 1),
    "missing_person_mask": ("k2.person_mask.jpg", lambda p: p.unlink(), 1),
    "missing_object_mask": ("k2.obj_rend_mask.jpg", lambda p: p.unlink(), 1),
    "empty_file": ("k2.color.jpg", lambda p: p.write_bytes(b""), 1),
}


@pytest.mark.parametrize("reason", BREAKS)
def test_a_broken_frame_file_is_skipped_and_named(own_root, reason):
    file, damage, lost = BREAKS[reason]
    damage(own_root / FRAME / file)
    release = read_release(own_root, "train")
    assert [(s.reason, s.file, s.views) for s in release.skips] == [(reason, f"{FRAME}/{file}", lost)]
    assert len(release.views.frame) == 32 - lost
    assert not (own_root / FRAME / THING).with_name("ran").exists()


@pytest.mark.parametrize(
    ("key", "value", "found"),
    [
        ("pose", np.zeros(72), "expected 156 numbers in pose, found 72"),
        ("betas", "abc", "expected betas"),
        ("trans", np.full(3, np.inf), "trans is not finite"),
    ],
)
def test_wrong_parameters_say_what_was_found(own_root, key, value, found):
    replace_pickle(own_root / FRAME / PERSON, **{key: value})
    (skip,) = read_release(own_root, "train").skips
    assert skip.reason == "bad_parameters"
    assert found in skip.detail


def sequence_breaks(root):
    folder = root / "sequences" / TRAIN[0]
    info = folder / "info.json"
    return {
        "missing_sequence": lambda: shutil.rmtree(folder),
        "bad_sequence": lambda: info.write_text("{"),
        "unknown_object": lambda: info.write_text(info.read_text().replace('"boxlarge"', '"piano"')),
        "bad_calibration": lambda: (root / "calibs/Date01/config/3/config.json").unlink(),
    }


@pytest.mark.parametrize("reason", ["missing_sequence", "bad_sequence", "unknown_object", "bad_calibration"])
def test_a_broken_sequence_is_skipped_and_named(own_root, reason):
    sequence_breaks(own_root)[reason]()
    release = read_release(own_root, "train")
    assert {skip.reason for skip in release.skips} == {reason}
    assert release.skips[0].file.startswith(f"sequences/{TRAIN[0]}")
    assert TRAIN[0] not in release.sequences
    assert reason in REASONS


def test_nothing_readable_is_an_error(own_root):
    shutil.rmtree(own_root / "calibs")
    with pytest.raises(ValueError, match=r"(?s)no usable frame in the train split.*no calibration at"):
        read_release(own_root, "train")


def test_masks_fall_back_and_object_folders_may_use_the_real_name(own_root):
    (own_root / FRAME / "k2.obj_rend_mask.jpg").rename(own_root / FRAME / "k2.obj_mask.png")
    chair = own_root / "sequences/Date01_Sub01_chairblack_sit/t0003.000"
    (chair / "chair/fit01/chair_fit.pkl").rename(chair / "chair/fit01/chairblack_fit.pkl")
    (chair / "chair").rename(chair / "chairblack")
    release = read_release(own_root, "train")
    assert release.skips == []
    assert release.view_files(2)[2].name == "k2.obj_mask.png"


def test_calibration_files_are_checked(own_root):
    configs, lenses = own_root / "calibs/Date01/config", own_root / "calibs/intrinsics"
    (configs / "0/config.json").write_text(json.dumps({"rotation": [2, 0, 0] * 3, "translation": [0, 0, 0]}))
    with pytest.raises(ValueError, match=r"0/config.json: rotation is not orthonormal"):
        read_camera(configs, lenses, 0)
    (lenses / "1/calibration.json").write_text('{"color": {"fx": 1}}')
    with pytest.raises(ValueError, match=r"calibration.json: expected color with fx"):
        read_camera(configs, lenses, 1)


def test_manifest_counts_and_names(own_root, tmp_path):
    (own_root / FRAME / PERSON).unlink()
    release = read_release(own_root, "train")
    broken = Skip(f"{FRAME}/k0.color.jpg", "unreadable_image", "truncated", 1)
    manifest = build_manifest([release], [broken])
    stored = json.loads(json.dumps(manifest))
    train = stored["splits"]["train"]
    assert (train["sequences"], train["frames"], train["views"]) == (4, 7, 28)
    assert train["objects"] == {"boxlarge": 1, "chairblack": 2, "stool": 2, "yogaball": 2}
    assert train["kinects"] == {"k0": 7, "k1": 7, "k2": 7, "k3": 7}
    assert stored["skipped"]["missing_person_fit"] == {"files": 1, "views": 4}
    assert stored["skipped"]["unreadable_image"] == {"files": 1, "views": 1}
    console = Console(width=200, file=(tmp_path / "log").open("w"))
    console.print(manifest_tables(stored))
    console.file.close()
    text = (tmp_path / "log").read_text()
    assert f"{FRAME}/{PERSON}" in text
    assert REASONS["unreadable_image"] in text


SEQUENCES = [
    f"Date0{d}_Sub0{s}_stool_{a}" for d, s in ((1, 1), (2, 2), (4, 5), (5, 6), (6, 7)) for a in "abcd"
]


def test_validation_holds_out_whole_groups():
    held = carve_validation(SEQUENCES, [10] * 20, 0.2, "group", seed=1)
    assert len(held) == 4
    assert len({name[:12] for name in held}) == 1
    assert held == carve_validation(SEQUENCES[::-1], [10] * 20, 0.2, "group", seed=1)
    assert {tuple(carve_validation(SEQUENCES, [10] * 20, 0.2, "group", seed=s)) for s in range(9)} != {
        tuple(held)
    }


def test_validation_by_sequence_draws_evenly():
    held = carve_validation(SEQUENCES, [10] * 20, 0.25, "sequence", seed=1)
    assert len({name[:12] for name in held}) == len(held) == 5


def test_few_groups_fall_back_to_sequences_and_never_take_all():
    assert len(carve_validation(SEQUENCES[:8], [10] * 8, 0.1, "group")) == 1
    assert len(carve_validation(SEQUENCES[:2], [10, 10], 0.9, "sequence")) == 1
    assert carve_validation(SEQUENCES, [10] * 20, 0.0) == []
    with pytest.raises(ValueError, match=r"data.validation.by is 'frame'"):
        carve_validation(SEQUENCES, [10] * 20, 0.1, "frame")
    with pytest.raises(ValueError, match=r"data.validation.fraction is 1.5"):
        carve_validation(SEQUENCES, [10] * 20, 1.5)
