"""The shape space: principal components of T-posed bodies, ten coefficients of unit variance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .source import MIRROR

COMPONENTS = 10


@dataclass(frozen=True)
class ShapeSpace:
    """Symmetric linear shape model.

    Attributes:
        template: (V, 3) mean body; directions: (10, V, 3) offsets of one standard deviation.
        explained: share of the sample variance the ten directions carry.
    """

    template: np.ndarray
    directions: np.ndarray
    explained: float

    def coefficients(self, verts: np.ndarray) -> np.ndarray:
        """(N, 10) least-squares betas of T-posed bodies (N, V, 3)."""
        basis = self.directions.reshape(COMPONENTS, -1)
        offsets = (verts - self.template).reshape(len(verts), -1)
        return np.linalg.solve(basis @ basis.T, basis @ offsets.T).T

    def bodies(self, betas: np.ndarray) -> np.ndarray:
        """(N, V, 3) T-posed bodies of betas (N, 10)."""
        return self.template + np.tensordot(betas, self.directions, 1)


def fit_shape_space(verts: np.ndarray, mirror: np.ndarray) -> ShapeSpace:
    """Principal components of (N, V, 3) symmetric bodies; the sign of each makes +beta taller."""
    template = verts.mean(0)
    offsets = (verts - template).reshape(len(verts), -1)
    values, vectors = np.linalg.eigh(offsets @ offsets.T)
    top = np.argsort(values)[::-1][:COMPONENTS]
    directions = (vectors[:, top].T @ offsets).reshape(COMPONENTS, -1, 3) / np.sqrt(len(verts) - 1)
    template = 0.5 * (template + template[mirror] * MIRROR)
    directions = 0.5 * (directions + directions[:, mirror] * MIRROR)
    head, sole = template[:, 1].argmax(), template[:, 1].argmin()
    taller = directions[:, head, 1] - directions[:, sole, 1]
    directions *= np.where(taller < 0, -1.0, 1.0)[:, None, None]
    return ShapeSpace(template, directions, float(values[top].sum() / values.sum()))
