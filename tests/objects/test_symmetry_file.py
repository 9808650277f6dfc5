"""Symmetries that people write by hand: kept where they hold, refused where they do not."""

import json

import numpy as np
import pytest
from trimesh import creation

from rhobin.objects.symmetry import BALL, CUBOID, SymmetryGroup, describe
from rhobin.objects.symmetry_file import read_symmetry, with_stated_symmetry, write_symmetry
from rhobin.objects.template import make_template

MESH = creation.box((0.3, 0.2, 0.1)).subdivide()
TEMPLATE = make_template("brick", np.array(MESH.vertices, np.float64), np.array(MESH.faces, np.int64))
GROUPS = [
    SymmetryGroup(),
    CUBOID,
    BALL,
    SymmetryGroup(0, (0.6, 0.0, 0.8), (-0.8, 0.0, 0.6)),
    SymmetryGroup(5),
]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "symmetry.json"


@pytest.mark.parametrize("group", GROUPS, ids=describe)
def test_what_is_written_is_read(path, group):
    write_symmetry(path, group, np.array([0.01, -0.02, 0.03]))
    read, centre = read_symmetry(path)
    assert (read.order, read.sphere) == (group.order, group.sphere)
    np.testing.assert_allclose(read.rotations(), group.rotations(), atol=1e-6)
    np.testing.assert_allclose(centre, [0.01, -0.02, 0.03])


def test_hand_written_directions_need_no_unit_length(path):
    path.write_text(json.dumps({"order": 2, "axis": [0, 3, 0], "flip": [2, 0.01, 0]}))
    group, centre = read_symmetry(path)
    np.testing.assert_allclose(group.rotations(), CUBOID.rotations(), atol=1e-9)
    np.testing.assert_array_equal(centre, 0)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "expected JSON"),
        ("[1]", "found list"),
        ('{"axes": 3}', "found .'axes'."),
        ('{"order": -1}', "order to be a whole number"),
        ('{"order": true}', "order to be a whole number"),
        ('{"sphere": 1}', "sphere to be true or false"),
        ('{"axis": [0, 0, 0]}', "axis to be a direction"),
        ('{"axis": [0, 1]}', "axis to be three numbers"),
        ('{"flip": [0, 1, 0]}', "right angle"),
        ('{"centre": ["a", 0, 0]}', "centre to be three numbers"),
    ],
)
def test_what_states_no_group_is_named(path, content, message):
    path.write_text(content)
    with pytest.raises(ValueError, match=rf"symmetry.json: expected .*{message}|symmetry.json: {message}"):
        read_symmetry(path)


def test_a_template_takes_what_is_stated(path):
    write_symmetry(path, CUBOID, np.zeros(3))
    stated = with_stated_symmetry(TEMPLATE, path)
    np.testing.assert_allclose(stated.symmetries, CUBOID.rotations(), atol=1e-9)
    np.testing.assert_array_equal(stated.verts, TEMPLATE.verts)
    assert stated.group == CUBOID


@pytest.mark.parametrize(
    "group", [SymmetryGroup(4), SymmetryGroup(0), BALL, SymmetryGroup(2, flip=(0.8, 0.0, 0.6))]
)
def test_a_wrong_group_is_refused_with_its_error(path, group):
    write_symmetry(path, group, np.zeros(3))
    with pytest.raises(ValueError, match=r"moves the surface by [0-9.]+ mm in the mean, [0-9.]+ %"):
        with_stated_symmetry(TEMPLATE, path)


def test_a_wrong_centre_is_refused(path):
    write_symmetry(path, CUBOID, np.array([0.03, 0.0, 0.0]))
    with pytest.raises(ValueError, match="moves the surface"):
        with_stated_symmetry(TEMPLATE, path)
