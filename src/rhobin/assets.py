"""The bodies and object templates of a data set: built once, handed to whoever poses or scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from rhobin.body.bodyset import BodySet
from rhobin.objects.names import names_by_id
from rhobin.objects.template import Template


@dataclass(frozen=True)
class Assets:
    """Body models and object templates.

    Attributes:
        bodies: body models by gender.
        names: object names by id: BEHAVE's twenty, however many of them have a template, or the
            templates' own (`rhobin.objects.names.names_by_id`).
        templates: templates by object id; no entry for an object that the data set lacks.
    """

    bodies: BodySet
    names: tuple[str, ...]
    templates: Mapping[int, Template]

    @classmethod
    def of(cls, bodies: BodySet, templates: Mapping[str, Template]) -> Assets:
        """Assets of body models and of templates by name."""
        names = names_by_id(templates)
        return cls(bodies, names, {names.index(name): template for name, template in templates.items()})

    def keypoints(self) -> Tensor:
        """(O, 8, 3) float32 keypoints by object id, metres, template frame; NaN for an absent template."""
        kpts = torch.full((len(self.names), 8, 3), torch.nan)
        for object_id, template in self.templates.items():
            kpts[object_id] = torch.as_tensor(template.kpts, dtype=torch.float32)
        return kpts
