"""Mixed precision stays in the networks: geometry, soft-argmax, losses and decoding compute in float32."""

import sys
from pathlib import Path

import pytest
import torch
from hydra import compose, initialize_config_dir
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from rhobin.engine.build import build_clock, build_datamodule, build_module

ROOT = Path(__file__).parents[2]
NETWORKS = {"net.py", "lite.py", "bev.py", "bev_blocks.py", "geometry_head.py", "patch_pnp.py", "place.py"}
HEADS = {"heatmap.py": {"forward"}}  # whose other functions are soft-argmax and what it is made of
HALVES = (torch.float16, torch.bfloat16)


class Halves(TorchDispatchMode):
    """Notes in which function of rhobin each half-precision result of a floating operation is made."""

    def __init__(self):
        super().__init__()
        self.places = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        if any(isinstance(leaf, torch.Tensor) and leaf.dtype in HALVES for leaf in tree_leaves(result)):
            self.places.add(self.place())
        return result

    def place(self):
        frame = sys._getframe(2)
        while frame and "src/rhobin" not in frame.f_code.co_filename:
            frame = frame.f_back
        return (Path(frame.f_code.co_filename).name, frame.f_code.co_name) if frame else ("", "")


@pytest.mark.parametrize(
    ("method", "dtype"),
    [*((m, torch.bfloat16) for m in ("khor", "bev_hybrik", "g2dr")), ("khor", torch.float16)],
)
def test_only_networks_compute_in_half_precision(tree_with_truth, method, dtype):
    with initialize_config_dir(str(ROOT / "configs"), version_base="1.3"):
        config = compose(
            "train",
            [
                f"experiment={method}/smoke",
                f"data.root={tree_with_truth}",
                "data.workers=0",
                "data.batch_size=2",
            ],
        )
    datamodule = build_datamodule(config)
    module = build_module(config, datamodule.assets)
    module.clock = build_clock(config)
    batch = next(iter(datamodule.train_dataloader()))
    with torch.autocast("cpu", dtype), Halves() as halves:
        output = module.run_net(batch)
        losses = module.losses(output, batch)
        prediction = module.decode(output, batch)
        duel = (
            module.gan(output.nocs, losses["nocs"], 1.0, batch.target.maps.nocs, batch.target.maps.amodal)
            if method == "g2dr"
            else None
        )
    networks = {
        place for place in halves.places if place[0] in NETWORKS or place[1] in HEADS.get(place[0], ())
    }
    assert halves.places - networks == set()
    assert ("lite.py", "forward") in networks, "the backbone did compute in half precision"
    found = [*losses.values(), *tree_leaves(tuple(vars(prediction).values())), *(duel or ())]
    floats = {value.dtype for value in found if isinstance(value, torch.Tensor) and value.is_floating_point()}
    assert floats == {torch.float32}
