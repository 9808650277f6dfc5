"""What G2DR knows of each object: points, boxes, region centres, symmetries, as tables by object id."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from rhobin.assets import Assets
from rhobin.geometry.mesh import sample_surface
from rhobin.objects.nocs import nocs_box
from rhobin.objects.regions import farthest_points
from rhobin.objects.symmetry import SymmetryGroup
from rhobin.objects.template import Template

LISTED, AXIS, SPHERE = 0, 1, 2
"""Kinds of symmetry: a list of motions, every turn about an axis, every rotation."""


class Shapes(nn.Module):
    """Tables by object id; buffers that follow the device and are not in checkpoints.

    Attributes:
        box: (O, 2, 3) centre and extent that normalise coordinates, metres.
        points: (O, N, 3) points on the surface.
        size: (O,) longest side of the bounding box, metres.
        spread: (O, 3, 3) mean of y y^T over those points, from the centre of symmetry.
        regions: (O, R, 3) centres of the surface regions.
        kind: (O,) `LISTED`, `AXIS` or `SPHERE`.
        turns: (O, S, 3, 3) rotations of the list, or the flips beside a free axis; repeated to one length.
        shifts: (O, S, 3) translations of the list.
        axis: (O, 3) the free axis.
        centre: (O, 3) fixed point of free turns.
    """

    box: Tensor
    points: Tensor
    size: Tensor
    spread: Tensor
    regions: Tensor
    kind: Tensor
    turns: Tensor
    shifts: Tensor
    axis: Tensor
    centre: Tensor

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
        rows = {i: _Row.of(t, nocs, regions, points, symmetry) for i, t in assets.templates.items()}
        longest = max(len(row.turns) for row in rows.values())
        padded = {i: row.repeated(longest) for i, row in rows.items()}
        some = next(iter(padded.values()))
        for place, name in enumerate(_Row._fields):
            table = np.stack([padded.get(i, some)[place] for i in range(len(assets.names))])
            dtype = torch.long if name == "kind" else torch.float32
            self.register_buffer(name, torch.as_tensor(table, dtype=dtype), persistent=False)


class _Row(NamedTuple):
    """One template's entries; see `Shapes`."""

    box: np.ndarray
    points: np.ndarray
    size: np.ndarray
    spread: np.ndarray
    regions: np.ndarray
    kind: np.ndarray
    turns: np.ndarray
    shifts: np.ndarray
    axis: np.ndarray
    centre: np.ndarray

    @classmethod
    def of(cls, template: Template, nocs: str, regions: int, points: int, symmetry: bool) -> _Row:
        verts = template.verts
        sampled = sample_surface(verts, template.faces, points, np.random.default_rng(0))
        about = sampled - template.centre
        kind, turns, shifts = _motions(template) if symmetry else (LISTED, np.eye(3)[None], np.zeros((1, 3)))
        return cls(
            box=nocs_box(verts, nocs),
            points=sampled,
            size=np.array(np.ptp(verts, axis=0).max()),
            spread=about.T @ about / points,
            regions=verts[farthest_points(verts, regions)],
            kind=np.array(kind),
            turns=turns,
            shifts=shifts,
            axis=np.asarray(template.group.axis),
            centre=template.centre,
        )

    def repeated(self, length: int) -> _Row:
        """With the first motion repeated up to a common length: a further identity changes no choice."""
        more = length - len(self.turns)
        turns = np.concatenate([self.turns, np.repeat(self.turns[:1], more, axis=0)])
        return self._replace(
            turns=turns, shifts=np.concatenate([self.shifts, np.repeat(self.shifts[:1], more, axis=0)])
        )


def _motions(template: Template) -> tuple[int, np.ndarray, np.ndarray]:
    """Kind of symmetry, rotations (S, 3, 3) and translations (S, 3)."""
    group = template.group
    if group.sphere:
        return SPHERE, np.eye(3)[None], np.zeros((1, 3))
    if group.order == 0:
        flips = SymmetryGroup(1, group.axis, group.flip).rotations()
        return AXIS, flips, np.zeros((len(flips), 3))
    return LISTED, template.symmetries, template.symmetry_offsets
