"""One choice for a sample: relabelled targets give the same losses, and the choice is the best there is."""

import numpy as np
import pytest
import torch
from g2dr_batches import SIZE, make_batch, random_output
from scipy.spatial.transform import Rotation

from rhobin.geometry.allocentric import crop_frame
from rhobin.methods.g2dr.decode import decode_pose
from rhobin.methods.g2dr.loss import G2drLoss
from rhobin.methods.g2dr.shapes import Shapes
from rhobin.methods.g2dr.symmetry import agreement, relabelled
from rhobin.methods.symmetry import AXIS, LISTED, SPHERE, choose
from rhobin.objects.names import OBJECT_NAMES

ALL = list(range(len(OBJECT_NAMES)))


def some_motion(template, rng):
    """Any motion under which the object looks the same, not only a listed one."""
    group = template.group
    if group.sphere:
        S = Rotation.random(random_state=rng).as_matrix()
    elif group.order == 0:
        turns = group.rotations()
        free = Rotation.from_rotvec(rng.uniform(0, 2 * np.pi) * np.asarray(group.axis)).as_matrix()
        S = free @ turns[rng.integers(len(turns))]
    else:
        S = template.symmetries[rng.integers(len(template.symmetries))]
    return S, template.centre - S @ template.centre


def best_frame(output, batch, shapes):
    R, _ = decode_pose(output, batch.K_crop, crop_frame(batch.K_crop, SIZE))
    M = sum(agreement(R, output.nocs, batch, shapes))
    return relabelled(batch, *choose(M, batch.object_id, shapes.symmetries), shapes)


def test_every_kind_of_symmetry_is_among_the_objects(shapes):
    assert set(shapes.symmetries.kind.tolist()) == {LISTED, AXIS, SPHERE}


def motions(assets, seed):
    """A random symmetry of each object: rotations (20, 3, 3) and translations (20, 3)."""
    rng = np.random.default_rng(seed)
    pairs = [some_motion(assets.templates[i], rng) for i in ALL]
    return (torch.tensor(np.stack(part)).float() for part in zip(*pairs, strict=True))


@pytest.mark.parametrize("seed", [1, 2])
def test_relabelling_changes_no_loss(assets, shapes, mapper, seed):
    """Every object, told in the frame of a random symmetry of its own."""
    output, batch = random_output(len(ALL), seed), make_batch(mapper, ALL)
    loss = G2drLoss(shapes, SIZE, "focal", 1, hidden=0.3)
    told = best_frame(output, batch, shapes)
    retold = best_frame(output, relabelled(batch, *motions(assets, seed), shapes), shapes)
    for row in ALL:
        gap = (told.target.object.R[row] - retold.target.object.R[row]).abs().max()
        assert gap < 1e-5, OBJECT_NAMES[row]
    ours, theirs = loss(output, told), loss(output, retold)
    plain, moved = loss(output, batch), loss(output, relabelled(batch, *motions(assets, seed), shapes))
    for name, value in ours.items():
        assert abs(value - theirs[name]) < 1e-5, name
    for name in ("nocs", "points"):
        assert abs(plain[name] - moved[name]) > 1e-3, f"{name} would see the frame without a choice"


@pytest.mark.parametrize("part", ["nocs", "pose"])
def test_no_other_symmetry_is_closer(assets, shapes, mapper, part):
    """Against every listed motion: mean squared distance of coordinates, and of turned points."""
    output, batch = random_output(len(ALL), seed=3), make_batch(mapper, ALL)
    R, _ = decode_pose(output, batch.K_crop, crop_frame(batch.K_crop, SIZE))
    matrices = agreement(R, output.nocs, batch, shapes)
    M = matrices[0] if part == "nocs" else matrices[1]
    chosen = relabelled(batch, *choose(M, batch.object_id, shapes.symmetries), shapes)
    for row, template in assets.templates.items():
        errors = []
        for S, s in [(None, None), *zip(template.symmetries, template.symmetry_offsets, strict=True)]:
            if S is None:
                moved = chosen
            else:
                S = torch.tensor(S).float().expand(len(ALL), 3, 3)
                moved = relabelled(batch, S, torch.tensor(s).float().expand(len(ALL), 3), shapes)
            if part == "pose":
                points = shapes.points[row] - shapes.symmetries.centre[row]
                gap = points @ (R[row] - moved.target.object.R[row]).mT
                errors.append(gap.square().sum(-1).mean().item())
            else:
                maps = batch.target.maps
                gap = (output.nocs[row] - moved.target.maps.nocs[row]) * maps.box[row, 1][:, None, None]
                errors.append((gap.square().sum(0) * maps.visible[row]).sum().item())
        assert errors[0] <= min(errors[1:]) * (1 + 1e-4), OBJECT_NAMES[row]


def test_regions_and_coordinates_follow_the_same_motion(assets, shapes, mapper):
    """A relabelled target is the one that drawing the moved pose gives."""
    rng = np.random.default_rng(5)
    moves = [some_motion(assets.templates[i], rng) for i in ALL]
    S = torch.tensor(np.stack([m[0] for m in moves])).float()
    s = torch.tensor(np.stack([m[1] for m in moves])).float()
    ours, drawn = relabelled(make_batch(mapper, ALL), S, s, shapes), make_batch(mapper, ALL, moves)
    assert torch.allclose(ours.target.object.R, drawn.target.object.R, atol=1e-5)
    assert torch.allclose(ours.target.object.t, drawn.target.object.t, atol=1e-5)
    for row, template in assets.templates.items():
        both = (ours.target.maps.amodal[row] > 0) & (drawn.target.maps.amodal[row] > 0)
        gap = (ours.target.maps.nocs[row] - drawn.target.maps.nocs[row]).abs()[:, both]
        assert gap.median() < 2e-3, template.name  # a facet in place of a round side
        same = ours.target.maps.region[row][both] == drawn.target.maps.region[row][both]
        assert same.float().mean() > 0.9, template.name


def test_without_symmetry_every_target_stays_as_it_is(assets, mapper):
    plain = Shapes(assets, "box", 64, 100, symmetry=False)
    output, batch = random_output(len(ALL)), make_batch(mapper, ALL)
    told = best_frame(output, batch, plain)
    assert torch.equal(told.target.object.R, batch.target.object.R)
    assert torch.equal(told.target.maps.nocs, batch.target.maps.nocs)
    assert torch.equal(told.target.maps.region, batch.target.maps.region)


def test_a_sample_that_shows_nothing_is_chosen_by_its_pose(shapes, mapper):
    output = random_output(len(ALL))
    dark = make_batch(mapper, ALL, mask=np.zeros((SIZE, SIZE), np.uint8))
    told = best_frame(output, dark, shapes)
    assert torch.isfinite(told.target.object.R).all()
    assert torch.isfinite(told.target.maps.nocs).all()
