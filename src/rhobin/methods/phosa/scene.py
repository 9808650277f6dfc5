"""Person and object together (PHOSA section 3.3): the objective of one view and its descent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from rhobin.geometry.rot6d import rot6d_to_rotmat, rotmat_to_rot6d
from rhobin.geometry.silhouette import Drawn, RigidMesh, outline_pull, shown_points
from rhobin.methods.phosa.place import pixels_of
from rhobin.methods.phosa.region import Region
from rhobin.methods.phosa.start import Shape

TERMS = ("silhouette", "centroid", "parts", "object_scale", "person_scale", "depth")
TRIES = 300  # assumed (docs/decisions/0175): poses near the start, where a descent meets nothing lower
REACH = (1e-4, 1e-2)  # assumed (docs/decisions/0175): how far these lie, in what `Pose` holds
FAR_APART = 2.0  # paper (released code): metres; depths that differ more are as wrong as this


@dataclass(frozen=True)
class SceneSettings:
    """How person and object are arranged.

    Attributes:
        weights: of each of `TERMS`.
        steps: Adam's steps.
        lr: Adam's rate.
        gap: metres in depth between person and object that still count as touching.
        widen: factor minus one on boxes of the body's parts and of the object, for the two interaction terms.
        depth_size: width in pixels of the images in which depths are compared.
    """

    weights: Mapping[str, float]
    steps: int
    lr: float
    gap: float
    widen: tuple[float, float]
    depth_size: int

    def __post_init__(self) -> None:
        if sorted(self.weights) != sorted(TERMS):
            raise ValueError(f"model.scene.weights names {sorted(self.weights)}; expected {sorted(TERMS)}")


@dataclass
class Pose:
    """What is optimised: the object's rotation in six numbers, its translation, its size and the person's.

    The person is scaled about the camera, so that its image stays.
    """

    rot6d: Tensor
    t: Tensor
    scale: Tensor
    person: Tensor

    @property
    def turn(self) -> Tensor:
        """The object's rotation (3, 3)."""
        return rot6d_to_rotmat(self.rot6d)

    def copy(self) -> Pose:
        """The same values, apart from what is optimised."""
        return Pose(*(value.detach().clone() for value in vars(self).values()))


class Scene:
    """The objective of one view.

    Args:
        shape: of the object.
        verts: (V, 3) of the person, metres, camera frame.
        person: the same mesh, to be drawn where it is.
        parts: vertices of each part of the body that touches the object.
        region: about the object's mask.
        masks: (2, H, W) where the person and the object are seen in the crop.
        K: (3, 3) intrinsics of the crop.
        area: of a pixel of the crop, in pixels of a frame 640 wide.
        pose: where the descent starts; decides who touches whom.
        settings: weights and sizes.
    """

    def __init__(
        self,
        shape: Shape,
        verts: Tensor,
        person: RigidMesh,
        parts: Mapping[str, Tensor],
        region: Region,
        masks: Tensor,
        K: Tensor,
        area: float,
        pose: Pose,
        settings: SceneSettings,
    ) -> None:
        self.shape, self.verts, self.region, self.settings = shape, verts, region, settings
        size, width = settings.depth_size, masks.shape[-1]
        self.K = K
        self.K_depth = resized(K, size / width)
        self.area = area * (width / size) ** 2
        self.masks = functional.interpolate(masks[None].float(), (size, size), mode="nearest-exact")[0] > 0
        drawn = person.draw(torch.eye(3)[None], torch.zeros(1, 3), torch.ones(1), self.K_depth.numpy(), size)
        self.person = drawn.depth[0]
        self.centre = verts.mean(0)
        self.touching = self._touching(parts, pose)
        self.whole = self._whole(parts, pose)

    def __call__(self, pose: Pose) -> tuple[Tensor, Tensor]:
        """The weighted objective of a pose, and a number with the same gradient."""
        values, slopes = self.terms(pose)
        return self._weighed(values), self._weighed(slopes)

    def terms(self, pose: Pose) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Each of `TERMS` without its weight, and numbers with the same gradients."""
        verts = pose.scale * (self.shape.verts @ pose.turn.mT) + pose.t
        plain = {
            "centroid": self._centroid(verts, pose.person),
            "parts": self._parts(verts, pose.person),
            "object_scale": (pose.scale - 1).square(),
            "person_scale": (pose.person - 1).square(),
        }
        outline, slope = self._silhouette(pose)
        depth = self._depth(pose)
        values = {
            name: value.detach() for name, value in {**plain, "silhouette": outline, "depth": depth}.items()
        }
        return values, {**plain, "silhouette": slope, "depth": depth}

    def _weighed(self, terms: Mapping[str, Tensor]) -> Tensor:
        return torch.stack([self.settings.weights[name] * terms[name] for name in TERMS]).sum()

    def _silhouette(self, pose: Pose) -> tuple[Tensor, Tensor]:
        """Share of the region's pixels, but hidden ones, in which silhouette and mask differ."""
        region, drawn = self.region, self._drawn(pose, self.region.K, self.region.size)
        pixels = region.keep.sum().clamp(min=1)
        value = (region.keep * drawn.covered[0] - region.mask).square().sum() / pixels
        flip = region.keep * (1 - 2 * region.mask) / pixels
        pull = outline_pull(drawn.covered, flip[None])
        where = (pull != 0).any(-1) & drawn.covered
        seen = pixels_of(self._points(drawn, where, pose), region.K)
        return value, (pull[where] * seen).sum()

    def _depth(self, pose: Pose) -> Tensor:
        """Ordinal depth: where both are drawn and one is seen, it has to be the nearer one."""
        drawn = self._drawn(pose, self.K_depth, self.settings.depth_size)
        both = drawn.covered[0] & self.person.isfinite()
        if not bool(both.any()):
            return pose.t.new_zeros(())
        obj = self._points(drawn, both[None], pose)[:, 2]
        person = pose.person * self.person[both]
        person_seen, object_seen = self.masks[:, both]
        found = []
        for front, back, rightly in (
            (person, obj, person_seen & ~object_seen),
            (obj, person, object_seen & ~person_seen),
        ):
            wrong = rightly & (back < front).detach()
            apart = (front[wrong] - back[wrong]).clamp(0, FAR_APART)
            found.append(functional.softplus(apart).sum())
        return torch.stack(found).mean() * self.area

    def _centroid(self, verts: Tensor, scale: Tensor) -> Tensor:
        if not self.whole:
            return verts.new_zeros(())
        return (scale * self.centre - verts.mean(0)).square().mean()

    def _parts(self, verts: Tensor, scale: Tensor) -> Tensor:
        if not self.touching:
            return verts.new_zeros(())
        return torch.stack(
            [(scale * self.verts[ids].mean(0) - verts.mean(0)).square().mean() for ids in self.touching]
        ).mean()

    def _drawn(self, pose: Pose, K: Tensor, size: int) -> Drawn:
        return self.shape.mesh.draw(pose.turn[None], pose.t[None], pose.scale[None], K.numpy(), size)

    def _points(self, drawn: Drawn, where: Tensor, pose: Pose) -> Tensor:
        """What some pixels show, posed: (N, 3), camera frame."""
        points = shown_points(drawn, self.shape.verts, self.shape.faces, where)[1]
        return pose.scale * (points @ pose.turn.mT) + pose.t

    def _touching(self, parts: Mapping[str, Tensor], pose: Pose) -> list[Tensor]:
        """The parts whose widened box meets the object's in the image, and which are as deep."""
        verts = (self.shape.verts @ pose.turn.mT + pose.t).detach()
        box, widen = widened_box(verts, self.K, self.settings.widen[1]), self.settings.widen[1]
        found = []
        for ids in parts.values():
            near = gap(self.verts[ids], verts) < self.settings.gap
            if near and overlap(box, widened_box(self.verts[ids], self.K, widen)):
                found.append(ids)
        return found

    def _whole(self, parts: Mapping[str, Tensor], pose: Pose) -> bool:
        """Whether the object meets any part in the image, and the person in depth."""
        verts = (self.shape.verts @ pose.turn.mT + pose.t).detach()
        widen = self.settings.widen[0]
        box = widened_box(verts, self.K, widen)
        meets = any(overlap(box, widened_box(self.verts[ids], self.K, widen)) for ids in parts.values())
        return meets and gap(self.verts, verts) < self.settings.gap


def descend(scene: Scene, pose: Pose, settings: SceneSettings) -> tuple[Pose, float, float]:
    """The pose of the least objective that Adam meets, the objective at the start, and that least one.

    The objective counts pixels, so its slope can lead nowhere. Where Adam meets nothing lower it begins
    again, from the lowest of some poses near the start.
    """
    best, first, least = adam_from(scene, pose, settings)
    if least == first > 0:
        best, _, least = adam_from(scene, lowest_near(scene, pose), settings)
    return best, first, least


def adam_from(scene: Scene, pose: Pose, settings: SceneSettings) -> tuple[Pose, float, float]:
    """One descent; see `descend`."""
    now = Pose(*(value.requires_grad_() for value in vars(pose.copy()).values()))
    adam = torch.optim.Adam(list(vars(now).values()), lr=settings.lr)
    best, least, first = pose, np.inf, np.inf
    for step in range(settings.steps + 1):
        value, slope = scene(now)
        if step == 0:
            first = float(value)
        if not bool(value.isfinite()):
            raise ValueError(
                f"the objective of a view is {float(value)} after {step} steps of model.scene.lr"
            )
        if float(value) < least:
            best, least = now.copy(), float(value)
        if step < settings.steps:
            adam.zero_grad()
            slope.backward()
            adam.step()
    return best, first, least


@torch.no_grad()
def lowest_near(scene: Scene, pose: Pose) -> Pose:
    """The pose of the least objective among `TRIES` that are drawn about a pose, and that pose."""
    drawn = torch.Generator().manual_seed(0)
    best, least = pose, float(scene(pose)[0])
    for size in np.geomspace(*REACH, TRIES).tolist():
        near = Pose(*(one + size * torch.randn(one.shape, generator=drawn) for one in vars(pose).values()))
        value = float(scene(near)[0])
        if value < least:
            best, least = near, value
    return best


def start_pose(R: Tensor, t: Tensor) -> Pose:
    """A pose of metric sizes."""
    return Pose(rotmat_to_rot6d(R), t, torch.ones(()), torch.ones(()))


def resized(K: Tensor, factor: float) -> Tensor:
    """Intrinsics (3, 3) of an image resized by a factor, see `resize_intrinsics`."""
    shift = (factor - 1) / 2
    return K.new_tensor([[factor, 0, shift], [0, factor, shift], [0, 0, 1]]) @ K


def widened_box(verts: Tensor, K: Tensor, widen: float) -> tuple[Tensor, Tensor]:
    """The corners of the box of vertices (V, 3) in the image, larger by a share."""
    pixels = pixels_of(verts, K)
    low, high = pixels.amin(0), pixels.amax(0)
    grow = (high - low) / 2 * widen
    return low - grow, high + grow


def overlap(one: tuple[Tensor, Tensor], other: tuple[Tensor, Tensor]) -> bool:
    """Whether two boxes meet."""
    return bool((torch.maximum(one[0], other[0]) <= torch.minimum(one[1], other[1])).all())


def gap(one: Tensor, other: Tensor) -> float:
    """Metres in depth between two sets of vertices; 0 where their depths overlap."""
    a, b = one[:, 2], other[:, 2]
    return max(0.0, float(a.min() - b.max()), float(b.min() - a.max()))
