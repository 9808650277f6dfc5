"""Mask R-CNN of torchvision, with torchvision's own weights or those of a file."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import nn

from rhobin.data.photos.chosen import MIN_SCORE
from rhobin.data.photos.photo import PhotoError

PATIENCE = 10.0  # seconds without a byte
_ANOTHER = "Give torchvision's file of maskrcnn_resnet50_fpn_v2 with --mask-weights FILE"


def mask_network(weights: Path | None = None, device: str | torch.device = "cpu") -> nn.Module:
    """Mask R-CNN (ResNet-50, version 2) for COCO's classes, ready to find instances.

    Args:
        weights: a state dict in torchvision's names; torchvision's own are downloaded, once, without it.
        device: where it runs.

    Raises:
        PhotoError: the file cannot be used, or the weights cannot be downloaded.
    """
    from torchvision.models.detection import maskrcnn_resnet50_fpn_v2

    state = _downloaded() if weights is None else _of_file(weights)
    with torch.device("meta"):  # names and shapes alone, in no time
        known = maskrcnn_resnet50_fpn_v2(weights=None, weights_backbone=None).state_dict()
    shapes = {name: getattr(value, "shape", None) for name, value in state.items()}
    wrong = {
        str(name)
        for name in known.keys() | shapes
        if shapes.get(name) != getattr(known.get(name), "shape", 0)
    }
    if wrong:
        raise PhotoError(
            f"{weights or _place()}: weights of another network: {len(wrong)} are missing, unknown or of "
            f"another shape, first {min(wrong)}; expected the {len(known)} of Mask R-CNN. {_ANOTHER}"
        )
    network = maskrcnn_resnet50_fpn_v2(weights=None, weights_backbone=None, box_score_thresh=MIN_SCORE)
    network.load_state_dict(state)
    return network.eval().requires_grad_(False).to(device)


def class_names() -> tuple[str, ...]:
    """Names of the network's classes by their number."""
    return tuple(_published().meta["categories"])


def _of_file(file: Path) -> Mapping[str, Any]:
    if not file.is_file():
        found = "a folder" if file.is_dir() else "no such file"
        raise PhotoError(f"{file}: {found}, set by --mask-weights; expected a state dict. Check the path")
    try:
        state = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # a broken file can raise nearly anything
        raise PhotoError(f"{file}: found {_reason(error)}; expected a state dict. {_ANOTHER}") from error
    if not isinstance(state, Mapping):
        raise PhotoError(f"{file}: found a {type(state).__name__}; expected a state dict. {_ANOTHER}")
    return state


def _downloaded() -> Mapping[str, Any]:
    """Torchvision's own weights: what it has kept, or else its download."""
    place, kept = _place(), _place().is_file()
    try:
        with _impatient():
            return _published().get_state_dict(progress=True, check_hash=True, weights_only=True)
    except Exception as error:  # so can a broken one that was kept
        trouble = "cannot be read" if kept else "cannot be downloaded"
        remedy = "Remove that file" if kept else "Download it elsewhere and put it there"
        raise PhotoError(
            f"--masks auto: the weights of Mask R-CNN {trouble} ({_reason(error)}): expected "
            f"{_published().url} in {place}, where torchvision keeps it. {remedy}, or give it with "
            "--mask-weights FILE"
        ) from error


def _published() -> Any:
    from torchvision.models.detection import MaskRCNN_ResNet50_FPN_V2_Weights

    return MaskRCNN_ResNet50_FPN_V2_Weights.DEFAULT


def _place() -> Path:
    """Where torchvision keeps its weights."""
    return Path(torch.hub.get_dir()) / "checkpoints" / Path(_published().url).name


def _reason(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__


@contextmanager
def _impatient() -> Iterator[None]:
    """Where packets are dropped without an answer, a download fails after a while instead of waiting."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(PATIENCE)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
