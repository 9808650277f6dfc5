"""What configs can compute: `${channels:${model.reads.planes}}`."""

from __future__ import annotations

from collections.abc import Sequence

from omegaconf import OmegaConf


def channels(planes: Sequence[str]) -> int:
    """Channels of an image with these planes: three of the colour, one of each mask."""
    return 2 + len(planes)


def register_resolvers() -> None:
    """Make the functions known to every config; again is the same as once."""
    OmegaConf.register_new_resolver("channels", channels, replace=True)
