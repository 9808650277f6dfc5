"""The symmetry of each object that suits a prediction best: listed motions, free turns, every rotation.

A pose (R, t) looks like (R S, R s + t) for every symmetry S, s of the object, a motion x -> S x + s that
keeps its shape.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from rhobin.geometry.precision import full_precision
from rhobin.geometry.rotation import project_to_so3, rotvec_to_rotmat, skew
from rhobin.objects.symmetry import SymmetryGroup
from rhobin.objects.template import Template

LISTED, AXIS, SPHERE = 0, 1, 2
"""Kinds of symmetry: a list of motions, every turn about an axis, every rotation."""

_NONE = (LISTED, np.eye(3)[None], np.zeros((1, 3)))


class Symmetries(nn.Module):
    """Tables by object id; buffers that follow the device and are not in checkpoints.

    Attributes:
        kind: (O,) `LISTED`, `AXIS` or `SPHERE`.
        turns: (O, S, 3, 3) rotations of the list, or the flips beside a free axis; repeated to one length.
        shifts: (O, S, 3) translations of the list, metres.
        axis: (O, 3) the free axis.
        centre: (O, 3) fixed point of free turns, metres.
    """

    kind: Tensor
    turns: Tensor
    shifts: Tensor
    axis: Tensor
    centre: Tensor

    def __init__(self, templates: Mapping[int, Template], objects: int, used: bool = True) -> None:
        """Make the tables.

        Args:
            templates: by object id; ids without one have the entries of another.
            objects: number of ids.
            used: whether symmetries count; otherwise every object has the identity alone.
        """
        super().__init__()
        rows = {i: _motions(t) if used else _NONE for i, t in templates.items()}
        longest = max(len(turns) for _, turns, _ in rows.values())
        some = next(iter(templates))
        ids = [i if i in templates else some for i in range(objects)]
        tables = {
            "turns": [_repeated(rows[i][1], longest) for i in ids],
            "shifts": [_repeated(rows[i][2], longest) for i in ids],
            "axis": [np.asarray(templates[i].group.axis) for i in ids],
            "centre": [templates[i].centre for i in ids],
        }
        self.register_buffer("kind", torch.tensor([rows[i][0] for i in ids]), persistent=False)
        for name, table in tables.items():
            self.register_buffer(
                name, torch.as_tensor(np.stack(table), dtype=torch.float32), persistent=False
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


def _repeated(motions: np.ndarray, length: int) -> np.ndarray:
    """With the first one repeated up to a common length: a further identity changes no choice."""
    return np.concatenate([motions, np.repeat(motions[:1], length - len(motions), axis=0)])


@full_precision
def choose(
    M: Float[Tensor, "B 3 3"], object_id: Int[Tensor, " B"], symmetries: Symmetries
) -> tuple[Float[Tensor, "B 3 3"], Float[Tensor, "B 3"]]:
    """The symmetry S, s of each object with the largest <S, M>; free turns and rotations in closed form.

    With M the sum of y x^T over points x of the object and where a prediction puts them, y, both from the
    centre of symmetry, it is the one that brings S x nearest to y in the sum of squares.

    Args:
        M: (B, 3, 3) what the rotation should agree with.
        object_id: (B,) the objects.
        symmetries: of all objects.

    Returns:
        Rotation (B, 3, 3) and translation (B, 3) in metres of the chosen symmetry.
    """
    M = torch.nan_to_num(M, 0.0, 0.0, 0.0)  # any choice will do for a prediction whose loss is no number
    turns, axis, kind = (table[object_id] for table in (symmetries.turns, symmetries.axis, symmetries.kind))
    free = turn_about(axis[:, None], M[:, None] @ turns.mT)
    turns = torch.where((kind == AXIS)[:, None, None, None], free @ turns, turns)
    best = (turns * M[:, None]).sum((-2, -1)).argmax(dim=1)
    row = torch.arange(len(M), device=M.device)
    S, s = turns[row, best], symmetries.shifts[object_id][row, best]
    S = torch.where((kind == SPHERE)[:, None, None], project_to_so3(M), S)
    centre = symmetries.centre[object_id]
    about = centre - (S @ centre[..., None])[..., 0]
    return S, torch.where((kind == AXIS)[:, None] | (kind == SPHERE)[:, None], about, s)


def turn_about(axis: Float[Tensor, "*B 3"], M: Float[Tensor, "*B 3 3"]) -> Float[Tensor, "*B 3 3"]:
    """The rotation T about a unit axis with the largest <T, M>.

    T = a a' + cos (I - a a') + sin [a]x, so the product is constant + cos (tr M - a'Ma) + sin <[a]x, M>.
    """
    along = (axis[..., None, :] @ M @ axis[..., None])[..., 0, 0]
    cosine = M.diagonal(dim1=-2, dim2=-1).sum(-1) - along
    sine = (skew(axis) * M).sum((-2, -1))
    return rotvec_to_rotmat(torch.atan2(sine, cosine)[..., None] * axis)
