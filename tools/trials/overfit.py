"""Train KHOR on eight views alone, until it knows them: the errors that are left are those of the method.

    rhobin synth --out data/behave_tiny --size tiny
    python tools/trials/overfit.py --root data/behave_tiny

Views are of different sequences, seen without augmentation. Errors are the joint track's, beside those of the
truth itself ("floor": two samplings of one surface) and of true keypoints through the same decoding ("fit").
Ends with status 1 where an error lies more than 5 mm above the floor.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from omegaconf import DictConfig

from rhobin.data.collate import collate
from rhobin.engine.build import build_datamodule, build_module
from rhobin.engine.compose import compose_config
from rhobin.engine.validation import ValidationScores
from rhobin.methods.khor.module import Khor
from rhobin.methods.khor.net import KhorOutput
from rhobin.methods.optim import build_groups
from rhobin.nets.heatmap import Keypoints
from rhobin.types import Batch, HumanPrediction, ObjectPrediction, Prediction, required

ERRORS, ABOVE_MM, SURE = ("smpl_mm", "object_mm"), 5.0, 0.01


def truth_of(batch: Batch) -> Prediction:
    """The ground truth as if it were predicted."""
    human, obj = required(batch.target.human, "the person"), required(batch.target.object, "the object")
    return Prediction(HumanPrediction(human.theta, human.beta, human.trans), ObjectPrediction(obj.R, obj.t))


def perfect_output(batch: Batch) -> KhorOutput:
    """What a perfect network would say."""
    drawn, human = required(batch.target.heatmaps, "the heatmaps"), required(batch.target.human, "the person")
    joints, kpts = required(drawn.joints_uvd, "the joints"), required(drawn.kpts_uvd, "the keypoints")
    sure = [Keypoints(uvd, torch.full_like(uvd[..., 0], SURE)) for uvd in (joints, kpts)]
    return KhorOutput(*sure, human.beta, human.twist)


def errors_of(prediction: Prediction, batch: Batch, scores: ValidationScores) -> dict[str, float]:
    """Errors of both parts in millimetres."""
    scores.reset()
    scores.add(batch, prediction)
    found = scores.compute()
    return {name: found[name] for name in ERRORS}


def train(module: Khor, batch: Batch, steps: int) -> None:
    """Descend the losses of one batch."""
    (group,) = build_groups(module, module.optim, steps)
    module.train()
    for step in range(steps):
        losses = module.losses(module.run_net(batch), batch)
        group.optimizer.zero_grad()
        losses["loss"].backward()
        torch.nn.utils.clip_grad_norm_(group.parameters, 1.0)
        group.optimizer.step()
        group.schedule.step()
        if not step % 200:
            print(f"step {step}: loss {losses['loss'].item():.3f}", flush=True)
    module.eval()


def views_of(dataset, count: int) -> list[int]:
    """Rows of views, one of each of as many sequences, evenly spread."""
    sequences = [dataset.key(row).sequence for row in range(len(dataset))]
    firsts = [sequences.index(name) for name in dict.fromkeys(sequences)]
    return [firsts[i] for i in np.linspace(0, len(firsts) - 1, count).round().astype(int)]


def overfit(config: DictConfig, steps: int, views: int) -> dict[str, dict[str, float]]:
    """Errors in millimetres of the floor, the fit and the network, trained on some validation views alone.

    Args:
        config: composed.
        steps: of the training.
        views: how many.
    """
    torch.manual_seed(0)
    datamodule = build_datamodule(config)
    dataset = datamodule.val_dataset
    batch = collate([dataset[row] for row in views_of(dataset, views)])
    module, scores = build_module(config, datamodule.assets), ValidationScores(datamodule.assets)
    train(module, batch, steps)
    with torch.no_grad():
        return {
            "floor": errors_of(truth_of(batch), batch, scores),
            "fit": errors_of(module.decode(perfect_output(batch), batch), batch, scores),
            "trained": errors_of(module.predict(batch), batch, scores),
        }


def main() -> None:
    """Read the command line, train, print the errors."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--root", type=Path, required=True, help="generated root of any size")
    parser.add_argument("--steps", type=int, default=2500)
    parser.add_argument("--views", type=int, default=8)
    parser.add_argument(
        "--overrides", nargs="*", default=[], help="of the config, such as model.depth_range=2.2"
    )
    options = parser.parse_args()
    config = compose_config(["experiment=khor/synthetic", f"data.root={options.root}", *options.overrides])
    found = overfit(config, options.steps, options.views)
    for name, errors in found.items():
        print(f"{name:8} SMPL {errors['smpl_mm']:.1f} mm, object {errors['object_mm']:.1f} mm")
    if any(found["trained"][name] > found["floor"][name] + ABOVE_MM for name in ERRORS):
        raise SystemExit(f"more than {ABOVE_MM:g} mm above the floor")


if __name__ == "__main__":
    main()
