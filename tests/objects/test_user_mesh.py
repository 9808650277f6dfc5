"""Meshes as users bring them: any format, unit and state."""

import numpy as np
import pytest
import trimesh
from trimesh import creation

from rhobin.objects.user_mesh import ENOUGH_VERTS, object_name, read_user_mesh


def written(tmp_path, mesh, suffix="ply"):
    path = tmp_path / f"thing.{suffix}"
    mesh.export(path)
    return path


@pytest.mark.parametrize("suffix", ["ply", "obj", "stl", "glb", "off"])
def test_every_format_gives_the_same_solid(tmp_path, suffix):
    read = read_user_mesh(written(tmp_path, creation.box((0.3, 0.2, 0.1)), suffix))
    np.testing.assert_allclose(np.ptp(read.verts, axis=0), [0.3, 0.2, 0.1], atol=1e-6)
    np.testing.assert_allclose(read.verts.mean(axis=0), 0, atol=1e-9)
    solid = trimesh.Trimesh(read.verts, read.faces, process=False)
    assert solid.is_watertight
    assert solid.volume == pytest.approx(0.006, rel=1e-5)
    assert len(read.verts) >= ENOUGH_VERTS
    assert any("edges halved, 8 to 386" in note for note in read.notes)


def test_units_and_the_place_of_a_point_of_the_file(tmp_path):
    mesh = creation.box((300, 200, 100)).apply_translation([1000, 0, -70])
    read = read_user_mesh(written(tmp_path, mesh), "mm")
    corner = read.scale * mesh.vertices[3] - read.shift
    assert np.linalg.norm(read.verts - corner, axis=1).min() < 1e-6


@pytest.mark.parametrize(
    ("size", "unit", "advice"),
    [(96.0, "m", "--unit mm makes it 9.6 cm"), (0.3, "mm", "--unit m makes it 30 cm"), (1e9, "m", "no unit")],
)
def test_a_size_that_no_object_has_proposes_units(tmp_path, size, unit, advice):
    path = written(tmp_path, creation.box((size, size / 2, size / 3)))
    with pytest.raises(ValueError, match=rf"largest side is 2 cm to 3 m, found .*read as {unit}.*{advice}"):
        read_user_mesh(path, unit)


def test_colours_of_a_scene_reach_the_triangles(tmp_path):
    scene = trimesh.Scene()
    for place, color in ((0.0, (200, 10, 20, 255)), (0.5, (10, 20, 200, 255))):
        ball = creation.icosphere(3, 0.1)
        ball.visual.face_colors = color
        scene.add_geometry(ball, transform=trimesh.transformations.translation_matrix([place, 0, 0]))
    read = read_user_mesh(written(tmp_path, scene, "glb"))
    side = read.verts[read.faces].mean(axis=1)[:, 0] < 0
    assert read.colors is not None
    np.testing.assert_array_equal(read.colors[side], np.broadcast_to((200, 10, 20), (side.sum(), 3)))
    np.testing.assert_array_equal(read.colors[~side], np.broadcast_to((10, 20, 200), ((~side).sum(), 3)))
    assert any("2 separate pieces" in note for note in read.notes)


def test_what_is_wrong_is_said(tmp_path):
    ball = creation.icosphere(3, 0.1)
    faces = np.concatenate([ball.faces[5:], [[0, 1, 1], [2, 2, 2]]])
    path = written(tmp_path, trimesh.Trimesh(ball.vertices, faces, process=False), "off")
    notes = " ".join(read_user_mesh(path).notes)
    assert "2 triangles without area left out" in notes
    assert "not watertight" in notes
    assert "separate pieces" not in notes


def test_an_inside_out_surface_is_turned_around(tmp_path):
    ball = creation.icosphere(3, 0.1)
    path = written(tmp_path, trimesh.Trimesh(ball.vertices, ball.faces[:, ::-1], process=False))
    read = read_user_mesh(path)
    assert trimesh.Trimesh(read.verts, read.faces, process=False).volume > 0
    assert any("inside out" in note for note in read.notes)


def test_a_mesh_without_thickness_or_triangles_is_refused(tmp_path):
    flat = trimesh.Trimesh([[0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0]], [[0, 1, 2], [1, 3, 2]])
    with pytest.raises(ValueError, match="flat mesh"):
        read_user_mesh(written(tmp_path, flat))
    cloud = tmp_path / "cloud.ply"
    trimesh.PointCloud(np.eye(3)).export(cloud)
    with pytest.raises(ValueError, match=r"cloud.ply: expected"):
        read_user_mesh(cloud)
    text = tmp_path / "notes.txt"
    text.write_text("no mesh")
    with pytest.raises(ValueError, match=r"notes.txt: expected triangles in a format"):
        read_user_mesh(text)
    with pytest.raises(FileNotFoundError, match="expected a mesh at"):
        read_user_mesh(tmp_path / "nowhere.ply")


def test_names_can_be_part_of_a_sequences_name(tmp_path):
    assert object_name(tmp_path / "Mug.glb", None) == "mug"
    assert object_name(tmp_path / "my mug.glb", "mug2") == "mug2"
    with pytest.raises(ValueError, match=r"found 'my_mug'; say --name"):
        object_name(tmp_path / "my_mug.glb", None)
