"""What is stored of a view, and in which options."""

from dataclasses import replace

import numpy as np
import pytest

from rhobin.data.images.crops import mask_box
from rhobin.data.prepare.recipe import Recipe
from rhobin.data.prepare.templates import read_templates, write_templates
from rhobin.data.prepare.view import (
    pack_masks,
    patch_of,
    place_of,
    stored_size,
    surrounded,
    unpack_masks,
)
from rhobin.objects.catalogue import built_in
from rhobin.objects.symmetry import SymmetryGroup, offsets
from rhobin.objects.template import make_template


def test_masks_survive_packing():
    masks = [np.random.default_rng(seed).integers(0, 2, (13, 7), np.uint8) * np.uint8(255) for seed in (1, 2)]
    spot = np.zeros((13, 7), np.uint8)
    spot[4:6, 2] = 255
    for pair in (masks, [masks[0], spot], [spot, spot]):
        boxes = np.stack([mask_box(mask) for mask in pair]).astype(int)
        inside = [mask[y : y + h, x : x + w] for mask, (x, y, w, h) in zip(pair, boxes, strict=True)]
        parts = unpack_masks(pack_masks(inside), boxes)
        for part, expected in zip(parts, inside, strict=True):
            assert np.array_equal(part, expected)
    content = pack_masks(inside)
    for broken in (b"", content[:-3], b"x" * 30):
        with pytest.raises(ValueError, match="not packed masks"):
            unpack_masks(broken, boxes)
    with pytest.raises(ValueError, match="holds 2 bytes of masks, expected 24"):
        unpack_masks(content, np.array([[0, 0, 7, 13], [0, 0, 7, 13]]))


def test_a_stored_patch_lies_where_its_map_says():
    boxes = np.array([[40.0, 30, 20, 50], [50, 60, 60, 30]])
    assert surrounded(boxes, "person").tolist() == [40, 30, 20, 50]
    assert surrounded(boxes, "object").tolist() == [50, 60, 60, 30]
    box = surrounded(boxes, "union")
    patch = patch_of(box, 1.5, (300, 200))
    assert patch == (22, 7, 128, 113)  # 105 about (75, 60), whole pixels outwards
    assert patch_of(box, np.inf, (300, 200)) == (0, 0, 300, 200)
    assert patch_of(box, 4.0, (120, 100)) == (0, 0, 120, 100)
    stored = stored_size(patch, 0.5)
    assert stored == (53, 53)
    place = place_of(np.array(patch), np.array(stored))
    assert np.allclose(place @ [21.5, 6.5, 1], [-0.5, -0.5, 1])
    assert np.allclose(place @ [127.5, 112.5, 1], [52.5, 52.5, 1])


def test_pixels_are_as_fine_where_the_border_clips_the_patch():
    recipe, image = Recipe(margin=3.0, size=300), (1000, 800)
    for x in (0, 400, 800):
        box = np.array([x, 500.0, 200, 150])
        scale = recipe.scale(box, image)
        patch = patch_of(box, recipe.margin, image)
        width = stored_size(patch, scale)[0]
        assert scale == 0.5  # 100 pixels across the box
        assert width == pytest.approx(0.5 * (patch[2] - patch[0]), abs=0.5)
    assert recipe.scale(np.array([0, 0, 100.0, 90]), image) == 1.0
    assert Recipe(margin=np.inf, size=300).scale(box, image) == 0.3


@pytest.mark.parametrize(
    ("option", "value"), [("around", "cat"), ("margin", 0.9), ("size", 8), ("quality", 0), ("quality", 101)]
)
def test_options_out_of_range(option, value):
    with pytest.raises(ValueError, match=f"--{option} is {value!r}"):
        Recipe(**{option: value})


def test_a_built_in_template_keeps_the_symmetry_that_its_root_states(tmp_path):
    own = built_in("stool")
    half = SymmetryGroup(order=2).rotations()
    shifts = offsets(half, own.centre)
    stated = replace(own, group=SymmetryGroup(order=2), symmetries=half, symmetry_offsets=shifts)
    write_templates(tmp_path / "t.npz", {"stool": stated})
    read = read_templates(tmp_path / "t.npz")["stool"]
    assert len(read.symmetries) == 2
    assert read.group.order == 2
    assert read.grips == own.grips


def test_templates_survive_as_arrays(tmp_path):
    own = built_in("tablesquare")
    scanned = make_template("tablesquare", own.verts * 1.01, own.faces, own.group, own.centre, own.colors)
    write_templates(tmp_path / "t.npz", {"tablesquare": scanned, "stool": built_in("stool")})
    read = read_templates(tmp_path / "t.npz")
    assert read["stool"] is built_in("stool")
    for name, value in vars(scanned).items():
        assert (
            np.array_equal(getattr(read["tablesquare"], name), value)
            or getattr(read["tablesquare"], name) == value
        )
    (tmp_path / "t.npz").write_bytes(b"no")
    with pytest.raises(ValueError, match="not the templates of a prepared root"):
        read_templates(tmp_path / "t.npz")
