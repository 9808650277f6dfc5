"""What processes add up among themselves, in one process and in two."""

import sys
from pathlib import Path

import pytest
import torch

from rhobin import ranks
from rhobin.nets.losses import weighted_mean
from rhobin.nets.shared_norm import share_norms

sys.path.insert(0, str(Path(__file__).parent / "engine"))
from together import train


def samples():
    """Values and weights of six samples, the first three nearly without weight, and maps of them."""
    generator = torch.Generator().manual_seed(0)
    weight = torch.tensor([1.0, 0, 0, 2, 1, 1])
    return torch.randn(6, generator=generator), weight, torch.randn(6, 2, 3, 3, generator=generator)


def network():
    torch.manual_seed(1)
    return torch.nn.Sequential(torch.nn.Conv2d(2, 4, 1), torch.nn.BatchNorm2d(4), torch.nn.ReLU())


def losses_of(value, weight, maps, net):
    """A weighted mean through a batch norm, and its gradients."""
    features = net(maps).square().mean((1, 2, 3)) * value
    loss = weighted_mean(features, weight)
    loss.backward()
    return {
        "loss": loss.detach(),
        "gradients": [p.grad for p in net.parameters()],
        "buffers": list(net.buffers()),
        "norm": ranks.norm(
            torch.autograd.grad(weighted_mean(free := value.clone().requires_grad_(), weight), free)[0]
        ),
    }


def one_of_two(folder):
    """One process: its half of the samples, and what the two have in common."""
    import torch.distributed as dist

    dist.init_process_group("gloo")
    share_norms(net := network(), torch.device("cpu"))
    found = losses_of(*(part.chunk(2)[ranks.rank()] for part in samples()), net)
    found["gradients"] = [ranks.total(gradient) / 2 for gradient in found["gradients"]]
    found["loss"] = ranks.total(found["loss"]) / 2
    torch.manual_seed(0)
    drawn = ranks.own(torch.rand(4))
    buffer = torch.full((2,), float(ranks.rank()))
    ranks.take_first([buffer])
    with torch.no_grad():
        own = ranks.counted(torch.full((3,), 1.0 + ranks.rank()), 1e-6)
    found |= {
        "drawn": torch.cat(ranks.gathered(drawn)), "buffer": buffer, "own": own,
        "anywhere": [ranks.anywhere(torch.tensor(ranks.rank() == rank)) for rank in (1, 2)],
    }  # fmt: skip
    torch.save(found, folder / f"{ranks.rank()}.pt")
    dist.destroy_process_group()


def test_two_processes_have_the_loss_gradients_and_statistics_of_one(tmp_path):
    whole = losses_of(*samples(), network())
    assert train(one_of_two, tmp_path, tmp_path) == [0, 0], (tmp_path / "0").read_text()
    halves = [torch.load(tmp_path / f"{rank}.pt") for rank in (0, 1)]
    for rank, half in enumerate(halves):
        torch.testing.assert_close({key: half[key] for key in whole}, whole, rtol=1e-5, atol=1e-6)
        torch.manual_seed(0)
        assert torch.equal(half["drawn"], torch.rand(4))
        assert half["buffer"].tolist() == [0, 0]
        assert half["own"] == 3 * (1 + rank), "scores count what the process itself has seen"
        assert half["anywhere"] == [True, False]


def test_without_sharing_the_halves_would_not_be_the_whole():
    """The mean of both halves' own weighted means is another number, so the test above can fail."""
    value, weight, _ = samples()
    halves = [weighted_mean(v, w) for v, w in zip(value.chunk(2), weight.chunk(2), strict=True)]
    assert abs(sum(halves) / 2 - weighted_mean(value, weight)) > 0.1


def test_one_process_is_the_identity_to_the_bit():
    value = torch.rand(5)
    assert ranks.total(value) is value
    assert torch.equal(ranks.own(value), value)
    assert torch.equal(ranks.counted(value, 1e-6), value.sum())
    assert ranks.gathered("x") == ["x"]
    assert ranks.anywhere(torch.tensor(True))


@pytest.mark.parametrize("momentum", [0.1, None])
def test_a_shared_norm_of_one_process_is_the_usual_one(momentum):
    torch.manual_seed(0)
    usual = torch.nn.Sequential(
        torch.nn.BatchNorm1d(3, momentum=momentum), torch.nn.Sequential(torch.nn.BatchNorm3d(3))
    )
    made = torch.nn.Sequential(
        torch.nn.BatchNorm1d(3, momentum=momentum), torch.nn.Sequential(torch.nn.BatchNorm3d(3))
    )
    made.load_state_dict(usual.state_dict())
    share_norms(made, torch.device("cpu"))
    assert made.state_dict().keys() == usual.state_dict().keys()
    for part, other, x in (
        (usual[0], made[0], torch.randn(4, 3, 5)),
        (usual[1][0], made[1][0], torch.randn(2, 3, 2, 2, 2)),
    ):
        assert torch.equal(part(x), other(x))
        assert all(map(torch.equal, part.buffers(), other.buffers()))
        assert torch.equal(part.eval()(x), other.eval()(x))
