"""Batches that mix genders."""

from collections.abc import Iterator, Sequence
from typing import cast

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from rhobin.body.joints import PARENTS29
from rhobin.body.model import BodyModel, BodyOutput, attach_leaves
from rhobin.body.skinning import KinematicTree
from rhobin.geometry.precision import full_precision
from rhobin.geometry.rotation import rotvec_to_rotmat
from rhobin.types import GENDERS


class BodySet(nn.Module):
    """Body models of several genders behind the methods of one.

    Every method takes a trailing `gender`, a tensor of indices into `GENDERS` of the batch's shape. Joints of
    mixed batches are computed in one go; only vertices go gender by gender.

    Attributes:
        models: the body models by gender name.
        faces: (F, 3) triangles, shared.
    """

    _slots: Tensor
    _hands: Tensor

    def __init__(self, models: Sequence[BodyModel]) -> None:
        super().__init__()
        if not models:
            raise ValueError("a BodySet needs at least one body model; load it with load_bodies()")
        sizes = {model.gender: (model.n_joints, model.n_verts) for model in models}
        if len(set(sizes.values())) > 1:
            raise ValueError(f"body models of one set must have one size (joints, vertices), found {sizes}")
        self.models = nn.ModuleDict({model.gender: model for model in models})
        self.tree, self.tree29 = models[0].tree, KinematicTree(PARENTS29)
        self._joints24 = models[0].joints24
        order = list(self.models)
        slots = torch.tensor([order.index(g) if g in order else -1 for g in GENDERS])
        self.register_buffer("_slots", slots, persistent=False)
        self._stack("joint_template", "joint_shapedirs")
        hands = torch.stack([rotvec_to_rotmat(model.hands_mean) for model in self])
        self.register_buffer("_hands", hands, persistent=False)
        self.has_leaves = all(model.leaf_vertices is not None for model in models)
        if self.has_leaves:
            self._stack("leaf_template", "leaf_shapedirs")

    def _stack(self, *names: str) -> None:
        for name in names:
            stacked = torch.stack([getattr(model, name) for model in self])
            self.register_buffer(f"_{name}", stacked, persistent=False)

    @property
    def faces(self) -> Tensor:
        """Triangles (F, 3) of every model."""
        return next(iter(self)).faces

    def __iter__(self) -> Iterator[BodyModel]:
        return (cast(BodyModel, model) for model in self.models.values())

    def __getitem__(self, gender: str) -> BodyModel:
        return cast(BodyModel, self.models[gender])

    @full_precision
    def rest_joints(
        self, beta: Float[Tensor, "*B 10"], gender: Int64[Tensor, "*B"]
    ) -> Float[Tensor, "*B J 3"]:
        """Rest joints, metres; joint 0 is the pelvis."""
        return self._shaped("joint", beta, self._slot(gender))

    @full_precision
    def rest29(self, beta: Float[Tensor, "*B 10"], gender: Int64[Tensor, "*B"]) -> Float[Tensor, "*B 29 3"]:
        """Rest positions of the 29 HybrIK joints, metres."""
        slot = self._slot(gender)
        joints = self._shaped("joint", beta, slot)[..., self._joints24, :]
        return torch.cat((joints, self._rest_leaves(beta, slot)), dim=-2)

    def mean_hands(self, gender: Int64[Tensor, "*B"]) -> Float[Tensor, "*B 30 3 3"]:
        """Local rotations of joints 22..51 in the mean hands."""
        return self._hands[self._slot(gender)]

    @full_precision
    def kinematics(
        self,
        theta: Float[Tensor, "*B J 3 3"],
        beta: Float[Tensor, "*B 10"],
        trans: Float[Tensor, "*B 3"],
        gender: Int64[Tensor, "*B"],
    ) -> BodyOutput:
        """Joints and global rotations only: no work over vertices."""
        rotations, joints = self.tree(theta, self.rest_joints(beta, gender))
        return BodyOutput(None, joints + trans[..., None, :], rotations)

    @full_precision
    def forward(
        self,
        theta: Float[Tensor, "*B J 3 3"],
        beta: Float[Tensor, "*B 10"],
        trans: Float[Tensor, "*B 3"],
        gender: Int64[Tensor, "*B"],
    ) -> BodyOutput:
        """Vertices, joints and global rotations; see `BodyModel.forward`."""
        batch = gender.shape
        if len(batch) != 1:
            flat = (x.reshape(gender.numel(), *x.shape[len(batch) :]) for x in (theta, beta, trans, gender))
            posed = self(*flat)
            values = (getattr(posed, name) for name in _FIELDS)
            return BodyOutput(*(value.reshape(*batch, *value.shape[1:]) for value in values))
        slot = self._slot(gender)
        if torch.compiler.is_compiling():
            return self._traced(theta, beta, trans, slot)
        rows, parts = [], []
        for index, model in enumerate(self):
            members = (slot == index).nonzero().squeeze(-1)
            if len(members):
                rows.append(members)
                parts.append(model(theta[members], beta[members], trans[members]))
        back = torch.cat(rows).argsort()
        return BodyOutput(*(torch.cat([getattr(part, name) for part in parts])[back] for name in _FIELDS))

    def _traced(self, theta: Tensor, beta: Tensor, trans: Tensor, slot: Tensor) -> BodyOutput:
        """Every model poses every body: a compiled graph cannot depend on the number of each gender."""
        chosen, *others = (model(theta, beta, trans) for model in self)
        for index, other in enumerate(others, start=1):
            chosen = BodyOutput(*(_choose(slot == index, other, chosen, name) for name in _FIELDS))
        return chosen

    @full_precision
    def joints29(
        self, output: BodyOutput, beta: Float[Tensor, "*B 10"], gender: Int64[Tensor, "*B"]
    ) -> Float[Tensor, "*B 29 3"]:
        """The 29 HybrIK joints of posed bodies, metres, with rigid leaves."""
        slot = self._slot(gender)
        rest = self._shaped("joint", beta, slot)[..., self._joints24, :]
        joints, rotations = output.joints[..., self._joints24, :], output.rotations[..., self._joints24, :, :]
        return attach_leaves(joints, rotations, rest, self._rest_leaves(beta, slot))

    def _rest_leaves(self, beta: Tensor, slot: Tensor) -> Tensor:
        if not self.has_leaves:
            bare = [model.gender for model in self if model.leaf_vertices is None]
            raise ValueError(
                f"no leaf vertices in the body files of {bare}; add the key leaf_vertices to them"
            )
        return self._shaped("leaf", beta, slot)

    def _shaped(self, part: str, beta: Tensor, slot: Tensor) -> Tensor:
        template, shapedirs = getattr(self, f"_{part}_template"), getattr(self, f"_{part}_shapedirs")
        return template[slot] + torch.einsum("...jck,...k->...jc", shapedirs[slot], beta)

    def _slot(self, gender: Tensor) -> Tensor:
        """Index of each body's model; checked only where a gender is missing from the set."""
        slot = self._slots[gender]
        if len(self.models) == len(GENDERS):
            return slot
        if torch.compiler.is_compiling():
            torch._assert_async((slot >= 0).all(), "a gender that was not loaded; see load_bodies()")
        elif bool((slot < 0).any()):
            asked = sorted({GENDERS[int(g)] for g in gender[slot < 0]})
            raise ValueError(
                f"no body model loaded for {asked}, only for {list(self.models)}; see load_bodies()"
            )
        return slot


_FIELDS = ("verts", "joints", "rotations")


def _choose(mask: Tensor, yes: BodyOutput, no: BodyOutput, name: str) -> Tensor:
    first, second = getattr(yes, name), getattr(no, name)
    return torch.where(mask.view(-1, *[1] * (first.ndim - 1)), first, second)
