import pytest
import timm
import torch

from rhobin.nets.hrnet import HRNet, HRNetPooled
from rhobin.nets.lite import Lite
from rhobin.nets.timm_features import TimmFeatures


@pytest.fixture(scope="module")
def small_hrnet():
    return HRNet("hrnet_w18_small", weights=None)


def test_lite_keeps_its_promises():
    net = Lite()
    features = net(torch.randn(2, 5, 128, 128))
    assert features.grid.shape == (2, net.grid_channels, 32, 32)
    assert features.pooled.shape == (2, net.pooled_channels)
    assert 0.7e6 < sum(p.numel() for p in net.parameters()) < 1.2e6


def test_hrnet_gives_a_quarter_size_map(small_hrnet):
    features = small_hrnet(torch.randn(2, 5, 64, 64))
    assert features.grid.shape == (2, 256, 16, 16)
    torch.testing.assert_close(features.pooled, features.grid.mean((2, 3)))


@pytest.mark.parametrize(
    "make",
    [Lite, lambda: HRNet("hrnet_w18_small"), lambda: HRNetPooled("hrnet_w18_small", 5)],
)
def test_context_reaches_the_features(make):
    net = make().eval()
    image = torch.randn(1, 5, 64, 64)
    plain = net(image)
    zero = net(image, torch.zeros(1, net.stem_channels))
    told = net(image, torch.ones(1, net.stem_channels))
    torch.testing.assert_close(plain.grid, zero.grid)
    assert (plain.grid - told.grid).abs().max() > 1e-3
    assert (plain.pooled - told.pooled).abs().max() > 1e-3


def test_pretrained_rgb_weights_survive_and_masks_start_silent(tmp_path):
    """The five-plane network computes on (RGB, masks) what the published three-plane one computes on RGB."""
    torch.manual_seed(1)
    published = timm.create_model("hrnet_w18_small", pretrained=False).eval()
    torch.save(published.state_dict(), tmp_path / "weights.pt")
    net = HRNet("hrnet_w18_small", weights=tmp_path / "weights.pt").eval()
    image = torch.randn(2, 5, 64, 64)
    ours = net.net.stages(
        net.net.act2(net.net.bn2(net.net.conv2(net.net.act1(net.net.bn1(net.net.conv1(image))))))
    )
    rgb = image[:, :3]
    stem = published.act2(published.bn2(published.conv2(published.act1(published.bn1(published.conv1(rgb))))))
    for mine, theirs in zip(ours, published.stages(stem), strict=True):
        torch.testing.assert_close(mine, theirs)
    masks = net.net.conv1.weight[:, 3:]
    assert torch.equal(masks, torch.zeros_like(masks))
    assert masks.shape[1] == 2


def test_the_pooled_vector_is_what_the_published_classifier_reads(tmp_path):
    torch.manual_seed(1)
    published = timm.create_model("hrnet_w18_small", pretrained=False).eval()
    torch.save(published.state_dict(), tmp_path / "weights.pt")
    net = HRNetPooled("hrnet_w18_small", 5, weights=tmp_path / "weights.pt").eval()
    assert (net.grid_channels, net.pooled_channels) == (16, 2048)
    image = torch.randn(2, 5, 96, 160)
    features = net(image)
    assert features.grid.shape == (2, 16, 24, 40)
    torch.testing.assert_close(features.pooled, published.forward_features(image[:, :3]).mean((2, 3)))
    torch.testing.assert_close(published.classifier(features.pooled), published(image[:, :3]))
    fused = HRNet("hrnet_w18_small", weights=tmp_path / "weights.pt").eval()
    branches = fused.net.stages(
        fused.net.act2(fused.net.bn2(fused.net.conv2(fused.net.act1(fused.net.bn1(fused.net.conv1(image))))))
    )
    torch.testing.assert_close(features.grid, branches[0])


def test_every_weight_of_the_pooled_network_learns():
    net = HRNetPooled("hrnet_w18_small")
    features = net(torch.randn(2, 3, 64, 64))
    (features.grid.square().mean() + features.pooled.square().mean()).backward()
    assert [name for name, p in net.named_parameters() if p.grad is None] == []


def test_parameters_of_a_w64():
    """Headless is stem and stages, as `features_only` with no `feature_location` leaves; three planes."""
    with torch.device("meta"):
        net = HRNetPooled("hrnet_w64.ms_in1k")
    count = {name: sum(p.numel() for p in part.parameters()) for name, part in net.net.named_children()}
    head = sum(count[name] for name in ("incre_modules", "downsamp_modules", "final_layer"))
    assert (net.grid_channels, net.pooled_channels) == (64, 2048)
    assert sum(count.values()) - head == pytest.approx(115.70e6, abs=5e3)
    assert head == pytest.approx(10.31e6, abs=5e3)


def test_missing_or_foreign_weights_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere\.pt"):
        HRNet("hrnet_w18_small", weights=tmp_path / "nowhere.pt")
    torch.save({"a": torch.zeros(1)}, tmp_path / "foreign.pt")
    with pytest.raises(ValueError, match=r"foreign\.pt lacks"):
        HRNet("hrnet_w18_small", weights=tmp_path / "foreign.pt")


def test_without_a_network_the_key_for_other_weights_is_named_at_once(tmp_path, monkeypatch):
    hub = pytest.importorskip("huggingface_hub.constants")

    def unreachable(*args):
        raise OSError

    monkeypatch.setattr("rhobin.nets.weights.getproxies", dict)
    monkeypatch.setattr("socket.create_connection", unreachable)
    monkeypatch.setattr(hub, "HF_HUB_CACHE", str(tmp_path))
    before, slept = hub.HF_HUB_OFFLINE, []
    monkeypatch.setattr("time.sleep", slept.append)  # between the hub's retries
    for make, variant in ((HRNet, "hrnet_w18_small.ms_in1k"), (TimmFeatures, "test_resnet.r160_in1k")):
        with pytest.raises(ValueError, match=rf"weights of {variant} .*backbone\.weights=PATH .* or null"):
            make(variant, weights="imagenet")
    assert (hub.HF_HUB_OFFLINE, slept) == (before, [])
