"""A run opened for photographs: its network, what that reads, and body models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from hydra.errors import HydraException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from rhobin.assets import Assets
from rhobin.body.bodyset import BodySet
from rhobin.body.chosen import body_folder, body_hash, body_name
from rhobin.body.load import load_bodies
from rhobin.data.settings import SampleConfig
from rhobin.engine.build import build_trained, instantiate
from rhobin.engine.exported import Weights, find_weights
from rhobin.engine.predict import load_weights
from rhobin.engine.trusted import read_config
from rhobin.methods.base import Method
from rhobin.objects.load import load_templates


@dataclass(frozen=True)
class PhotoNetwork:
    """A run, ready for photographs.

    Attributes:
        home: where what is known of the checkpoint's errors is kept.
        module: with trained weights, in evaluation mode, on the device.
        samples: what the network reads.
        bodies: body models, on the device.
        object_id: of any template, for networks that are told the object, which photographs do not tell.
        device: where to compute.
        origin: what to say of the network in files.
    """

    home: Path
    module: Method
    samples: SampleConfig
    bodies: BodySet
    object_id: int
    device: torch.device
    origin: dict[str, Any]

    def gender(self, asked: str | None) -> str:
        """The gender asked for; by default neutral, or the first that the body models have.

        Raises:
            ValueError: there is no such body model.
        """
        known = list(self.bodies.models)
        if asked is None:
            return "neutral" if "neutral" in known else known[0]
        if asked not in known:
            raise ValueError(
                f"no body model is {asked}; {self.origin['body']} has {', '.join(known)}. Choose one of them"
            )
        return asked


def open_network(
    run_dir: Path, checkpoint: str = "best", body: Path | None = None, trust: Sequence[str] = ()
) -> PhotoNetwork:
    """Open a run for photographs; its data set is not needed.

    Args:
        run_dir: run folder written by train.py, or what `rhobin export` made of one.
        checkpoint: "best" or "last".
        body: folder of the SMPL-H files, or "standin"; None for what training had.
        trust: packages beside rhobin's whose classes the run's config may name.

    Raises:
        FileNotFoundError: run, checkpoint or body models are missing.
        ValueError: the run predicts no people, or another version of rhobin wrote it.
    """
    trained = read_config(run_dir, trust)
    try:
        return _open(run_dir, trained, find_weights(run_dir, checkpoint), body)
    except (OmegaConfBaseException, HydraException) as error:
        reason = str(error.__cause__ or error).splitlines()[0]
        raise ValueError(
            f"{run_dir}/config.yaml cannot be built ({reason}): another version of rhobin wrote it. Predict "
            "with the version and commit that run.json in that folder names, or train again"
        ) from error


def _open(run_dir: Path, trained: DictConfig, weights: Weights, body: Path | None) -> PhotoNetwork:
    datamodule = instantiate(trained.data)  # reads nothing: the run's data set need not be here
    samples, folder = datamodule.settings.samples.one_size, body_folder(body or datamodule.settings.body)
    _require(run_dir, weights.file, samples.reads.parts)
    assets = Assets.of(load_bodies(folder), load_templates() if "object" in samples.reads.parts else {})
    module = build_trained(trained, assets)
    load_weights(module, weights.file, trained)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    origin = {
        "run": weights.run,
        "method": module.name,
        "checkpoint": weights.file.name,
        "checkpoint_hash": weights.checkpoint_hash,
        "body": body_name(assets.bodies),
        "body_hash": body_hash(folder),
    }
    bodies, first = assets.bodies.to(device), min(assets.templates, default=0)
    return PhotoNetwork(weights.home, module.eval().to(device), samples, bodies, first, device, origin)


def _require(run_dir: Path, file: Path, parts: Sequence[str]) -> None:
    """Refuse a run that predicts no people, or lacks the checkpoint."""
    if "human" not in parts:
        raise ValueError(
            f"{run_dir} predicts objects only (model.reads.parts is {list(parts)}); rhobin predict does "
            "people so far: expected a run of BEV-HybrIK or KHOR. Its test views can be predicted: "
            f"python eval.py run={run_dir}"
        )
    if not file.is_file():
        raise FileNotFoundError(
            f"{file} is missing; expected a checkpoint. Train first (python train.py run_dir={run_dir}), or "
            "choose another with --checkpoint best|last"
        )
