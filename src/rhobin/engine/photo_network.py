"""A run opened for photographs: its network, what that reads, body models and object templates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig, OmegaConf

from rhobin.assets import Assets
from rhobin.body.bodyset import BodySet
from rhobin.body.chosen import body_folder, body_hash, body_name
from rhobin.body.load import load_bodies
from rhobin.data.settings import SampleConfig
from rhobin.engine.build import BUILD_ERRORS, build_trained, instantiate, other_version
from rhobin.engine.exported import Weights, find_weights, is_export, read_card
from rhobin.engine.photo_templates import PhotoTemplates, find_templates, require_learnt
from rhobin.engine.predict import load_weights
from rhobin.engine.trusted import read_config
from rhobin.methods.base import Method
from rhobin.objects.template import Template

CLASSES = ("model.net.object_classes", "model.net.classes")
"""Keys of the number of classes that a network tells apart; 0 or no key for one that tells none."""
BUILT_IN = (
    "templates are the built-in ones: {root}, which the run was trained on, has none here; --templates "
    "FOLDER tells others"
)


@dataclass(frozen=True)
class PhotoNetwork:
    """A run, ready for photographs.

    Attributes:
        home: where what is known of the checkpoint's errors is kept.
        module: with trained weights, in evaluation mode, on the device.
        samples: what the network reads.
        bodies: body models, on the device.
        objects: templates by object id; empty for a network that predicts people alone.
        device: where to compute.
        origin: what to say of the network in files.
        notes: what the user should know of it.
    """

    home: Path
    module: Method
    samples: SampleConfig
    bodies: BodySet
    objects: Mapping[int, Template]
    device: torch.device
    origin: dict[str, Any]
    notes: tuple[str, ...] = ()

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

    def object_id(self, asked: str | None) -> int:
        """The id of the object asked for; 0 where the network predicts no object and none is asked for.

        Raises:
            ValueError: none is asked for and the network needs one, there is none of that name, or it
                needs none.
        """
        if not self.objects and asked is None:
            return 0
        if not self.objects:
            raise ValueError(f"--object {asked}: {self.origin['run']} predicts people alone. Leave it out")
        known = {template.name: number for number, template in self.objects.items()}
        if asked not in known:
            found = "none was named" if asked is None else f"{asked!r} is none of them"
            raise ValueError(
                f"this run predicts an object, and {found}: its templates are {', '.join(known)}. Give "
                "--object NAME, or other templates with --templates FOLDER"
            )
        return known[asked]


def open_network(
    run_dir: Path,
    checkpoint: str = "best",
    body: Path | None = None,
    trust: Sequence[str] = (),
    templates: Path | None = None,
    device: str | None = None,
) -> PhotoNetwork:
    """Open a run for photographs; its data set is not needed.

    Args:
        run_dir: run folder written by train.py, or what `rhobin export` made of one.
        checkpoint: "best" or "last".
        body: folder of the SMPL-H files, or "standin"; None for what training had.
        trust: packages beside rhobin's whose classes the run's config may name.
        templates: folder of object templates; None for those of the training.
        device: "cpu" or "cuda"; None for CUDA where there is one.

    Raises:
        FileNotFoundError: run, checkpoint, body models or templates are missing.
        ValueError: another version of rhobin wrote the run, or there is no such device.
    """
    trained, there = read_config(run_dir, trust), chosen_device(device)
    try:
        return _open(run_dir, trained, find_weights(run_dir, checkpoint), body, templates, there)
    except BUILD_ERRORS as error:
        raise other_version(run_dir, error, "Predict") from error


def chosen_device(asked: str | None) -> torch.device:
    """The device asked for; by default CUDA where there is one.

    Raises:
        ValueError: CUDA is asked for and PyTorch finds none.
    """
    if asked == "cuda" and not torch.cuda.is_available():
        raise ValueError("--device cuda: PyTorch finds no CUDA device here. Predict with --device cpu")
    return torch.device(asked or ("cuda" if torch.cuda.is_available() else "cpu"))


def _open(
    run_dir: Path,
    trained: DictConfig,
    weights: Weights,
    body: Path | None,
    folder: Path | None,
    device: torch.device,
) -> PhotoNetwork:
    datamodule = instantiate(trained.data)  # reads nothing: the run's data set need not be here
    samples = datamodule.settings.samples.one_size
    require_checkpoint(run_dir, weights.file)
    files = body_folder(body or datamodule.settings.body) if "human" in samples.reads.parts else None
    found, bodies = _templates(datamodule.settings.root, samples, trained, folder), load_bodies(files)
    if is_export(run_dir):
        require_learnt(run_dir, found, read_card(run_dir)["trained_on"]["templates"])
    module = build_trained(trained, Assets(bodies, found.names, found.by_id))
    load_weights(module, weights.file, trained)
    origin = {
        "run": weights.run,
        "method": module.name,
        "checkpoint": weights.file.name,
        "checkpoint_hash": weights.checkpoint_hash,
        **(
            {"body": body_name(bodies), "body_hash": body_hash(files)}
            if "human" in samples.reads.parts
            else {}
        ),
        **({"templates": found.how} if found.by_id else {}),
    }
    ready = module.eval().to(device)
    notes = (BUILT_IN.format(root=datamodule.settings.root),) if found.guessed else ()
    return PhotoNetwork(weights.home, ready, samples, bodies.to(device), found.by_id, device, origin, notes)


def _templates(root: Path, samples: SampleConfig, trained: DictConfig, folder: Path | None) -> PhotoTemplates:
    """Templates of a network that predicts objects, without those of a class that it never learnt."""
    if "object" not in samples.reads.parts:
        if folder is not None:
            raise ValueError(f"--templates {folder}: this run predicts people alone. Leave it out")
        return PhotoTemplates((), {}, "")
    found = find_templates(root, folder)
    classes = max(int(OmegaConf.select(trained, key) or 0) for key in CLASSES)
    if classes and max(found.by_id) >= classes:
        unknown = [template.name for number, template in found.by_id.items() if number >= classes]
        raise ValueError(
            f"--templates {folder}: the network tells {classes} objects apart and has not learnt "
            f"{', '.join(unknown)}. Use a run whose {' or '.join(CLASSES)} is 0"
        )
    return found


def require_checkpoint(run_dir: Path, file: Path) -> None:
    """Refuse a run that lacks the checkpoint.

    Raises:
        FileNotFoundError: it is missing.
    """
    if not file.is_file():
        raise FileNotFoundError(
            f"{file} is missing; expected a checkpoint. Train first (python train.py run_dir={run_dir}), or "
            "choose another with --checkpoint best|last"
        )
