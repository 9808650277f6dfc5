"""Records of templates, and symmetries that another source lists."""

import json

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from rhobin.objects.catalogue import built_in
from rhobin.objects.load import load_templates
from rhobin.objects.record import check_record, keypoint_record, with_symmetries
from rhobin.objects.scans import RELEASE_VERTS

Y = np.array([0, 1.0, 0])


def turns(steps, axis=Y):
    return Rotation.from_rotvec(2 * np.pi * np.arange(steps)[:, None] / steps * axis).as_matrix()


def test_a_record_says_what_labels_depend_on():
    templates = {name: built_in(name) for name in ("stool", "yogaball")}
    record = keypoint_record(templates)
    assert record["stool"]["sha256"] == templates["stool"].sha256
    assert record["stool"]["keypoints"] == templates["stool"].kpt_ids.tolist()
    assert record["stool"]["release_vertices"] == RELEASE_VERTS["stool"] == 532
    assert (record["stool"]["symmetries"], record["yogaball"]["symmetries"]) == (4, 60)


def test_the_release_has_vertex_counts_of_all_twenty_objects():
    assert list(RELEASE_VERTS) == list(load_templates())
    listed = "548 508 524 526 509 517 506 1609 1609 502 537 562 532 520 507 1046 499 547 534 525"  # StackFLOW
    assert list(RELEASE_VERTS.values()) == [int(count) for count in listed.split()]


def test_a_record_tells_other_meshes_and_keypoints(tmp_path):
    templates = {name: built_in(name) for name in ("stool", "yogaball", "boxtiny")}
    record = keypoint_record(templates)
    path = tmp_path / "keypoints.json"
    path.write_text(json.dumps(record))
    assert check_record(path, templates) == []
    record["stool"]["sha256"] = "0"
    record["boxtiny"]["keypoints"][0] = 7
    del record["yogaball"]
    path.write_text(json.dumps(record))
    stool, ball, box = check_record(path, templates)
    assert stool == "stool: another mesh"
    assert ball == "yogaball: not in the file"
    assert box.startswith("boxtiny: keypoints [0, ")
    path.write_text('{"stool": 3}')
    with pytest.raises(ValueError, match=r"keypoints.json: expected sha256 and keypoints"):
        check_record(path, templates)
    with pytest.raises(FileNotFoundError, match="rhobin templates --out"):
        check_record(tmp_path / "none.json", templates)


@pytest.mark.parametrize("name", ["stool", "yogaball", "yogamat", "backpack"])
def test_the_same_list_gives_the_same_template(name):
    own = built_in(name)
    assert with_symmetries(own, own.symmetries, own.symmetry_offsets) is own
    assert with_symmetries(own, own.symmetries[1:], own.symmetry_offsets[1:]) is own


@pytest.mark.parametrize(
    ("name", "rotations", "kept"),
    [
        ("stool", turns(2), False),  # fewer than we know of
        ("stool", turns(4)[::-1], True),  # the same in another order
        ("trashbin", turns(18), True),  # a solid of revolution in coarser steps
        ("trashbin", turns(8), True),
        ("trashbin", turns(1), False),
        ("yogaball", turns(12), False),  # one axis of a ball
        ("yogaball", built_in("yogaball").symmetries[::-1], True),
    ],
)
def test_a_listed_group_replaces_ours(name, rotations, kept):
    own = built_in(name)
    shifts = own.centre - rotations @ own.centre
    listed = with_symmetries(own, rotations, shifts)
    assert np.array_equal(listed.symmetries[0], np.eye(3))
    assert len(listed.symmetries) == len(rotations)
    assert (listed.group == own.group) == kept
    if not kept:
        assert len(listed.group.rotations()) == 1
    x = own.verts[:5]
    moved = x @ listed.symmetries[-1].T + listed.symmetry_offsets[-1]
    assert (
        np.abs(np.linalg.norm(moved - own.centre, axis=1) - np.linalg.norm(x - own.centre, axis=1)).max()
        < 1e-9
    )


def test_symmetries_that_are_none_are_refused():
    table, zeros = built_in("tablesmall"), np.zeros((2, 3))
    with pytest.raises(ValueError, match=r"tablesmall: symmetry 1 moves its surface by \d+ mm"):
        with_symmetries(table, turns(4)[:2], zeros)
    with pytest.raises(ValueError, match="a symmetry is no rotation"):
        with_symmetries(table, np.stack([np.eye(3), 2 * np.eye(3)]), zeros)
