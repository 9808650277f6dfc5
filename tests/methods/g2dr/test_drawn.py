"""What G2DR shows of its maps: thresholds, the frame of the truth, the discriminator's scores."""

import pytest
import torch
from g2dr_batches import REGIONS, SIZE, STRIDE, make_batch, random_output
from torch import nn

from rhobin.methods.g2dr.gan import Adversary
from rhobin.methods.g2dr.module import G2dr
from rhobin.nets.discriminator import MapDiscriminator


def method(assets, gan=None):
    """A `G2dr` whose network is never run."""
    sizes = {"input_size": SIZE, "stride": STRIDE, "nocs": "box", "regions": REGIONS, "hidden": 0.0}
    weights = {"nocs": 1.0, "points": 1.0}
    return G2dr(nn.Identity(), weights, {}, 1.0, {}, assets, points=500, gan=gan, **sizes).eval()


def named(assets, *names):
    return [assets.names.index(name) for name in names]


@pytest.mark.parametrize("amodal", [True, False])
def test_masks_are_cut_at_one_half_and_regions_end_with_the_object(assets, mapper, amodal):
    batch, output = make_batch(mapper, named(assets, "stool", "toolbox")), random_output(2, amodal=amodal)
    maps = method(assets).drawn(output, batch).maps
    whole = output.amodal if amodal else output.visible
    assert torch.equal(maps.visible, (output.visible >= 0.5).float())
    assert torch.equal(maps.amodal, (whole >= 0.5).float())
    assert torch.equal(maps.region[maps.amodal > 0], output.region.argmax(1)[maps.amodal > 0])
    assert (maps.region[maps.amodal == 0] == 0).all()
    assert torch.equal(maps.nocs, output.nocs)
    assert torch.allclose(maps.box, batch.target.maps.box)
    assert torch.allclose(maps.K, batch.target.maps.K, atol=1e-4)


def test_the_truth_is_the_same_however_it_was_labelled(assets, mapper):
    """A box turned by half a turn is the same box, so it is shown in the frame that suits the prediction."""
    ids, output = named(assets, "boxmedium"), random_output(1)
    template = assets.templates[ids[0]]
    motions = list(zip(template.symmetries, template.symmetry_offsets, strict=True))
    batches = [make_batch(mapper, ids, [motion]) for motion in motions]
    shown = [method(assets).drawn(output, batch).target for batch in batches]
    for other in shown[1:]:
        assert torch.allclose(shown[0].maps.nocs, other.maps.nocs, atol=1e-4)
        assert torch.allclose(shown[0].object.R, other.object.R, atol=1e-4)
        assert torch.allclose(shown[0].object.t, other.object.t, atol=1e-4)
    plain = [batch.target.maps.nocs for batch in batches]
    assert all(not torch.allclose(plain[0], other, atol=0.1) for other in plain[1:])
    assert any(torch.allclose(shown[0].maps.nocs, nocs, atol=1e-4) for nocs in plain)


def test_the_discriminator_scores_both_maps_inside_the_true_mask(assets, mapper):
    torch.manual_seed(0)
    gan = Adversary(lambda size: MapDiscriminator(size, width=4), SIZE, STRIDE, weight=1.0)
    batch, output = make_batch(mapper, named(assets, "toolbox", "stool")), random_output(2)
    drawing = method(assets, gan).drawn(output, batch)
    true = drawing.target.maps
    for nocs, score in ((true.nocs, drawing.real_score), (output.nocs, drawing.drawn_score)):
        assert torch.allclose(gan.discriminator(true.amodal[:, None] * (2 * nocs - 1)), score, atol=1e-6)
    assert not torch.allclose(drawing.real_score, drawing.drawn_score)
    alone = method(assets).drawn(output, batch)
    assert alone.real_score is alone.drawn_score is None
