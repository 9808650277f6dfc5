"""One release in every layout: the same records, whose projections lie on the masks."""

import json
import pickle
import shutil
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from behave_tree import TEST, TRAIN, silhouette
from data_samples import truth_of

from rhobin.behave.builder import EmptySplitError, FrameRecord, ReleaseBuilder
from rhobin.behave.detect import detect_layout
from rhobin.behave.exceptions import known_exceptions
from rhobin.behave.layout import SYNTHETIC
from rhobin.behave.manifest import build_manifest
from rhobin.behave.read import read_release
from rhobin.behave.writers.files import read_image, read_mask
from rhobin.behave.writers.relayout import write_release
from rhobin.geometry.rotation import rotvec_to_rotmat
from rhobin.objects.names import OBJECT_NAMES
from rhobin.types import GENDERS

LAYOUTS = ("raw", "30fps", "2023", "2024")


def key(release, view):
    frame = release.views.frame[view]
    sequence = release.sequences[release.frames.sequence[frame]]
    return sequence, str(release.frames.name[frame]), int(release.views.kinect[view])


def by_key(release):
    return {key(release, view): view for view in range(len(release.views.frame))}


@pytest.fixture(scope="module")
def releases(layout_roots, templates):
    return {
        (layout, split): read_release(layout_roots[layout], split, templates=templates)
        for layout in LAYOUTS
        for split in ("train", "test")
    }


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts_are_told_apart_and_nothing_is_skipped(layout_roots, releases, layout):
    assert detect_layout(layout_roots[layout]) == layout
    for split, names in (("train", TRAIN), ("test", TEST)):
        release = releases[layout, split]
        assert release.layout == layout
        assert release.skips == []
        assert sorted(release.sequences) == sorted(names)
        kinects = 1 if (layout, split) == ("2023", "test") else 4
        assert len(release.views.frame) == 2 * kinects * len(names)


@pytest.mark.parametrize("layout", ["30fps", "2023"])
@pytest.mark.parametrize("split", ["train", "test"])
def test_layouts_with_a_world_hold_the_same_numbers(releases, layout, split):
    raw, other = releases["raw", split], releases[layout, split]
    rows = {
        (raw.sequences[s], n): row
        for row, (s, n) in enumerate(zip(raw.frames.sequence, raw.frames.name, strict=True))
    }
    for row, (sequence, name) in enumerate(zip(other.frames.sequence, other.frames.name, strict=True)):
        same = rows[other.sequences[sequence], name]
        for field in ("pose", "betas", "trans", "obj_angle", "obj_trans", "gender", "object_id", "has_body"):
            assert np.array_equal(getattr(other.frames, field)[row], getattr(raw.frames, field)[same]), field
    views = by_key(raw)
    for view, name in enumerate(key(other, view) for view in range(len(other.views.frame))):
        mine, theirs = other.cameras[other.views.camera[view]], raw.cameras[raw.views.camera[views[name]]]
        assert np.allclose(mine.K, theirs.K)
        assert np.allclose(mine.R, theirs.R)
        assert np.allclose(mine.t, theirs.t)


@pytest.mark.parametrize("layout", ["30fps", "2023", "2024"])
def test_every_view_has_the_same_ground_truth_in_its_camera(releases, bodies, templates, layout):
    for split in ("train", "test"):
        raw, other = releases["raw", split], releases[layout, split]
        truth, found = truth_of(raw, bodies), truth_of(other, bodies)
        views = by_key(raw)
        assert set(by_key(other)) <= set(views)
        for name, view in by_key(other).items():
            same = views[name]
            for field in ("root_R", "trans", "joints", "obj_R", "obj_t", "kpts"):
                assert np.allclose(getattr(found, field)[view], getattr(truth, field)[same], atol=2e-6), field
            for field in ("beta", "gender", "object_id"):
                mine, theirs = found.frame[view], truth.frame[same]
                assert np.array_equal(getattr(found, field)[mine], getattr(truth, field)[theirs]), field


def posed(release, view, bodies):
    """Vertices of person and object in the world of a view's frame."""
    frames, row = release.frames, int(release.views.frame[view])
    theta = rotvec_to_rotmat(torch.from_numpy(frames.pose[row]).reshape(1, 52, 3)).float()
    beta, trans = (torch.from_numpy(a[row])[None].float() for a in (frames.betas, frames.trans))
    body = bodies(theta, beta, trans, torch.tensor([int(frames.gender[row])])).verts[0].double().numpy()
    R = cv2.Rodrigues(frames.obj_angle[row])[0]
    return body, release.templates[OBJECT_NAMES[frames.object_id[row]]].verts @ R.T + frames.obj_trans[row]


def iou(a, b):
    return np.count_nonzero(a & b) / np.count_nonzero(a | b)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_projections_land_on_the_masks_of_all_four_views(releases, bodies, release_root, layout):
    release, seen = releases[layout, "train"], set()
    for view in range(len(release.views.frame)):
        camera = release.cameras[release.views.camera[view]]
        sequence, frame, kinect = key(release, view)
        body, thing = posed(release, view, bodies)
        whole = release_root / "sequences" / sequence / frame / f"k{kinect}.person_full.jpg"
        assert iou(silhouette(body, camera), read_mask(whole) > 0) > 0.95
        assert iou(silhouette(thing, camera), read_mask(release.view_files(view)[2]) > 0) > 0.95
        seen.add(kinect)
    assert seen == {0, 1, 2, 3}


def test_images_are_those_of_the_raw_release(releases):
    raw = releases["raw", "train"]
    views = by_key(raw)
    for layout in ("30fps", "2023", "2024"):
        release = releases[layout, "train"]
        for view in (0, 9, 30):
            files, originals = release.view_files(view), raw.view_files(views[key(release, view)])
            for file, original in zip(files[1:], originals[1:], strict=True):
                assert np.array_equal(read_mask(file), read_mask(original))
            difference = np.abs(read_image(files[0]).astype(int) - read_image(originals[0]))
            assert difference.mean() < (20 if layout == "30fps" else 1e-9)  # videos are compressed


def test_visible_fractions_come_with_the_challenge_package(releases, layout_roots, templates):
    assert np.isnan(releases["raw", "test"].frames.visible).all()
    assert np.isnan(releases["2024", "test"].frames.visible).all()
    assert np.allclose(releases["2023", "test"].frames.visible, 1, atol=0.02)
    ref = pickle.loads((layout_roots["2023"] / "ref.pkl").read_bytes())
    assert ref["annotations"][TEST[0]]["occ_ratios"].shape == (2,)


def test_fits_have_the_precision_and_the_keys_of_the_release(layout_roots):
    for folder in sorted((layout_roots["30fps"] / "behave-30fps-params-v1").iterdir()):
        fits = [np.load(folder / f"{part}_fit_all.npz") for part in ("smpl", "object")]
        assert {fit[key].dtype for fit in fits for key in fit if key not in ("gender", "frame_times")} == {
            np.dtype(np.float32)
        }
        assert str(fits[0]["gender"]) == json.loads((folder / "info.json").read_text())["gender"]
    for layout, pattern in (("raw", "*_fit.pkl"), ("2023", "*_fit.pkl"), ("2024", "gt/*.pkl")):
        for file in layout_roots[layout].rglob(pattern):
            values = pickle.loads(file.read_bytes()).values()
            assert {v.dtype for v in values if isinstance(v, np.ndarray)} == {np.dtype(np.float32)}, file


def test_a_world_less_layout_cannot_be_written_where_cameras_must_stand(releases, tmp_path):
    with pytest.raises(
        ValueError, match=r"2024, which does not tell where the cameras stood; raw needs that"
    ):
        write_release([releases["2024", "train"]], tmp_path / "out", "raw")
    assert not list(tmp_path.iterdir())


def test_from_30fps_and_2023_back_to_raw(releases, tmp_path, templates):
    for layout in ("30fps", "2023"):
        write_release([releases[layout, "train"]], tmp_path / layout, "raw")
        back = read_release(tmp_path / layout, "train", templates=templates)
        raw = releases["raw", "train"]
        assert np.array_equal(back.frames.pose, raw.frames.pose)
        assert np.array_equal(back.frames.obj_trans, raw.frames.obj_trans)
        assert back.skips == []
        with pytest.raises(EmptySplitError, match="no usable frame in the test split"):
            read_release(tmp_path / layout, "test", templates=templates)


def test_writers_refuse_what_they_cannot_write(releases, bodies, tmp_path, own_layout, templates):
    raw = releases["raw", "train"]
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "a").touch()
    with pytest.raises(FileExistsError, match="is not empty"):
        write_release([raw], tmp_path / "full", "2023")
    with pytest.raises(ValueError, match="unknown layout 'coco'; expected one of raw"):
        write_release([raw], tmp_path / "out", "coco")
    with pytest.raises(ValueError, match="needs body models"):
        write_release([raw], tmp_path / "out", "2024")
    without = replace(raw, frames=replace(raw.frames, has_body=np.zeros(len(raw.frames.name), bool)))
    with pytest.raises(ValueError, match="without SMPL-H parameters"):
        write_release([without], tmp_path / "out", "raw")
    root = own_layout("raw")
    for file in root.rglob("*.obj_rend_full.jpg"):
        file.unlink()
    with pytest.raises(
        ValueError, match=r"how much of the object is visible .* expected k1.obj_rend_full.jpg"
    ):
        write_release([read_release(root, "test", templates=templates)], tmp_path / "out", "2023")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("layout", "said"), [("auto", "raw: sequences/"), ("2023", "2023: train_part1/")])
def test_an_empty_root_says_what_each_layout_looks_like(tmp_path, layout, said):
    with pytest.raises(FileNotFoundError, match=rf"(?s)no BEHAVE data at .*{said}.*rhobin synth --out"):
        read_release(tmp_path, "train", layout=layout)


def test_an_ambiguous_root_wants_to_be_told(own_layout, templates):
    root = own_layout("raw")
    (root / "test_images").mkdir()
    with pytest.raises(ValueError, match=r"can be read as raw or 2023; say which with data.layout=raw"):
        read_release(root, "train", templates=templates)
    assert read_release(root, "train", templates=templates, layout="raw").layout == "raw"
    with pytest.raises(ValueError, match=r"data.layout is 'kitti'; expected auto or one of raw"):
        read_release(root, "train", layout="kitti")
    with pytest.raises(FileNotFoundError, match="found data of layout raw and 2023"):
        read_release(root, "train", layout="2024")


def test_the_manifest_tells_known_exceptions_with_their_source(releases):
    manifest = build_manifest([releases["2023", "train"], releases["2023", "test"]])
    applied = {entry["name"]: entry for entry in manifest["exceptions"]}
    assert applied["object-folder-by-class"]["sequences"] == [TRAIN[1], TRAIN[2]]
    assert applied["test-is-kinect-1"]["sequences"] == list(TEST)
    for entry in applied.values():
        assert entry["source"] == known_exceptions()[entry["name"]]["source"]
        assert entry["source"].startswith("https://")


def test_a_split_that_is_not_the_official_one_is_told(releases, own_layout):
    root = own_layout("raw")
    (root / SYNTHETIC).unlink()
    release = replace(releases["raw", "train"], root=root)
    manifest = build_manifest([release])
    assert "expected 231 training sequences, found 4" in manifest["official_split"]
    names = {"train": [f"Date01_Sub01_stool_{i}" for i in range(231)]}
    names["test"] = [
        f"Date03_Sub{subject:02d}_stool_{i}" for subject, n in ((3, 35), (4, 35), (5, 20)) for i in range(n)
    ]
    (root / "split.json").write_text(json.dumps(names))
    assert build_manifest([release])["official_split"] == []


def opaque(root, split):
    """Rename the ids of a part to plain numbers, as packages do that hide where images come from."""
    names = sorted(path.stem for path in (root / split / "images").iterdir())
    for number, name in enumerate(names):
        for path in [p for p in (root / split).rglob("*") if p.name.startswith(name)]:
            path.rename(path.with_name(path.name.replace(name, f"{number:06d}")))
    return names


def test_ids_that_tell_nothing_are_frames_of_one_sequence(own_layout, templates):
    root = own_layout("2024")
    names = opaque(root, "train")
    release = read_release(root, "train", templates=templates)
    assert release.sequences == ["train"]
    assert list(release.frames.name) == [f"{i:06d}" for i in range(len(names))]
    assert [GENDERS[g] for g in release.frames.gender[-8:]] == ["male"] * 8


def test_a_release_may_bring_its_own_validation_split(own_layout, templates):
    root = own_layout("2024")
    (root / "test").rename(root / "val")
    assert len(read_release(root, "val", templates=templates).views.frame) == 8
    with pytest.raises(EmptySplitError, match="no usable frame in the test split"):
        read_release(root, "test", templates=templates)


def test_templates_of_ref_serve_where_there_is_no_objects_folder(own_layout):
    for layout in ("2023", "2024"):
        release = read_release(own_layout(layout), "test")
        assert release.templates["backpack"].sha256
        assert len(release.templates["yogaball"].symmetries) > 1


def test_the_challenge_lens_serves_where_there_is_no_calibration(own_layout, templates):
    root = own_layout("2023")
    shutil.rmtree(root / "calibs")
    train = read_release(root, "train", templates=templates)
    assert [(s.file, s.reason) for s in train.skips] == [("calibs", "bad_calibration")]
    assert set(train.views.kinect) == {1}
    camera = read_release(root, "test", templates=templates).cameras[0]
    assert camera.K[0, 0] == 979.784
    assert (camera.width, camera.height) == (2048, 1536)


def test_distortion_of_a_camera_changes_the_hash(releases):
    raw = releases["raw", "train"]
    parameters = np.zeros(175)
    parameters[[168, 174]] = 2.0
    digests = set()
    for distortion in (None, np.full(8, 0.01)):
        builder = ReleaseBuilder(raw.root, "train", "raw", raw.templates)
        lens = replace(raw.cameras[0], R=np.eye(3), t=np.zeros(3), distortion=distortion)
        camera = builder.add_camera(0, lens)
        views = {1: (camera, ("a.jpg", "b.jpg", "c.jpg"))}
        builder.add("s", "male", "stool", FrameRecord("t0003.000", parameters, views, ""))
        digests.add(builder.release().data_hash)
    assert len(digests) == 2
