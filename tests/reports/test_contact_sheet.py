"""The contact sheet: targets are drawn where they are, hollow where they do not count."""

import numpy as np
import pytest
import torch

from rhobin.objects.load import load_templates
from rhobin.reports.contact_sheet import Tile, draw_sheet
from rhobin.reports.palette import TARGET_BODY, TARGET_OBJECT
from rhobin.reports.sample_picture import MARGIN, MASK_OBJECT, draw_sample
from rhobin.reports.target_maps import map_pictures
from rhobin.types import (
    BevMaps,
    Heatmaps,
    HumanTarget,
    ObjectMaps,
    ObjectTarget,
    Sample,
    SampleKey,
    Target,
)

SIZE = 300
INNER = SIZE - 2 * round(MARGIN * SIZE)
TEMPLATES = dict(enumerate(load_templates().values()))
BOX = next(index for index, template in TEMPLATES.items() if template.name == "boxlarge")


def sample(maps=None, bev=None):
    """Joints in a column, keypoints at one place, an object far off, a square object mask."""
    joints = torch.zeros(29, 3)
    joints[:, 0], joints[:, 1] = -0.25, torch.linspace(-0.45, 0.6, 29)
    kpts = torch.zeros(8, 3)
    kpts[:, 0] = 0.3
    image = torch.zeros(5, 60, 60, dtype=torch.uint8)
    image[:3] = torch.tensor([51, 76, 102])[:, None, None]
    image[4, 10:20, 20:40] = 255
    human = HumanTarget(
        theta=torch.eye(3).expand(52, 3, 3),
        beta=torch.zeros(10),
        trans=torch.zeros(3),
        joints=in_space(joints),
        twist=torch.zeros(23, 2),
        twist_weight=torch.ones(23),
        present=torch.tensor(1.0),
    )
    pose = (torch.eye(3), torch.tensor([0.0, 0.0, 4.0]))
    obj = ObjectTarget(*pose, kpts=in_space(kpts), present=torch.tensor(1.0))
    heatmaps = Heatmaps(joints, (joints[:, 1] < 0.5).float(), kpts, torch.ones(8))
    target = Target(human, obj, heatmaps, maps, bev)
    K = torch.tensor([[120.0, 0, 29.5], [0, 120, 29.5], [0, 0, 1]])
    key = SampleKey("Date01_Sub01_boxlarge_lift", "t0003.000", 2, 7)
    return Sample(image, K, torch.ones(3), torch.eye(3), 0, BOX, target, key)


def in_space(uvd, depth=4.0):
    """Points 4 m away at heatmap coordinates."""
    pixels = (uvd[:, :2] + 0.5) * 60
    return torch.cat([(pixels - 29.5) / 120 * depth, torch.full((len(uvd), 1), depth)], dim=1)


def at(u, v):
    """Row and column on the picture of heatmap coordinates."""
    corner = round(MARGIN * SIZE) - 0.5 + 0.5 * INNER / 60
    return round(corner + (v + 0.5) * INNER), round(corner + (u + 0.5) * INNER)


def near(picture, place, color, radius=2):
    row, column = place
    part = picture[max(row - radius, 0) : row + radius + 1, column - radius : column + radius + 1].astype(int)
    return (np.abs(part - color).max(axis=-1) < 40).mean()


def test_points_lie_where_the_heatmap_coordinates_say():
    picture = draw_sample(sample(), TEMPLATES[BOX], SIZE)
    assert picture.shape == (SIZE, SIZE, 3)
    assert near(picture, at(-0.25, -0.45), TARGET_BODY, 1) == 1
    assert near(picture, at(0.3, 0.0), TARGET_OBJECT, 1) == 1
    assert near(picture, at(0.1, 0.45), TARGET_BODY) == 0
    ground = picture[at(0.1, 0.45)]
    assert np.abs(ground - np.array([51, 76, 102])).max() <= 2


def test_points_that_do_not_count_are_hollow():
    """The last joint lies outside the crop, in the margin."""
    hollow = sample()
    hollow.target.heatmaps.kpts_weight[:] = 0
    picture = draw_sample(hollow, TEMPLATES[BOX], SIZE)
    assert near(picture, at(0.3, 0.0), TARGET_OBJECT, 1) == 0
    assert near(picture, at(0.3, 0.0), TARGET_OBJECT, 4) > 0.15
    row, column = at(-0.25, 0.6)
    assert row < SIZE
    assert near(picture, (row, column), TARGET_BODY, 4) > 0.1


def test_the_template_outline_is_its_projection():
    """A box 4 m away, seen head on."""
    picture = draw_sample(sample(), TEMPLATES[BOX], SIZE)
    verts = TEMPLATES[BOX].verts + np.array([0, 0, 4])
    left = (120 * verts[:, 0] / verts[:, 2]).min() / 60 + (29.5 + 0.5) / 60 - 0.5
    row, column = at(left, 0.06)
    strip = np.abs(picture[row, : SIZE // 2].astype(int) - TARGET_OBJECT).max(axis=-1) < 60
    assert abs(np.flatnonzero(strip).min() - column) <= 3


def test_masks_are_outlined():
    picture = draw_sample(sample(), TEMPLATES[BOX], SIZE)
    place = at(30 / 60 - 0.5, 10 / 60 - 0.5)
    assert near(picture, place, MASK_OBJECT, 3) > 0.1
    assert near(picture, at(30 / 60 - 0.5, 15 / 60 - 0.5), MASK_OBJECT, 2) == 0


def extras():
    amodal = torch.zeros(15, 15)
    amodal[3:9, 3:9] = 1
    visible = amodal.clone()
    visible[:, :6] = 0
    maps = ObjectMaps(
        nocs=amodal[None] * torch.tensor([1.0, 0.0, 0.5])[:, None, None],
        region=(amodal * 7).long(),
        amodal=amodal,
        visible=visible,
        box=torch.zeros(2, 3),
        K=torch.eye(3),
    )
    line = torch.eye(15)
    bev = BevMaps(
        depth=line[3, :10],
        row=line[4],
        column=line[5],
        front_row=line[4],
        front_column=line[5],
        cell=torch.zeros(3).long(),
        offset=torch.zeros(3),
        weight=torch.ones(()),
    )
    return maps, bev


def test_optional_maps_are_drawn_when_there_are_any():
    maps, bev = extras()
    assert map_pictures(sample()) == []
    pictures = dict(map_pictures(sample(maps, bev)))
    assert list(pictures) == ["NOCS", "regions", "visible", "centre", "from above"]
    assert pictures["NOCS"][5, 5].tolist() == [255, 0, 128]
    assert pictures["visible"][5, 7].tolist() == list(TARGET_OBJECT)
    assert pictures["visible"][5, 4].tolist() == [112, 98, 44]
    assert len(np.unique(pictures["regions"].reshape(-1, 3), axis=0)) == 2
    assert np.unravel_index(pictures["centre"].sum(-1).argmax(), (15, 15)) == (4, 5)
    assert pictures["from above"].shape == (10, 15, 3)
    assert np.unravel_index(pictures["from above"].sum(-1).argmax(), (10, 15)) == (3, 5)


@pytest.mark.parametrize("with_maps", [False, True])
def test_a_sheet_has_a_row_for_each_view(with_maps):
    shown = sample(*extras()) if with_maps else sample()
    row = [Tile(shown, "plain"), Tile(shown, "epoch 0", ["scale 1.10", "roll +20 deg"] * 6)]
    one = draw_sheet([row], TEMPLATES, 200)
    two = draw_sheet([row, row], TEMPLATES, 200)
    assert one.dtype == np.uint8
    assert one.shape[1] == two.shape[1] == 2 * 210 + 10
    assert two.shape[0] > 1.8 * (one.shape[0] - 30)
    assert draw_sheet([row], TEMPLATES, 200).shape[0] > 200 + (60 if with_maps else 0)
