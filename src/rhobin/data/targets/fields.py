"""Points about a person and an object with their distances to both: targets of distance fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from scipy.spatial import cKDTree

from rhobin.assets import Assets
from rhobin.body.surface_points import SurfacePoints, spread
from rhobin.geometry.backend import LEAF
from rhobin.objects.template import Template
from rhobin.types import Fields

DISC = 0.5  # of the spacing: how far a sampled point stands for the surface about it


@dataclass(frozen=True)
class FieldConfig:
    """Where points are drawn: the keys of `data.targets.fields`.

    Attributes:
        points: of each sample, half about the person and half about the object.
        sigmas: metres by which points of a surface are moved, one deviation for each share.
        shares: of the points, by sigma; they sum to 1.
        even: share of the points, in place of others, that is spread evenly over a box.
        box: half the side of that box, which is centred at the pelvis, metres.
        surface: points that stand for each surface.
    """

    points: int = 2000
    sigmas: tuple[float, ...] = (0.08, 0.02, 0.003)
    shares: tuple[float, ...] = (0.01, 0.49, 0.5)
    even: float = 0.01
    box: float = 1.5
    surface: int = 4000

    def __post_init__(self):
        where = "data.targets.fields"
        object.__setattr__(self, "sigmas", tuple(self.sigmas))
        object.__setattr__(self, "shares", tuple(self.shares))
        if len(self.sigmas) != len(self.shares) or abs(sum(self.shares) - 1) > 1e-6:
            raise ValueError(
                f"{where}.shares is {list(self.shares)} for sigmas of {list(self.sigmas)}; expected one "
                "share for each, which sum to 1"
            )
        if self.points < 2 or self.surface < 16 or not 0 <= self.even <= 1:
            raise ValueError(
                f"{where}: expected points of 2 or more, surface of 16 or more and even in 0 to 1, found "
                f"{self.points}, {self.surface} and {self.even}"
            )


@dataclass(frozen=True)
class Surface:
    """A surface as points with a search tree.

    Attributes:
        points: (M, 3) metres.
        normals: (M, 3) unit vectors.
        radius: of the flat disc about each point that is taken for surface, metres.
        tree: of the points.
    """

    points: np.ndarray
    normals: np.ndarray
    radius: float
    tree: cKDTree

    @classmethod
    def of(cls, points: np.ndarray, normals: np.ndarray, spacing: float) -> Surface:
        """A surface of points that are about `spacing` metres apart."""
        tree = cKDTree(points, leafsize=LEAF, balanced_tree=False, compact_nodes=False)
        return cls(points, normals, DISC * spacing, tree)

    def nearest(self, queries: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Distance (N,) of points (N, 3) to the disc about the nearest point, and that point's index (N,)."""
        distance, index = self.tree.query(queries)
        across = np.abs(np.einsum("nc,nc->n", queries - self.points[index], self.normals[index]))
        along = np.sqrt(np.maximum(distance**2 - across**2, 0))
        return np.hypot(across, np.maximum(along - self.radius, 0)), index


class FieldSampler:
    """Draws points about the person and the object of a sample, and measures them.

    Args:
        assets: body models, of which it keeps points of its own on the CPU, and templates.
        config: where points are drawn.
    """

    def __init__(self, assets: Assets, config: FieldConfig) -> None:
        self.config = config
        self.body = SurfacePoints(assets.bodies, config.surface)
        self.part = self.body.part.numpy()
        self.objects = {i: template_surface(t, config.surface) for i, t in assets.templates.items()}

    @torch.no_grad()
    def __call__(
        self, gender: int, object_id: int, values: Mapping[str, np.ndarray], rng: np.random.Generator
    ) -> Fields:
        """Fields of one sample.

        Args:
            gender: index into `GENDERS`.
            object_id: which object.
            values: camera frame, metres: `theta`, `beta`, `trans` and `joints` of the person, `R` and `t` of
                the object.
            rng: source of randomness.
        """
        pose = (torch.from_numpy(np.asarray(values[n], np.float32))[None] for n in ("theta", "beta", "trans"))
        posed = self.body(*pose, torch.tensor([gender]))
        person = Surface.of(posed.points[0].numpy(), posed.normals[0].numpy(), self.body.spacing)
        thing, R, t = self.objects[object_id], values["R"], values["t"]
        points = self._draw(person.points, thing.points @ R.T + t, values["joints"][0], rng)
        to_person, index = person.nearest(points)
        to_object, _ = thing.nearest((points - t) @ R)
        distance = np.stack([to_person, to_object], axis=1)
        return Fields(
            torch.from_numpy(points.astype(np.float32)),
            torch.from_numpy(distance.astype(np.float32)),
            torch.from_numpy(self.part[index]),
        )

    def _draw(
        self, person: np.ndarray, thing: np.ndarray, pelvis: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        """Points (N, 3): of both surfaces, moved at random, and some anywhere about the pelvis."""
        count = self.config.points
        near = [
            surface[rng.integers(len(surface), size=size)]
            for surface, size in ((person, count - count // 2), (thing, count // 2))
        ]
        sigma = rng.choice(self.config.sigmas, size=(count, 1), p=self.config.shares)
        points = np.concatenate(near) + sigma * rng.standard_normal((count, 3))
        even = rng.random(count) < self.config.even
        points[even] = pelvis + rng.uniform(-self.config.box, self.config.box, (int(even.sum()), 3))
        return points


def template_surface(template: Template, count: int) -> Surface:
    """The surface of an object's template, in its frame."""
    rng = np.random.default_rng(0)
    corners, shares, area = spread(template.verts, template.faces, count, rng)
    points = np.einsum("mk,mkc->mc", shares, template.verts[corners])
    a, b, c = (template.verts[corners[:, k]] for k in range(3))
    across = np.cross(b - a, c - a)
    normals = across / np.linalg.norm(across, axis=1, keepdims=True).clip(min=1e-12)
    return Surface.of(points, normals, float(np.sqrt(area / count)))
