"""Estimates what training an experiment's network takes, without doing it: nothing is computed or allocated.

    python benchmarks/footprint.py [khor/paper] [--views 45388] [--tflops 10]

Shapes go through the network and its backward pass as fake tensors. Memory is weights, gradients, Adam's two
moments and what autograd keeps of a batch; buffers of the convolution library and fragmentation come on top,
about 1 to 2 GiB. Time is arithmetic over a card's sustained speed, with data that always arrive in time. The
loss is a stand-in (mean squares), which costs next to nothing beside the network.
"""

import argparse

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.autograd.graph import saved_tensors_hooks
from torch.utils.flop_counter import FlopCounterMode

from rhobin.engine.build import instantiate
from rhobin.engine.preview import compose_config

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
    weights, kept, flops = footprint(config.model.net, batch, size)
    steps = args.views // batch * epochs
    hours = flops * args.views * epochs / args.tflops / 1e12 / 3600
    print(f"{args.experiment}: {weights / 1e6:.1f} million weights, batches of {batch} at {size} px")
    print(f"  weights, gradients, Adam  {16 * weights / GIB:5.1f} GiB")
    print(f"  kept for the backward     {kept / GIB:5.1f} GiB")
    print(f"  together                  {(16 * weights + kept) / GIB:5.1f} GiB, 1 to 2 more in use")
    print(f"  {flops / 1e9:.0f} GFLOP a view, forward and backward")
    print(f"  {epochs} epochs of {args.views} views, {steps} steps: {hours:.0f} h at {args.tflops:g} TFLOP/s")


def footprint(net_config: object, batch: int, size: int) -> tuple[int, int, float]:
    """Number of weights, bytes kept for the backward pass of a batch, operations for one view."""
    kept: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if not isinstance(tensor, torch.nn.Parameter):
            kept[storage._cdata] = storage.nbytes()
        return tensor

    with FakeTensorMode(), FlopCounterMode(display=False) as counter:
        net = instantiate(net_config)
        with saved_tensors_hooks(keep, lambda tensor: tensor):
            output = net(torch.empty(batch, 5, size, size), torch.zeros(batch, dtype=torch.long))
            loss = torch.stack([part.square().mean() for part in _tensors(output)]).sum()
        loss.backward()
        weights = sum(parameter.numel() for parameter in net.parameters())
    return weights, sum(kept.values()), counter.get_total_flops() / batch


def _tensors(output: object) -> list[Tensor]:
    if isinstance(output, Tensor):
        return [output]
    return [tensor for part in output for tensor in _tensors(part)] if isinstance(output, tuple) else []


if __name__ == "__main__":
    main()
