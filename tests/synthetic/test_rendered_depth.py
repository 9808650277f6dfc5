"""Depth of generated scenes, from files alone: against posed meshes, the floor, and a build without it."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import trimesh

from rhobin.synthetic.build import build_dataset
from rhobin.synthetic.places.cameras import camera_rig
from rhobin.synthetic.plan import plan_dataset

WIDTH, RECIPE = 160, {"size": "test"}


@pytest.fixture(scope="module")
def plans():
    every = plan_dataset("tiny", 3, frames=1)
    return [next(p for p in every if p.split == "train")]


@pytest.fixture(scope="module")
def root(plans, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("depth") / "behave"
    build_dataset(out, plans, RECIPE, WIDTH, depth=True)
    return out


def read(path: Path) -> np.ndarray:
    image = cv2.imread(str(path), cv2.IMREAD_ANYDEPTH)
    assert image.dtype == np.uint16
    return image / 1000


def local(root: Path, date: str, kinect: int, points: np.ndarray) -> np.ndarray:
    """World points in a Kinect's frame."""
    placed = json.loads((root / f"calibs/{date}/config/{kinect}/config.json").read_text())
    return (points - placed["translation"]) @ np.reshape(placed["rotation"], (3, 3))


@pytest.mark.parametrize("kinect", range(4))
def test_nothing_of_person_and_object_is_before_the_depth_and_what_is_seen_lies_on_it(root, plans, kinect):
    frame = root / "sequences" / plans[0].name / "t0003.000"
    depth = read(frame / f"k{kinect}.depth.png")
    lens = json.loads((root / f"calibs/intrinsics/{kinect}/calibration.json").read_text())["color"]
    for mesh in frame.glob("*/fit0?/*_fit.ply"):
        points = local(root, plans[0].date, kinect, trimesh.load(mesh, process=False).sample(4000, seed=1))
        column = np.rint(points[:, 0] / points[:, 2] * lens["fx"] + lens["cx"]).astype(int)
        row = np.rint(points[:, 1] / points[:, 2] * lens["fy"] + lens["cy"]).astype(int)
        near = cv2.erode(depth, np.ones((3, 3)))  # a point at an outline may round to a pixel beside it
        assert np.mean(points[:, 2] < near[row, column] - 0.02) < 0.005
        assert np.mean(np.abs(points[:, 2] - depth[row, column]) < 0.015) > 0.1


def test_the_floor_of_all_four_backgrounds_is_at_height_zero(root, plans):
    rig = camera_rig(plans[0].date, WIDTH)
    for kinect in range(4):
        folder = root / "calibs"
        depth = read(folder / plans[0].date / "background" / "t0003.000" / f"k{kinect}.depth.png")
        table = np.load(folder / "intrinsics" / str(kinect) / "pointcloud_table.npy")
        points = (np.dstack([table, np.ones_like(depth)]) * depth[..., None])[depth > 0]
        camera = rig.in_room(kinect)
        height = (points @ camera.R.T + camera.t)[:, 1]
        assert height.min() > -0.002
        assert np.mean(np.abs(height) < 0.002) > 0.15


def test_without_the_flag_everything_else_has_the_same_bytes(root, plans, tmp_path):
    build_dataset(tmp_path / "plain", plans, RECIPE, WIDTH)
    plain, deep = (
        {str(p.relative_to(place)): p.read_bytes() for p in place.rglob("*") if p.is_file()}
        for place in (tmp_path / "plain", root)
    )
    more = deep.keys() - plain.keys()
    assert {Path(name).name for name in more} == {"pointcloud_table.npy"} | {
        f"k{kinect}.depth.png" for kinect in range(4)
    }
    assert [name for name in plain if plain[name] != deep[name]] == ["synth.json"]


def test_a_root_with_depth_is_not_completed_without_it(root, plans):
    with pytest.raises(ValueError, match="depth is True, asked for None"):
        build_dataset(root, plans, RECIPE, WIDTH)
