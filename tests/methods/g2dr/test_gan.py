"""The discriminator: what it sees, what reaches the network, and what moves when."""

import pytest
import torch

from rhobin.methods.g2dr.gan import KINDS, Adversary
from rhobin.nets.discriminator import MapDiscriminator


def adversary(**kwargs):
    torch.manual_seed(0)
    return Adversary(lambda size: MapDiscriminator(size, width=4), 64, 4, **({"weight": 0.5} | kwargs))


def maps(seed=0):
    generator = torch.Generator().manual_seed(seed)
    nocs = torch.rand(4, 3, 16, 16, generator=generator).requires_grad_()
    mask = (torch.rand(4, 16, 16, generator=generator) > 0.5).float()
    return nocs, torch.rand(4, 3, 16, 16, generator=generator), mask


def coordinates(nocs, real):
    return (nocs - real).abs().mean()


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_losses_fall_when_each_side_wins(kind):
    good, bad = torch.full((3,), 4.0), torch.full((3,), -4.0)
    won, lost = KINDS[kind](good, bad), KINDS[kind](bad, good)
    assert won[0] < lost[0]
    assert won[1] > lost[1]


def test_losses_are_the_published_ones():
    real, fake = torch.tensor([0.3, -1.2]), torch.tensor([-0.4, 2.0])
    p, q = real.sigmoid(), fake.sigmoid()
    d, g = KINDS["non_saturating"](real, fake)
    assert torch.allclose(d, -(p.log().mean() + (1 - q).log().mean()))
    assert torch.allclose(g, -q.log().mean())
    assert KINDS["hinge"](real, fake)[0].item() == pytest.approx((0.7 + 2.2) / 2 + (0.6 + 3.0) / 2)
    assert KINDS["lsgan"](real, fake)[1].item() == pytest.approx((1.4**2 + 1.0) / 2)


def test_the_surrogate_carries_the_generators_gradient():
    """The same as descending the weighted generator loss itself, with the discriminator held fixed."""
    gan = adversary().eval()
    nocs, real, mask = maps()
    duel = gan(nocs, coordinates(nocs, real), 1.0, real, mask)
    (ours,) = torch.autograd.grad(duel.surrogate, nocs)
    _, fake = gan.discriminator(
        torch.cat([mask[:, None] * (2 * real - 1), mask[:, None] * (2 * nocs - 1)])
    ).chunk(2)
    (direct,) = torch.autograd.grad(0.5 * KINDS["non_saturating"](fake, fake)[1], nocs)
    assert torch.allclose(ours, direct, atol=1e-7)
    assert duel.surrogate.item() == 0
    assert ours.abs().sum() > 0


def test_neither_loss_reaches_the_others_weights():
    gan = adversary()
    nocs, real, mask = maps()
    duel = gan(nocs, coordinates(nocs, real), 1.0, real, mask)
    duel.surrogate.backward(retain_graph=True)
    assert all(p.grad is None for p in gan.parameters())
    before = nocs.grad.clone()
    duel.discriminator.backward()
    assert torch.equal(nocs.grad, before)
    assert all(p.grad.abs().sum() > 0 for p in gan.parameters())


def test_nothing_outside_the_mask_is_seen():
    gan = adversary().eval()
    nocs, real, mask = maps()
    first = gan(nocs, coordinates(nocs, real), 1.0, real, mask)
    with torch.no_grad():
        other = (nocs + 3 * (1 - mask[:, None])).requires_grad_()
    second = gan(other, coordinates(other, real), 1.0, real + (1 - mask[:, None]), mask)
    assert torch.equal(first.discriminator, second.discriminator)
    (push,) = torch.autograd.grad(second.surrogate, other)
    assert (push * (1 - mask[:, None])).abs().sum() == 0


def test_a_share_balances_the_gradients():
    """After some batches of one kind, the push is that share of the coordinates' own gradient."""
    gan = adversary(weight=None, share=0.2)
    for _ in range(400):
        nocs, real, mask = maps()
        own = coordinates(nocs, real)
        duel = gan(nocs, own, 1.0, real, mask)
    (push,) = torch.autograd.grad(duel.surrogate, nocs, retain_graph=True)
    (pull,) = torch.autograd.grad(own, nocs)
    assert push.norm() / pull.norm() == pytest.approx(0.2, rel=0.05)


def test_power_vectors_and_balance_are_saved():
    gan = adversary(weight=None, share=0.2)
    names = [name for name, _ in gan.named_buffers()]
    assert sum(name.endswith(("_u", "_v")) for name in names) == 2 * (4 + 1)
    assert "norms" in names
    nocs, real, mask = maps()
    before = {k: v.clone() for k, v in gan.state_dict().items()}
    gan(nocs, coordinates(nocs, real), 1.0, real, mask)
    after = gan.state_dict()
    moved = {key for key, value in after.items() if not torch.equal(value, before[key])}
    assert {"norms"} < moved
    assert any(key.endswith("_u") for key in moved), "one pass is one step of the power iteration"


def test_spectral_norm_bounds_every_layer():
    discriminator = MapDiscriminator(64)
    for _ in range(50):
        discriminator(torch.randn(2, 3, 64, 64))
    for layer in [*discriminator.convs, discriminator.score]:
        if hasattr(layer, "weight"):
            assert torch.linalg.matrix_norm(layer.weight.flatten(1), 2) <= 1.05
    assert sum(isinstance(layer, torch.nn.Conv2d) for layer in discriminator.convs) == 6


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"loss": "wasserstein"}, "model.gan.loss is 'wasserstein'; expected one of non_saturating"),
        ({"share": 0.1}, "needs one of weight and share"),
        ({"weight": None}, "needs one of weight and share"),
    ],
)
def test_settings_are_checked(settings, message):
    with pytest.raises(ValueError, match=message):
        adversary(**settings)
