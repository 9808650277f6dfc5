"""What G2DR knows of each object: points, boxes, region centres, symmetries, as tables by object id."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from rhobin.assets import Assets
from rhobin.geometry.mesh import sample_surface
from rhobin.methods.symmetry import Symmetries
from rhobin.objects.nocs import nocs_box
from rhobin.objects.regions import farthest_points
from rhobin.objects.template import Template


class Shapes(nn.Module):
    """Tables by object id; buffers that follow the device and are not in checkpoints.

    Attributes:
        box: (O, 2, 3) centre and extent that normalise coordinates, metres.
        points: (O, N, 3) points on the surface.
        size: (O,) longest side of the bounding box, metres.
        spread: (O, 3, 3) mean of y y^T over those points, from the centre of symmetry.
        regions: (O, R, 3) centres of the surface regions.
        symmetries: motions that keep each shape.
    """

    box: Tensor
    points: Tensor
    size: Tensor
    spread: Tensor
    regions: Tensor

    def __init__(self, assets: Assets, nocs: str, regions: int, points: int, symmetry: bool = True) -> None:
        """Make the tables.

        Args:
            assets: object templates; ids without one have empty rows that no sample asks for.
            nocs: "box" or "cube", see `nocs_box`.
            regions: surface regions of a template.
            points: surface points of a template.
            symmetry: whether symmetries count; otherwise every object has the identity alone.
        """
        super().__init__()
        self.symmetries = Symmetries(assets.templates, len(assets.names), symmetry)
        rows = {i: _Row.of(t, nocs, regions, points) for i, t in assets.templates.items()}
        some = next(iter(rows.values()))
        for place, name in enumerate(_Row._fields):
            table = np.stack([rows.get(i, some)[place] for i in range(len(assets.names))])
            self.register_buffer(name, torch.as_tensor(table, dtype=torch.float32), persistent=False)


class _Row(NamedTuple):
    """One template's entries; see `Shapes`."""

    box: np.ndarray
    points: np.ndarray
    size: np.ndarray
    spread: np.ndarray
    regions: np.ndarray

    @classmethod
    def of(cls, template: Template, nocs: str, regions: int, points: int) -> _Row:
        verts = template.verts
        sampled = sample_surface(verts, template.faces, points, np.random.default_rng(0))
        about = sampled - template.centre
        return cls(
            box=nocs_box(verts, nocs),
            points=sampled,
            size=np.array(np.ptp(verts, axis=0).max()),
            spread=about.T @ about / points,
            regions=verts[farthest_points(verts, regions)],
        )
