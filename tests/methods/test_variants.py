"""Crops at several scales and in the mirror: pixels, cameras and means."""

from typing import NamedTuple

import pytest
import torch
from torch import Tensor

from rhobin.geometry.camera import project
from rhobin.methods.variants import Seen, Variant, changed, look, mean_of, variants
from rhobin.types import Batch, Crop, Prediction, SampleKey, Target

WIDTH = 48
MIRROR = Variant(mirrored=True)


class Output(NamedTuple):
    uvd: Tensor
    extras: dict


def make_batch(seed=0, size=WIDTH):
    generator = torch.Generator().manual_seed(seed)
    image = torch.randint(0, 256, (2, 5, size, size), dtype=torch.uint8, generator=generator)
    image[:, 3:] = 255 * (image[:, 3:] > 127)
    K = torch.tensor([[[60.0, 2, 20.3], [0, 61, 25.1], [0, 0, 1]], [[90.0, -1, 3], [0, 88, 40], [0, 0, 1]]])
    turn = torch.linalg.qr(torch.randn(2, 3, 3, generator=generator))[0]
    return Batch(
        image=image,
        K_crop=K,
        window=torch.tensor([[0.1, 0.2, 0.3]]).repeat(2, 1),
        turn=turn,
        gender=torch.zeros(2, dtype=torch.long),
        object_id=torch.zeros(2, dtype=torch.long),
        target=Target(),
        keys=[SampleKey("Date01_Sub01_stool", "t0003.000", 1, i) for i in range(2)],
        further={"near": Crop(image[..., : size // 2, : size // 2].clone(), K)},
    )


def bright_batch(places, width=WIDTH):
    """One soft spot an image, at a pixel."""
    rows, columns = torch.meshgrid(torch.arange(width), torch.arange(width), indexing="ij")
    u, v = places.T[:, :, None, None]
    spots = 255 * torch.exp(-((columns - u) ** 2 + (rows - v) ** 2) / (2 * 2.0**2))
    batch = make_batch(size=width)
    batch.image = spots[:, None].repeat(1, 5, 1, 1).round().to(torch.uint8)
    return batch


def middles(image):
    weight = image[:, 0].double()
    rows, columns = torch.meshgrid(*map(torch.arange, image.shape[-2:]), indexing="ij")
    total = weight.sum((1, 2))
    return torch.stack([(weight * axis).sum((1, 2)) / total for axis in (columns, rows)], dim=1)


@pytest.mark.parametrize("variant", variants((0.85, 1.0, 1.15), mirrored=True))
def test_image_and_camera_change_alike(variant):
    """A point of the scene, or of its mirror image, projects where the variant shows it."""
    points = torch.tensor([[[0.1, -0.05, 2.0]], [[0.4, -0.3, 2.5]]])
    batch = make_batch()
    places = project(points, batch.K_crop)[:, 0]
    batch = bright_batch(places)
    seen = changed(batch, variant)
    sign = torch.tensor([-1.0 if variant.mirrored else 1, 1, 1])
    found = middles(seen.image)
    assert torch.allclose(found.float(), project(points * sign, seen.K_crop)[:, 0], atol=0.06)
    # what is counted in heatmap coordinates is brought back by the variant itself
    assert torch.allclose(
        variant.to_crop(found.float() / WIDTH - 0.5, WIDTH), places / WIDTH - 0.5, atol=2e-3
    )
    assert torch.allclose(seen.turn @ (points * sign)[:, 0, :, None],
                          (batch.turn @ points[:, 0, :, None]) * sign[:, None], atol=1e-6)  # fmt: skip
    assert seen.window[0].tolist() == pytest.approx([0.1, 0.2, 0.3 * variant.scale])
    assert seen.further["near"].image.shape == batch.further["near"].image.shape
    near = project(points, batch.further["near"].K)[:, 0]
    expected = variant.from_crop(WIDTH // 2).float() @ torch.cat([near, torch.ones(2, 1)], 1)[..., None]
    assert torch.allclose(project(points * sign, seen.further["near"].K)[:, 0], expected[:, :2, 0], atol=1e-4)


def test_the_mirror_of_the_mirror_is_the_crop():
    batch = make_batch()
    twice = changed(changed(batch, MIRROR), MIRROR)
    assert torch.equal(twice.image, batch.image)
    assert torch.allclose(twice.K_crop, batch.K_crop, atol=1e-5)
    assert torch.equal(twice.turn, batch.turn)
    assert torch.equal(twice.further["near"].image, batch.further["near"].image)
    uv = torch.rand(7, 2)
    assert torch.allclose(MIRROR.to_crop(MIRROR.to_crop(uv, WIDTH), WIDTH), uv, atol=1e-7)
    once = changed(batch, MIRROR)
    assert not torch.equal(once.image, batch.image)


def test_scale_one_is_the_crop_to_the_bit():
    batch = make_batch()
    same = changed(batch, Variant())
    assert torch.equal(same.image, batch.image)
    assert torch.equal(same.K_crop, batch.K_crop)
    assert torch.equal(same.turn, batch.turn)
    assert torch.equal(same.window, batch.window)


def test_masks_stay_masks_and_beyond_the_crop_is_black():
    batch = make_batch()
    batch.image[:, :3] = 200
    seen = changed(batch, Variant(1.25)).image
    assert set(seen[:, 3:].unique().tolist()) <= {0, 255}
    edge = int(WIDTH * 0.1) - 1
    assert not seen[..., :edge].any()
    assert (seen[:, :3, edge + 2 : -edge - 2, edge + 2 : -edge - 2] == 200).all()
    assert (changed(batch, Variant(0.8)).image[:, :3] == 200).all()


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_averaging_what_is_the_same_changes_nothing(count):
    batch = make_batch()

    def run(seen):
        uvd = seen.image.float().mean((2, 3))[:, :3, None] * torch.rand(
            3, generator=torch.Generator().manual_seed(1)
        )
        return Output(uvd, {"prediction": Prediction(extras={"sigma": uvd.sigmoid()}), "name": "x"})

    seen = look(run, batch, variants((1.0,) * count))
    assert [type(one) for one in seen] == [Seen] * count
    mean, alone = mean_of([one.output for one in seen]), run(batch)
    assert torch.equal(mean.uvd, alone.uvd)
    assert torch.equal(mean.extras["prediction"].extras["sigma"], alone.extras["prediction"].extras["sigma"])
    assert mean.extras["name"] == "x"


def test_the_mean_is_the_mean():
    values = [torch.randn(3, 4) for _ in range(5)]
    found = mean_of([Output(value, {}) for value in values]).uvd
    assert torch.allclose(found, torch.stack(values).mean(0), atol=1e-6)
    assert isinstance(mean_of([(values[0], 1), (values[1], 1)]), tuple)


def test_variants_are_every_scale_on_both_sides():
    assert variants((0.85, 1.15), mirrored=True) == (
        Variant(0.85), Variant(1.15), Variant(0.85, True), Variant(1.15, True),
    )  # fmt: skip
    with pytest.raises(ValueError, match="expected a positive factor"):
        Variant(0.0)
