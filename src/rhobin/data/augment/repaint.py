"""All pixels that augmentation replaces in a sample: background, occluders, colours, in this order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rhobin.data.augment.background import Backgrounds, replace_background
from rhobin.data.augment.colour import ColourJitter, g2dr_colours
from rhobin.data.augment.donors import Donors
from rhobin.data.augment.draw import AugmentConfig, stream
from rhobin.data.augment.occlude import Occluders
from rhobin.objects.template import Template


@dataclass
class Painted:
    """A sample's pixels.

    Attributes:
        color: (S, S, 3) BGR uint8.
        person: (S, S) uint8 mask of 0 or 255.
        obj: (S, S) uint8 mask of the object.
        notes: what was done, in words.
        levels: (256, 3) uint8, what each level of the channels is still to become; None for the same.
    """

    color: np.ndarray
    person: np.ndarray
    obj: np.ndarray
    notes: list[str]
    levels: np.ndarray | None = None


class Repainter:
    """Replaces pixels as `data.augment` says; targets never change, masks only under occluders."""

    def __init__(self, config: AugmentConfig, seed: int, donors: Donors, templates: Mapping[int, Template]):
        self.config, self.seed = config, seed
        self.jitter = ColourJitter(config.colour) if config.colour else None
        self.backgrounds = Backgrounds(config.background_from, donors)
        self.occluders = Occluders(
            config.occluder, config.min_visible, donors, list(templates.values()), self.backgrounds
        )

    def __call__(
        self, epoch: int, index: int, jitter_seed: int | None, painted: Painted, zoom: float
    ) -> Painted:
        """Repaint one sample.

        Args:
            epoch: of training.
            index: the sample's view.
            jitter_seed: of the channel jitter; None for none.
            painted: its pixels, which are not changed.
            zoom: pixels of the sample per pixel of a full frame 640 wide.

        Returns:
            The new pixels; the same arguments give the same bits in every process.
        """
        config, at = self.config, (self.seed, epoch, index)
        color, person, obj, notes = painted.color, painted.person, painted.obj, [*painted.notes]
        behind = None
        if config.background_p and (rng := stream("background", *at)).random() < config.background_p:
            found = self.backgrounds.draw(rng, index, len(color))
            if found is not None:
                behind = found[0]
                color = replace_background(color, person, obj, behind)
                notes.append(f"background {found[1]}")
        if config.occluder.p and (rng := stream("occluder", *at)).random() < config.occluder.p:
            color, masks, said = self.occluders.apply(rng, index, color, np.stack([person, obj]), behind)
            person, obj = masks
            notes += said
        if config.colour_set == "g2dr" and (rng := stream("colour", *at)).random() < config.colour_p:
            color, said = g2dr_colours(color, rng, zoom)
            notes += said
        levels = None
        if self.jitter and jitter_seed is not None:
            levels = self.jitter.table(jitter_seed)
            notes.append("channel jitter")
        return Painted(color, person, obj, notes, levels)
