"""Depth images and the tables by which the official tools turn them into points, and posed meshes."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from behave_tree import make_cameras

from rhobin.behave.layout import object_fit_file, person_fit_file
from rhobin.behave.ply import write_ply
from rhobin.behave.read import read_release
from rhobin.behave.writers.depth import pointcloud_table, write_depth, write_tables
from rhobin.behave.writers.relayout import write_release
from rhobin.types import Camera

LENS = np.array([0.43, -2.7, 0.0006, -0.0002, 1.6, 0.31, -2.5, 1.5])  # much like a Kinect's


def test_depth_is_written_in_millimetres_and_zero_where_there_is_none(tmp_path):
    depth = np.array([[2.0, 2.0004, 2.0006, 65.535], [np.inf, np.nan, -1.0, 65.536]])
    write_depth(tmp_path, 2, depth)
    read = cv2.imread(str(tmp_path / "k2.depth.png"), cv2.IMREAD_ANYDEPTH)
    assert read.dtype == np.uint16
    assert read.tolist() == [[2000, 2000, 2001, 65535], [0, 0, 0, 0]]


@pytest.mark.parametrize("lens", [None, LENS])
def test_opencv_projects_what_tables_hold_to_their_pixels(lens):
    K = np.array([[76.5, 0, 79.6], [0, 76.7, 60.9], [0, 0, 1]])
    table = pointcloud_table(Camera(K, np.eye(3), np.zeros(3), 160, 120, lens))
    assert (table.shape, table.dtype) == ((120, 160, 2), np.float32)
    rays = np.dstack([table, np.ones((120, 160))]).reshape(-1, 3).astype(np.float64)
    pixels = cv2.projectPoints(rays, np.zeros(3), np.zeros(3), K, lens)[0].reshape(120, 160, 2)
    expected = np.stack(np.meshgrid(np.arange(160), np.arange(120)), axis=-1)
    np.testing.assert_allclose(pixels, expected, atol=1e-4)


@pytest.fixture
def with_depth(own_root) -> Path:
    """A root with tables, and depth images of one sequence."""
    write_tables(own_root, make_cameras())
    for date in ("Date04", "Date07"):  # nobody is seen on the second
        write_depth(own_root / f"calibs/{date}/background/t0003.000", 1, np.full((120, 160), 4.0))
    for frame in sorted(own_root.glob("sequences/Date04_Sub05_stool/t*")):
        for kinect in range(4):
            write_depth(frame, kinect, np.full((120, 160), 2 + kinect / 10))
    return own_root


@pytest.mark.parametrize(
    ("layout", "images"), [("raw", "sequences/Date04_Sub05_stool"), ("2023", None), ("30fps", None)]
)
def test_other_layouts_get_the_tables_and_raw_ones_images(with_depth, tmp_path, layout, images, templates):
    releases = [read_release(with_depth, split, templates=templates) for split in ("train", "test")]
    out = tmp_path / "out"
    write_release(releases, out, layout)
    for kinect in range(4):
        table = f"calibs/intrinsics/{kinect}/pointcloud_table.npy"
        assert (out / table).read_bytes() == (with_depth / table).read_bytes()
    found = {str(file.relative_to(out)) for file in out.rglob("*.depth.png")}
    assert [file for file in found if "/background/" in file] == [
        "calibs/Date04/background/t0003.000/k1.depth.png"
    ]
    assert len(found) == (9 if images else 1)
    for file in found:
        assert file.startswith((images or "calibs", "calibs"))
        assert (out / file).read_bytes() == (with_depth / file).read_bytes()


@pytest.mark.parametrize(("layout", "place"), [("raw", "sequences"), ("2023", "train_part*")])
def test_posed_meshes_go_along(own_root, tmp_path, layout, place, templates):
    name = "Date01_Sub01_chairblack_sit"
    frame = own_root / "sequences" / name / "t0003.000"
    meshes = (person_fit_file(frame, "ply"), object_fit_file(frame, "chair", "ply"))
    for number, mesh in enumerate(meshes):
        write_ply(mesh, np.eye(3) + number, np.array([[0, 1, 2]]))
    release = read_release(own_root, "train", templates=templates)
    write_release([release], tmp_path / "out", layout)
    found = {file.name: file for file in tmp_path.glob(f"out/{place}/**/*_fit.ply")}
    assert {key: file.read_bytes() for key, file in found.items()} == {m.name: m.read_bytes() for m in meshes}
    assert all(file.parents[2].name == frame.name for file in found.values())
