"""G2DR's network: the reference's size, classes, and what an untrained one says."""

import pytest
import torch

from rhobin.methods.g2dr.decode import map_rays
from rhobin.methods.g2dr.net import G2drNet
from rhobin.nets.geometry_head import OutputLayer, PlainHead, UpsamplingHead
from rhobin.nets.lite import Lite
from rhobin.nets.patch_pnp import PatchPnP
from rhobin.nets.timm_features import TimmFeatures


def small_net(**kwargs):
    settings = {"input_size": 64, "stride": 4, "regions": 8, **kwargs}
    return G2drNet(
        Lite(3, (8, 12, 16, 16), 8),
        lambda grid_channels: PlainHead(grid_channels, 8),
        lambda **given: PatchPnP(channels=8, hidden=(16,), std=None, **given),
        **settings,
    )


def run(net, ids):
    count = len(ids)
    box = torch.tensor([[[0.0, 0, 0], [1, 1, 1]]]).repeat(count, 1, 1)
    K = torch.tensor([[[20.0, 0, 7.5], [0, 20, 7.5], [0, 0, 1]]]).repeat(count, 1, 1)
    return net(torch.ones(count, 3, 64, 64), torch.tensor(ids), box, map_rays(K, 16))


def million(module):
    return sum(p.numel() for p in module.parameters()) / 1e6


def test_the_paper_network_has_the_references_parameters():
    """GDR-Net's head has 4.74 M with 69 channels, its Patch-PnP 9.03 M."""
    head = torch.nn.ModuleList([UpsamplingHead(512), OutputLayer(256, 69)])
    assert round(million(head), 2) == 4.74
    assert round(million(PatchPnP(69, 64, (0.0,) * 9)), 2) == 9.03


def test_maps_have_a_quarter_of_the_crop():
    net = G2drNet(
        TimmFeatures("resnet18", 3), UpsamplingHead, PatchPnP, input_size=64, stride=4, amodal=False
    ).eval()
    output = run(net, [0, 3])
    assert output.visible.shape == (2, 16, 16)
    assert output.amodal is None
    assert output.nocs.shape == (2, 3, 16, 16)
    assert output.region.shape == (2, 65, 16, 16)


def test_an_untrained_network_sees_an_upright_object_in_the_middle():
    output = run(small_net().eval(), [0, 1])
    assert torch.allclose(output.rot6d, torch.tensor([1.0, 0, 0, 0, -1, 0]).expand(2, 6), atol=0.3)
    assert torch.allclose(output.site, torch.tensor([0.0, 0, 1]).expand(2, 3), atol=0.3)


@pytest.mark.parametrize(
    ("learnt", "differ"), [("class_embedding", True), ("class_output", True), (None, False)]
)
def test_the_class_counts_where_something_is_learnt_of_it(learnt, differ):
    torch.manual_seed(0)
    net = small_net(classes=20, **({learnt: True} if learnt else {})).eval()
    output = run(net, [2, 7])
    assert torch.equal(output.nocs[0], output.nocs[1]) is not differ
    if learnt is None:
        assert million(net) == million(small_net())


def test_an_own_output_layer_is_that_classs_convolution():
    torch.manual_seed(0)
    layer, x = OutputLayer(6, 5, classes=3), torch.randn(2, 6, 4, 4)
    layer.bias.data.normal_()
    ours = layer(x, torch.tensor([2, 0]))
    for row, own in enumerate((2, 0)):
        conv = torch.nn.functional.conv2d(
            x[row : row + 1], layer.weight[own][:, :, None, None], layer.bias[own]
        )
        assert torch.allclose(ours[row], conv[0], atol=1e-6)


def test_classes_are_named_where_they_are_missing():
    with pytest.raises(ValueError, match=r"model.net.classes is 0, but class_embedding"):
        small_net(class_embedding=True)


def test_the_background_score_is_no_attention():
    """Regions are normalised without the background: shifting its score changes nothing (GDR-Net)."""
    torch.manual_seed(0)
    net = small_net().eval()
    before = run(net, [0])
    net.maps.bias.data[:, net.masks + 3] += 5
    after = run(net, [0])
    assert not torch.allclose(before.region, after.region)
    assert torch.equal(before.rot6d, after.rot6d)
