"""A small BEV-HybrIK, and people for it."""

import pytest
import torch
from people_batches import DEPTH_RANGE, SIZE, VOLUME, make_batch

from rhobin.assets import Assets
from rhobin.body.load import load_bodies
from rhobin.clock import Clock
from rhobin.methods.bev_hybrik.module import BevHybrik
from rhobin.methods.bev_hybrik.net import BevHybrikNet
from rhobin.nets.bev import BevBranch
from rhobin.nets.heatmap import PlanarHead
from rhobin.nets.lite import Lite

TERMS = (
    "front", "bird", "volume", "offset", "joints", "depths", "joints_laplace", "beta", "twist", "pose",
    "posed", "projected",
)  # fmt: skip


@pytest.fixture(scope="session")
def assets():
    return Assets.of(load_bodies(), {})


@pytest.fixture(scope="session")
def people(assets):
    return make_batch(assets.bodies, 8)


@pytest.fixture(scope="session")
def method(assets):
    """Makes a module; keyword arguments go to it, and those of the network under `net`."""

    def make(net=None, **kwargs):
        torch.manual_seed(0)
        made = BevHybrikNet(
            Lite(3, (16, 24, 32, 48), 32),
            lambda **given: BevBranch(bins=VOLUME.bins, channels=16, squeezed=4, hidden=32, **given),
            PlanarHead,
            **{"input_size": SIZE, "stride": 4, **(net or {})},
        )
        settings = {
            "weights": dict.fromkeys(TERMS, 1.0), "optim": {}, "depth_range": DEPTH_RANGE,
            "depth_bins": VOLUME.depth_bins, "posing": 0.0, "taught": (0.3, 0.8),
            "testing": {"scales": [1.0], "mirrored": False},
        }  # fmt: skip
        module = BevHybrik(made, assets=assets, **{**settings, **kwargs})
        module.clock = Clock(max_steps=100)
        module.clock.begin(100)
        return module

    return make
