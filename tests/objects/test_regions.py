"""Farthest points and nearest regions: GDR-Net's own answers, and what they promise."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from rhobin.objects.catalogue import built_in
from rhobin.objects.regions import farthest_points, nearest_region


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


def test_more_regions_than_vertices_are_refused():
    with pytest.raises(ValueError, match="cannot choose 9 regions on a template of 8 vertices"):
        farthest_points(np.random.default_rng(0).normal(size=(8, 3)), 9)
