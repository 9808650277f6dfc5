"""What a training needs and this machine lacks, each with the next command."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig, OmegaConf

from rhobin.behave.detect import layouts_of
from rhobin.behave.layout import REGISTER_URL
from rhobin.behave.own_body import choose_body
from rhobin.body.load import search
from rhobin.data.augment.background import SOURCES
from rhobin.data.prepare.prepared import is_prepared
from rhobin.engine.planning.length import made_by
from rhobin.nets.weights import kept_weights

BODIES = "https://mano.is.tue.mpg.de"


@dataclass(frozen=True)
class Missing:
    """Something that is not here.

    Attributes:
        what: it is.
        found: in its place.
        next: command that helps.
    """

    what: str
    found: str
    next: str


def missing(config: DictConfig) -> list[Missing]:
    """What a stage lacks here."""
    parts = (
        _data(config),
        _background(config),
        _body(config),
        _gpu(config),
        _weights(config),
        _start(config),
    )
    return [part for part in parts if part]


def _there(root: Path) -> bool:
    return is_prepared(root) or bool(layouts_of(root))


def _data(config: DictConfig) -> Missing | None:
    root = str(config.data.root)
    return None if _there(Path(root)) else Missing("data", f"nothing to train on in {root}", how_to_get(root))


def _background(config: DictConfig) -> Missing | None:
    augment = config.data.augment
    place = "" if augment is None else str(augment.background_from)
    if augment is None or not augment.background_p or place in SOURCES or Path(place).is_dir():
        return None
    return Missing("backgrounds", f"no folder {place} (data.augment.background_from)", how_to_get(place))


def _body(config: DictConfig) -> Missing | None:
    root, asked, ask = config.data.root, config.data.body, "data.body=data/body"
    if made_by(str(root)):
        return None
    try:
        folder = choose_body(Path(root), asked)
    except (OSError, ValueError) as error:
        return Missing("body", str(error), f"register at {BODIES}, then: {ask}")
    if folder is None and asked is None and not Path(root).exists():
        return Missing("body", "BEHAVE's people need SMPL-H files", f"register at {BODIES}, then: {ask}")
    if folder and not search("male", folder) and not search("female", folder):
        return Missing("body", f"no SMPL-H file in {folder}", f"register at {BODIES}, then: rhobin doctor")
    return None


def _gpu(config: DictConfig) -> Missing | None:
    if config.trainer.accelerator == "cpu" or torch.cuda.is_available():
        return None
    return Missing("CUDA GPU", f"torch {torch.__version__} finds none", "rhobin doctor")


def _weights(config: DictConfig) -> Missing | None:
    backbone: Any = OmegaConf.select(config, "model.net.backbone") or {}
    weights = backbone.get("weights")
    if weights is None:
        return None
    if weights != "imagenet":
        found = f"no file {weights} (model.net.backbone.weights)"
        there, ask = Path(weights).is_file(), "model.net.backbone.weights=PATH of a timm state dict"
        return None if there else Missing("weights", found, ask)
    if kept_weights(backbone.variant):
        return None
    load = f"python -c \"import timm; timm.create_model('{backbone.variant}', pretrained=True)\""
    return Missing("weights", f"ImageNet weights of {backbone.variant} were not downloaded yet", load)


def _start(config: DictConfig) -> Missing | None:
    start = config.init_from
    if start in (None, "best", "last") or Path(start).is_file():
        return None
    return Missing("start", f"no checkpoint {start} (init_from)", "init_from=PATH of a checkpoint")


def how_to_get(root: str) -> str:
    """How to make or get a data root."""
    return made_by(root) or f"register at {REGISTER_URL}, unpack it in {root} as data/README.md shows"
