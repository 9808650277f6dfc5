"""A scene whose fields are known: distances to points of its own surfaces, in the scaled space."""

import copy

import torch
import torch.nn.functional as F

from rhobin.body.load import load_bodies
from rhobin.body.surface_points import PARTS, SurfacePoints
from rhobin.geometry.rotation import rotvec_to_rotmat
from rhobin.methods.chore.fit import Placed
from rhobin.methods.chore.space import Space
from rhobin.methods.chore.start import Body

WIDTH, SIZE = 2.6945, 64
BOX = torch.tensor([0.5, 0.3, 0.2])


def surfaces(points=150, dense=1500):
    """Few points of the bodies, as are fitted, and many, as fields are measured from."""
    bodies = load_bodies()
    return SurfacePoints(bodies, points), SurfacePoints(bodies, dense)


def box_points(count, seed=0):
    """Points (count, 3) of a box's surface, in its frame."""
    rng = torch.Generator().manual_seed(seed)
    points = torch.rand(count, 3, generator=rng) - 0.5
    axis = torch.randint(3, (count,), generator=rng)
    sides = points[torch.arange(count), axis].sign() / 2
    points[torch.arange(count), axis] = sides
    return points * BOX


class TrueScene:
    """Bodies 2 m and 3 m away, each with a box before it, and what true fields say."""

    def __init__(self, dense, count=2, bend=0.15):
        rng = torch.Generator().manual_seed(1)
        turn = torch.randn(count, 52, 3, generator=rng) * bend
        turn[:, 22:] = 0
        turn[:, 0] = torch.tensor([3.0, 0.3, 0.1])
        self.gender = torch.zeros(count, dtype=torch.long)
        self.body = Body(
            rotvec_to_rotmat(turn),
            torch.zeros(count, 10),
            torch.tensor([0.1, 0.2, 2.0]) + torch.arange(count)[:, None] * torch.tensor([0.0, 0.0, 1.0]),
        )
        K = torch.tensor([[40.0, 0, 31.5], [0, 40.0, 31.5], [0, 0, 1]]).repeat(count, 1, 1)
        self.space, self.calls = Space(K, SIZE, WIDTH), 0
        posed = dense(*self.body, self.gender)
        self.pelvis, self.part = posed.joints[:, 0], dense.part
        self.object = Placed(
            rotvec_to_rotmat(torch.tensor([[0.2, 0.5, 0.1]]).repeat(count, 1)),
            self.pelvis + torch.tensor([0.3, 0.0, -0.3]),
        )
        factor = self.space.factor(self.pelvis[:, 2])[:, None, None]
        thing = box_points(2000) @ self.object.R.mT + self.object.t[:, None]
        self.surfaces = posed.points * factor, thing * factor
        plane = F.pad(self.space.depth[:, None], (2, 0))
        centres = [self.pelvis * factor[:, 0] - plane, (self.object.t - self.pelvis) * factor[:, 0]]
        self.centre = torch.stack(centres, 1)

    def frame(self, row):
        """One frame as a scene of its own."""
        one, rows = copy.copy(self), slice(row, row + 1)
        one.space = self.space._replace(K=self.space.K[rows])
        one.surfaces = tuple(surface[rows] for surface in self.surfaces)
        one.object = Placed(*(value[rows] for value in self.object))
        one.centre, one.gender = self.centre[rows], self.gender[rows]
        return one

    def query(self, points, names):
        """What the heads would say of points."""
        self.calls += 1
        chosen = [torch.cdist(points.detach(), surface).argmin(-1) for surface in self.surfaces]
        nearest = [
            s.gather(1, i[..., None].expand(-1, -1, 3)) for s, i in zip(self.surfaces, chosen, strict=True)
        ]
        count = points.shape[1]
        said = {
            "distance": torch.stack([(points - at).norm(dim=-1) for at in nearest], 1),
            "part": 8 * F.one_hot(self.part[chosen[0]], len(PARTS)).float().mT,
            "axes": self.object.R.mT[..., None].expand(-1, -1, -1, count),
            "centre": self.centre[..., None].expand(-1, -1, -1, count),
        }
        return {name: said[name] for name in names}
