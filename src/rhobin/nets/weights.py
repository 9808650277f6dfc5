"""Networks of timm with the weights that they start from: random, timm's download, or those of a file."""

import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies

import timm
import torch
from torch import nn

PATIENCE = 5.0  # seconds
HUB = "https://huggingface.co"


def create_network(variant: str, weights: str | Path | None, **kinds: Any) -> Any:
    """A network of timm.

    Args:
        variant: timm name.
        weights: None for random, `imagenet` for timm's download, or the path of a state dict in timm's names.
        kinds: what else `timm.create_model` takes.

    Raises:
        FileNotFoundError: no such file.
        ValueError: the file misses weights that the network needs, or timm cannot download them.
    """
    if weights != "imagenet":
        net = timm.create_model(variant, pretrained=False, **kinds)
        if weights is not None:
            load_weights(net, Path(weights))
        return net
    try:
        with _no_retries_offline():
            return timm.create_model(variant, pretrained=True, **kinds)
    except Exception as error:
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise ValueError(
            f"timm cannot load the ImageNet weights of {variant} ({reason}), set by "
            "model.net.backbone.weights=imagenet. Where there is no network: model.net.backbone.weights=PATH "
            "of a timm state dict that was downloaded elsewhere, or null for random weights"
        ) from error


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


@contextmanager
def _no_retries_offline() -> Iterator[None]:
    """Without a network, have the hub's library look only at what it has kept, instead of retrying."""
    settings: Any = sys.modules.get("huggingface_hub.constants")
    if settings is None or _reachable(os.environ.get("HF_ENDPOINT") or HUB):
        yield
        return
    before, settings.HF_HUB_OFFLINE = settings.HF_HUB_OFFLINE, True
    try:
        yield
    finally:
        settings.HF_HUB_OFFLINE = before


def _reachable(address: str) -> bool:
    """Whether a server takes connections; behind a proxy that is for the proxy to say."""
    if getproxies():
        return True
    place = urlsplit(address)
    try:
        socket.create_connection((place.hostname, place.port or 443), PATIENCE).close()
    except OSError:
        return False
    return True


def kept_weights(variant: str) -> Path | None:
    """Where timm's ImageNet weights of a network lie on this machine; None where they are not here."""
    known = timm.get_pretrained_cfg(variant)
    settings: Any = sys.modules.get("huggingface_hub.constants")
    if known is None or settings is None or not known.hf_hub_id:
        return None
    folder = Path(settings.HF_HUB_CACHE, "models--" + known.hf_hub_id.replace("/", "--"), "snapshots")
    return next((path for ending in ("safetensors", "bin") for path in folder.glob(f"*/*.{ending}")), None)
