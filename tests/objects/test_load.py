import shutil
from pathlib import Path

import numpy as np
import pytest
import trimesh
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from rhobin.objects.catalogue import built_in
from rhobin.objects.load import load_template, load_templates
from rhobin.objects.names import OBJECT_NAMES
from rhobin.objects.scans import (
    RELEASE_VERTS,
    SIMPLIFIED,
    TemplateCountWarning,
    load_full_mesh,
    read_mesh,
    simplified_path,
)
from rhobin.objects.template import Template

TURN = Rotation.from_rotvec([0.2, 0.5, -0.3]).as_matrix()
SHIFT = np.array([0.4, 1.1, 2.3])


def write_object(folder: Path, name: str, verts: np.ndarray, faces: np.ndarray, full=None) -> Path:
    """One object as in a release: simplified PLY and full OBJ, off centre and turned."""
    (folder / name).mkdir(parents=True, exist_ok=True)
    path = folder / name / SIMPLIFIED.get(name, f"{name}_f1000.ply")
    trimesh.Trimesh(verts, faces, process=False).export(path)
    full_verts, full_faces = full or (verts, faces)
    trimesh.Trimesh(full_verts, full_faces, process=False).export(folder / name / f"{name}.obj")
    return path


def scan_of(name: str) -> tuple[np.ndarray, np.ndarray]:
    template = built_in(name)
    return template.verts @ TURN.T + SHIFT, template.faces


@pytest.fixture(scope="module")
def release(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("release") / "objects"
    for name in OBJECT_NAMES:
        write_object(folder, name, *scan_of(name))
    return folder


@pytest.fixture(scope="module")
def templates(release) -> dict[str, Template]:
    with pytest.warns(TemplateCountWarning):
        return load_templates(release)


def test_built_in_templates_come_in_the_order_of_the_names():
    assert list(load_templates()) == list(OBJECT_NAMES)


def test_a_release_loads_every_object_about_its_vertex_mean(templates):
    assert list(templates) == list(OBJECT_NAMES)
    for name, template in templates.items():
        verts, faces = scan_of(name)
        np.testing.assert_allclose(template.verts, verts - verts.mean(axis=0), atol=1e-6)
        np.testing.assert_array_equal(template.faces, faces)
        assert template.parts == ()
        assert template.diameter == pytest.approx(built_in(name).diameter, abs=1e-5)
        with pytest.raises(ValueError, match="scanned template"):
            template.sdf(np.zeros((1, 3)))


def test_doubled_vertices_are_not_merged(tmp_path):
    verts, faces = scan_of("boxtiny")
    doubled = verts[faces].reshape(-1, 3)
    write_object(tmp_path, "boxtiny", doubled, np.arange(len(doubled)).reshape(-1, 3))
    with pytest.warns(TemplateCountWarning, match="BEHAVE's own file has 506"):
        template = load_template(tmp_path, "boxtiny")
    assert len(template.verts) == len(doubled)
    np.testing.assert_allclose(template.verts, doubled - doubled.mean(axis=0), atol=1e-6)


def test_no_warning_when_the_count_is_the_release_one(tmp_path, recwarn):
    rng = np.random.default_rng(0)
    points = rng.normal(size=(RELEASE_VERTS["stool"], 3))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    hull = trimesh.convex.convex_hull(points)
    assert len(hull.vertices) == RELEASE_VERTS["stool"]
    write_object(tmp_path, "stool", hull.vertices, hull.faces)
    load_template(tmp_path, "stool")
    assert not [w for w in recwarn if w.category is TemplateCountWarning]


def test_the_full_mesh_shares_the_simplified_centre(tmp_path):
    verts, faces = scan_of("toolbox")
    full = trimesh.Trimesh(verts, faces, process=False).subdivide(face_index=np.arange(300))
    write_object(tmp_path, "toolbox", verts, faces, (full.vertices, full.faces))
    full_verts, _ = load_full_mesh(tmp_path, "toolbox")
    np.testing.assert_allclose(
        full_verts.mean(axis=0), full.vertices.mean(axis=0) - verts.mean(axis=0), atol=1e-5
    )
    assert np.abs(full_verts.mean(axis=0)).max() > 1e-3, (
        "the two means must differ for this test to see anything"
    )
    gap = np.linalg.norm(full_verts[:, None] - (verts - verts.mean(axis=0))[None], axis=2).min(axis=0)
    assert gap.max() < 1e-5


def test_symmetry_of_scans_is_found_where_it_exists(templates):
    for name in ("basketball", "boxlarge", "boxlong", "yogamat", "trashbin", "tablesquare", "tablesmall"):
        own, scan = built_in(name), templates[name]
        assert len(scan.symmetries) == len(own.symmetries), name
        R, t = scan.symmetries[1], scan.symmetry_offsets[1]
        surface = trimesh.sample.sample_surface(trimesh.Trimesh(scan.verts, scan.faces), 20_000, seed=0)[0]
        gap = cKDTree(surface).query(scan.verts @ R.T + t)[0]
        assert gap.mean() < 0.015 * scan.diameter
    for name in ("chairwood", "backpack", "monitor"):
        assert len(templates[name].symmetries) == 1


def test_a_dented_box_keeps_only_the_identity(tmp_path):
    verts, faces = scan_of("boxlarge")
    dented = verts.copy()
    local = (verts - SHIFT) @ TURN
    dented[local[:, 0] > 0.2] -= 0.09 * TURN[:, 0]
    dented[local[:, 1] > 0.15] += 0.09 * TURN[:, 2]
    write_object(tmp_path, "boxlarge", dented, faces)
    with pytest.warns(TemplateCountWarning):
        assert len(load_template(tmp_path, "boxlarge").symmetries) == 1


def test_a_generated_release_gives_back_the_built_in_templates(tmp_path):
    for name in ("suitcase", "chairwood"):
        template = built_in(name)
        write_object(tmp_path, name, template.verts.astype(np.float32), template.faces)
        assert load_template(tmp_path, name) is template


def test_vertex_colours_become_face_colours(tmp_path):
    verts, faces = scan_of("boxsmall")
    colors = np.zeros((len(verts), 4), np.uint8)
    colors[:] = (10, 200, 30, 255)
    (tmp_path / "boxsmall").mkdir()
    path = tmp_path / "boxsmall" / "boxsmall_f1000.ply"
    trimesh.Trimesh(verts, faces, vertex_colors=colors, process=False).export(path)
    with pytest.warns(TemplateCountWarning):
        template = load_template(tmp_path, "boxsmall")
    assert (template.colors == (10, 200, 30)).all()


def test_missing_things_are_named(release, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"objects folder at .*nowhere.*rhobin synth"):
        load_templates(tmp_path / "nowhere")
    copy = tmp_path / "objects"
    shutil.copytree(release / "monitor", copy / "monitor")
    (copy / "monitor" / "monitor_closed_f1000.ply").rename(copy / "monitor" / "monitor_f1000.ply")
    with pytest.raises(FileNotFoundError, match=r"monitor_closed_f1000.ply, found monitor_f1000.ply"):
        simplified_path(copy, "monitor")
    with pytest.raises(FileNotFoundError, match=r"no .ply file there"):
        load_template(copy, "stool")
    with pytest.raises(FileNotFoundError, match="expected a mesh at"):
        read_mesh(copy / "monitor" / "monitor_f9.ply")


def test_broken_meshes_are_named(release, tmp_path):
    folder = tmp_path / "objects"
    shutil.copytree(release / "stool", folder / "stool")
    path = folder / "stool" / "stool_f1000.ply"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r"stool_f1000.ply: expected"):
        load_template(folder, "stool")
    path.write_bytes(b"")
    with pytest.raises(ValueError, match=r"stool_f1000.ply: expected"):
        load_template(folder, "stool")
    verts, faces = scan_of("stool")
    verts = verts.copy()
    verts[7, 1] = np.nan
    write_object(folder, "stool", verts, faces)
    with pytest.raises(ValueError, match="expected finite vertices"):
        load_template(folder, "stool")
