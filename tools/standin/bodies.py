"""T-posed bodies of many people: the data the shape space is made from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .skeleton import joints_from_heads
from .source import Source
from .tpose import Tips, bone_transforms, skin

PELVIS = np.array([0.0, -0.23, 0.03])  # mean pelvis, off the origin as in SMPL, metres
BATCH = 25


@dataclass(frozen=True)
class Bodies:
    """N T-posed people.

    Attributes:
        rest: (N, V, 3) Anny rest vertices.
        rotation, translation: (N, B, 3, 3) and (N, B, 3) of the bones, rest to T-pose.
        verts: (N, V, 3) T-posed vertices; joints: (N, 52, 3) T-posed joints.
    """

    rest: np.ndarray
    rotation: np.ndarray
    translation: np.ndarray
    verts: np.ndarray
    joints: np.ndarray

    def __getitem__(self, pick: slice | np.ndarray) -> Bodies:
        return Bodies(*(getattr(self, name)[pick] for name in self.__dataclass_fields__))


def make_bodies(source: Source, tips: Tips, phenotypes: dict[str, np.ndarray]) -> Bodies:
    """T-pose every person, vertex centroids aligned and the mean pelvis at `PELVIS`."""
    rest, heads = source.bodies(phenotypes)
    rotation, translation, posed = bone_transforms(rest, heads, source.labels, source.parents, tips)
    parts = [slice(i, i + BATCH) for i in range(0, len(rest), BATCH)]
    verts = np.concatenate([skin(rest[p], source.weights, rotation[p], translation[p]) for p in parts])
    joints = joints_from_heads(posed, source.labels)
    shift = -verts.mean(1, keepdims=True)
    shift += PELVIS - (joints[:, 0] + shift[:, 0]).mean(0)
    shift[..., 0] = 0.0
    return Bodies(rest, rotation, translation + shift, verts + shift, joints + shift)
