"""Estimates what training an experiment's networks takes, without doing it: nothing is computed.

    python benchmarks/footprint.py [khor/paper | g2dr/paper | bev_hybrik/paper_base] [--views 45388]

Shapes go through the network and its backward pass as fake tensors. Memory is weights, gradients, the
optimiser's two or three copies and what autograd keeps of a batch; buffers of the convolution library and
fragmentation come on top, about 1 to 2 GiB. Time is arithmetic over a card's sustained speed, with data that
always arrive in time. The loss is a stand-in (mean squares), which costs next to nothing beside the network;
a discriminator scores the network's maps twice, as real and as generated ones.
"""

import argparse
from typing import Any

import torch
from omegaconf import DictConfig, OmegaConf
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.autograd.graph import saved_tensors_hooks
from torch.utils.flop_counter import FlopCounterMode

from rhobin.assets import Assets
from rhobin.body.load import load_bodies
from rhobin.engine.build import instantiate
from rhobin.engine.preview import compose_config
from rhobin.objects.load import load_templates
from rhobin.types import Batch, BevMaps, Target

GIB = 2**30


def main() -> None:
    """Print the estimate."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("experiment", nargs="?", default="khor/paper")
    parser.add_argument("--views", type=int, default=45_388, help="to train on (default: CHORE's 45388)")
    parser.add_argument("--tflops", type=float, default=10.0, help="of the card, sustained (default: 10)")
    args = parser.parse_args()
    config = compose_config([f"experiment={args.experiment}", "model.net.backbone.weights=null"])
    batch, size, epochs = config.data.batch_size, config.data.view.input_size, config.trainer.max_epochs
    weights, state, kept, flops = footprint(config)
    steps = args.views // batch * epochs
    hours = flops * args.views * epochs / args.tflops / 1e12 / 3600
    print(f"{args.experiment}: {weights / 1e6:.1f} million weights, batches of {batch} at {size} px")
    print(f"  weights, gradients, optimiser {state / GIB:5.1f} GiB")
    print(f"  kept for the backward         {kept / GIB:5.1f} GiB")
    print(f"  together                      {(state + kept) / GIB:5.1f} GiB, 1 to 2 more in use")
    print(f"  {flops / 1e9:.0f} GFLOP a view, forward and backward")
    print(f"  {epochs} epochs of {args.views} views, {steps} steps: {hours:.0f} h at {args.tflops:g} TFLOP/s")


def footprint(config: DictConfig) -> tuple[int, int, int, float]:
    """Weights, bytes of them with gradients and optimiser, bytes kept of a batch, operations a view.

    The optimiser keeps two further copies of each weight (Adam), or three (Ranger).
    """
    kept: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if not isinstance(tensor, torch.nn.Parameter):
            kept[storage._cdata] = storage.nbytes()
        return tensor

    parts: Any = OmegaConf.to_container(config.model, resolve=True)
    parts.pop("reads")
    module = instantiate(parts, _partial_=True)(assets=Assets.of(load_bodies(), load_templates()))
    copies = 5 if "ranger" in config.optim.optimizer._target_ else 4
    with FakeTensorMode() as mode, FlopCounterMode(display=False) as counter:
        for name, tensor in [*module.named_parameters(), *module.named_buffers()]:
            replace(module, name, mode.from_tensor(tensor))
        batch = empty_batch(config)
        with saved_tensors_hooks(keep, lambda tensor: tensor):
            output = module.run_net(batch)
            loss = torch.stack([part.square().mean() for part in tensors_of(output)]).sum()
            if getattr(module, "gan", None) is not None:
                score = module.gan.discriminator(torch.cat([output.nocs.detach(), output.nocs.detach()]))
                loss = loss + score.square().mean()
        loss.backward()
    weights = sum(parameter.numel() for parameter in module.parameters())
    return (
        weights,
        4 * copies * weights,
        sum(kept.values()),
        counter.get_total_flops() / config.data.batch_size,
    )


def replace(module: torch.nn.Module, name: str, tensor: Tensor) -> None:
    """Put a tensor in the place of a parameter or buffer."""
    path, _, last = name.rpartition(".")
    owner = module.get_submodule(path)
    if last in owner._parameters:
        owner._parameters[last] = torch.nn.Parameter(tensor, requires_grad=True)
    else:
        owner._buffers[last] = tensor


def empty_batch(config: DictConfig) -> Batch:
    """A batch of the experiment's size; what is in it does not matter."""
    size, planes = config.data.view.input_size, 2 + len(config.model.reads.planes)
    count, pixels = config.data.batch_size, config.data.view.input_size
    return Batch(
        image=torch.zeros(count, planes, pixels, pixels, dtype=torch.uint8),
        K_crop=torch.eye(3).repeat(count, 1, 1) * size,
        window=torch.ones(count, 3),
        turn=torch.eye(3).repeat(count, 1, 1),
        gender=torch.zeros(count, dtype=torch.long),
        object_id=torch.zeros(count, dtype=torch.long),
        target=Target(bev=empty_bev(config) if "bev" in config.model.reads.targets else None),
        keys=[],
    )


def empty_bev(config: DictConfig) -> BevMaps:
    """Centre maps of the experiment's size, which the heads are told the centre from."""
    count, volume = config.data.batch_size, config.data.targets.bev
    line = torch.zeros(count, config.data.view.input_size // volume.stride)
    return BevMaps(
        depth=torch.zeros(count, volume.bins),
        row=line,
        column=line,
        front_row=line,
        front_column=line,
        cell=torch.zeros(count, 3, dtype=torch.long),
        offset=torch.zeros(count, 3),
        weight=torch.ones(count),
    )


def tensors_of(output: object) -> list[Tensor]:
    """All tensors of nested tuples."""
    if isinstance(output, Tensor):
        return [output]
    return [tensor for part in output for tensor in tensors_of(part)] if isinstance(output, tuple) else []


if __name__ == "__main__":
    main()
