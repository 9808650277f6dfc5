"""Farthest points and nearest regions: GDR-Net's own answers, and what they promise."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from rhobin.objects.catalogue import built_in
from rhobin.objects.regions import FaceRegions, farthest_points, nearest_region


@pytest.mark.parametrize("count", [8, 32, 64])
def test_farthest_points_are_those_of_gdr_nets_c_code(oracle, count):
    vectors = oracle("gdr_crop_region")
    points = vectors["model_points"].astype(np.float64)
    assert farthest_points(points, count).tolist() == vectors[f"fps_c_init_center/{count}"].tolist()


def test_regions_are_those_of_gdr_net(oracle):
    vectors = oracle("gdr_crop_region")
    xyz = vectors["region/xyz"].astype(np.float64)
    seen = (xyz != 0).any(axis=2)
    assert 0 < seen.sum() < seen.size
    labels = nearest_region(xyz[seen], vectors["region/fps_points"].astype(np.float64))
    np.testing.assert_array_equal(labels, vectors["region/out"][seen])
    assert not vectors["region/out"][~seen].any()


def test_regions_of_a_template_cover_it_evenly():
    verts = built_in("chairwood").verts
    chosen = farthest_points(verts, 64)
    assert len(set(chosen.tolist())) == 64
    centres = verts[chosen]
    middle = (verts.min(axis=0) + verts.max(axis=0)) / 2  # counts as taken
    reach = cdist(verts, [*centres, middle]).min(axis=1).max()
    apart = cdist(centres, centres)[~np.eye(64, dtype=bool)].min()
    assert reach <= apart + 1e-12, "no vertex is farther from the centres than they are from each other"
    assert np.array_equal(nearest_region(centres, centres), np.arange(1, 65))


@pytest.mark.parametrize("count", [1, 2, 8, 64])
@pytest.mark.parametrize("name", ["chairwood", "boxlarge", "yogaball"])
def test_regions_of_points_on_faces_are_the_nearest(name, count):
    template = built_in(name)
    centres = template.verts[farthest_points(template.verts, count)]
    rng = np.random.default_rng(count)
    face = rng.integers(len(template.faces), size=20000).astype(np.int32)
    points = np.einsum(
        "nk,nkc->nc", rng.dirichlet(np.ones(3), len(face)), template.verts[template.faces[face]]
    )
    labels = FaceRegions(template.verts, template.faces, centres)(points, face)
    assert np.array_equal(labels, 1 + cdist(points, centres).argmin(axis=1))
    assert len(np.unique(labels)) == count


def test_a_centre_nearest_only_inside_a_face_is_found():
    """At the corners of a large triangle other centres are nearer than the one in its middle."""
    verts = np.array([[0, 0, 0], [6, 0, 0], [3, 6, 0.0]])
    centres = np.concatenate([[[3, 2, 0.5]], verts])
    points = np.array([[3, 2, 0], [0.2, 0.1, 0], [5.8, 0.1, 0], [3, 5.8, 0]])
    labels = FaceRegions(verts, np.array([[0, 1, 2]]), centres)(points, np.zeros(4, np.int64))
    assert labels.tolist() == [1, 2, 3, 4]


def test_more_regions_than_vertices_are_refused():
    with pytest.raises(ValueError, match="cannot choose 9 regions on a template of 8 vertices"):
        farthest_points(np.random.default_rng(0).normal(size=(8, 3)), 9)
