"""Weights of backbones from files."""

from pathlib import Path

import torch
from torch import nn


def load_weights(net: nn.Module, path: Path) -> None:
    """Load a timm state dict into a headless network.

    Raises:
        FileNotFoundError: no such file.
        ValueError: the file misses weights that the network needs.
    """
    if not path.is_file():
        raise FileNotFoundError(
            f"backbone weights not found: {path} (set by model.net.backbone.weights; use null for random "
            "weights or imagenet for timm's download)"
        )
    state = torch.load(path, map_location="cpu", weights_only=True)
    missing = net.load_state_dict(state.get("state_dict", state), strict=False).missing_keys
    if missing:
        raise ValueError(f"{path} lacks {len(missing)} of the backbone's weights, first {missing[0]}")
