import errno
import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from silhouette import iou, silhouette

from rhobin.behave.read import read_release
from rhobin.behave.ref import read_ref
from rhobin.body.load import load_bodies
from rhobin.body.transform import change_camera
from rhobin.geometry.rotation import rotvec_to_rotmat
from rhobin.synthetic import build
from rhobin.synthetic.build import build_dataset, is_complete
from rhobin.synthetic.plan import plan_dataset

WIDTH = 320
RECIPE = {"size": "test", "seed": 3}


@pytest.fixture(scope="module")
def plans():
    every = plan_dataset("tiny", 3, frames=1)
    train = next(p for p in every if p.split == "train")
    test = next(p for p in every if p.split == "test")
    return [train, test]


@pytest.fixture(scope="module")
def dataset(plans, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("synthetic") / "behave"
    build_dataset(out, plans, RECIPE, WIDTH)
    return out


def content(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}


def test_any_number_of_workers_writes_the_same_bytes(dataset, plans, tmp_path):
    build_dataset(tmp_path / "two", plans, RECIPE, WIDTH, workers=2)
    one, two = content(dataset), content(tmp_path / "two")
    assert one.keys() == two.keys()
    assert [name for name in one if one[name] != two[name]] == []


def test_a_stopped_build_goes_on(dataset, plans, tmp_path):
    out = tmp_path / "copy"
    shutil.copytree(dataset, out)
    stopped = out / "sequences" / plans[1].name
    (stopped / "info.json").unlink()
    for image in stopped.rglob("k2.color.jpg"):
        image.write_bytes(image.read_bytes()[:100])
    (stopped / ".t0009.000.part").mkdir()
    (out / "ref.pkl").unlink()
    assert is_complete(out, plans[0].name)
    assert not is_complete(out, plans[1].name)
    kept = (out / "sequences" / plans[0].name / "info.json").stat().st_mtime_ns
    summary = build_dataset(out, plans, RECIPE, WIDTH)
    assert (summary.kept, len(summary.made), summary.views) == (1, 1, 4)
    assert (out / "sequences" / plans[0].name / "info.json").stat().st_mtime_ns == kept
    assert content(out) == content(dataset)


def test_a_finished_build_has_nothing_to_do(dataset, plans, monkeypatch):
    monkeypatch.setattr(build, "make_sequence", None)
    monkeypatch.setattr(build, "make_layer", None)
    summary = build_dataset(dataset, plans, RECIPE, WIDTH)
    assert (summary.kept, summary.views) == (2, 0)


def test_another_recipe_is_refused(dataset, plans):
    with pytest.raises(ValueError, match=r"seed is 3, asked for 4.*--out"):
        build_dataset(dataset, plans, {**RECIPE, "seed": 4}, WIDTH)


def test_a_foreign_folder_is_refused(plans, tmp_path):
    (tmp_path / "sequences").mkdir()
    with pytest.raises(ValueError, match=r"not made here"):
        build_dataset(tmp_path, plans, RECIPE, WIDTH)


def test_a_full_disk_says_what_to_do(plans, tmp_path, monkeypatch):
    def full(*args):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(build, "make_layer", lambda *args: None)
    monkeypatch.setattr(build, "make_sequence", full)
    with pytest.raises(OSError, match="run the same command again"):
        build_dataset(tmp_path / "out", plans, RECIPE, WIDTH)


@pytest.fixture(scope="module")
def six_sequences(tmp_path_factory) -> Path:
    """Two frames of each, in two rooms, of which one is the test room."""
    every = plan_dataset("demo", 11, frames=2)
    train, test = ([p for p in every if p.date == date][:3] for date in ("Date01", "Date03"))
    out = tmp_path_factory.mktemp("synthetic") / "six"
    build_dataset(out, train + test, RECIPE, 640)
    return out


@pytest.mark.parametrize("split", ["train", "test"])
def test_projected_parameters_lie_on_the_written_masks(six_sequences, split):
    """All from files: parameters and calibration give the amodal masks of all four views of 12 frames."""
    release = read_release(six_sequences, split)
    bodies = load_bodies()
    assert len(release.views.frame) + sum(skip.views for skip in release.skips) == 4 * 6
    for view in range(len(release.views.frame)):
        row = int(release.views.frame[view])
        camera = release.cameras[release.views.camera[view]]
        person, thing = meshes_in_camera(release, row, camera, bodies)
        folder, kinect = release.view_files(view)[0].parent, int(release.views.kinect[view])
        for name, (verts, faces) in {"person_full": person, "obj_rend_full": thing}.items():
            written = cv2.imread(str(folder / f"k{kinect}.{name}.jpg"), cv2.IMREAD_GRAYSCALE) > 127
            drawn = silhouette(verts, faces, camera.K, camera.width, camera.height)
            assert written.any()
            assert iou(written, drawn) > 0.95, (folder, kinect, name)


def test_without_the_pelvis_offset_bodies_miss_their_masks(dataset):
    release = read_release(dataset, "train")
    bodies = load_bodies()
    missed = []
    for view in range(4):
        row, camera = int(release.views.frame[view]), release.cameras[release.views.camera[view]]
        person, _ = meshes_in_camera(release, row, camera, bodies, pelvis_offset=False)
        kinect = int(release.views.kinect[view])
        file = release.view_files(view)[0].with_name(f"k{kinect}.person_full.jpg")
        written = cv2.imread(str(file), cv2.IMREAD_GRAYSCALE) > 127
        missed.append(iou(written, silhouette(*person, camera.K, camera.width, camera.height)))
    assert missed[1] > 0.95
    assert min(missed) < 0.8


def meshes_in_camera(release, row, camera, bodies, pelvis_offset=True):
    frames = release.frames
    theta = rotvec_to_rotmat(torch.from_numpy(frames.pose[row]).view(1, 52, 3)).float()
    beta = torch.from_numpy(frames.betas[row])[None].float()
    gender = torch.tensor([int(frames.gender[row])])
    R = torch.from_numpy(camera.R.T).float()
    t = torch.from_numpy(-camera.R.T @ camera.t).float()
    pelvis = bodies.rest_joints(beta, gender)[:, 0] * float(pelvis_offset)
    trans = torch.from_numpy(frames.trans[row])[None].float()
    root, moved = change_camera(theta[:, 0], trans, pelvis, R, t)
    theta[:, 0] = root
    verts = bodies(theta, beta, moved, gender).verts[0].numpy()
    names = sorted(release.templates)
    template = release.templates[names[int(frames.object_id[row])]]
    turn, _ = cv2.Rodrigues(frames.obj_angle[row])
    placed = (template.verts @ turn.T + frames.obj_trans[row] - camera.t) @ camera.R
    return (verts, bodies.faces.numpy()), (placed, template.faces)


def test_split_and_reference_agree_with_the_files(dataset, plans):
    split = json.loads((dataset / "split.json").read_text())
    assert split == {"train": [plans[0].name], "test": [plans[1].name]}
    annotations, templates = read_ref(dataset / "ref.pkl")
    assert list(annotations) == split["test"]
    assert len(templates) == 20
    found = annotations[plans[1].name]
    release = read_release(dataset, "test", cameras=(1,))
    np.testing.assert_array_equal(found.poses, release.frames.pose)
    np.testing.assert_array_equal(found.obj_trans, release.frames.obj_trans)
    for frame, ratio in zip(found.frames, found.occ_ratios, strict=True):
        folder = dataset / "sequences" / plans[1].name / frame
        seen, whole = (
            np.count_nonzero(cv2.imread(str(folder / f"k1.{name}.jpg"), cv2.IMREAD_GRAYSCALE) > 127)
            for name in ("obj_rend_mask", "obj_rend_full")
        )
        assert ratio == pytest.approx(seen / whole)
        assert ratio > 0


def test_room_layers_are_not_left_behind(dataset):
    assert not (dataset / build.ROOMS).exists()


def test_each_camera_has_a_background_picture(dataset, plans):
    for plan in plans:
        for kinect in range(4):
            empty = cv2.imread(str(dataset / "calibs" / plan.date / "background" / f"k{kinect}.color.jpg"))
            frame = next((dataset / "sequences" / plan.name).glob("t*"))
            seen = cv2.imread(str(frame / f"k{kinect}.color.jpg"))
            assert empty.shape == seen.shape
            apart = np.abs(empty.astype(int) - seen).mean(axis=2)
            masks = [
                cv2.imread(str(frame / f"k{kinect}.{name}.jpg"), cv2.IMREAD_GRAYSCALE) > 127
                for name in ("person_full", "obj_rend_full")
            ]
            actors = masks[0] | masks[1]
            assert apart[actors].mean() > 1.5 * apart[~actors].mean()
