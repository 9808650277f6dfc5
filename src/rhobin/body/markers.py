"""Points that ride on a body's joints, and the sums over them that a fit needs.

A marker is a skinned vertex, a joint or a leaf: a rest position that depends on the shape, and weights that
tie it to joints. Turning joint k about its own place moves a marker by the cross product of the turn with
``m_k``, the weighted part of the marker below k counted from k. Slopes are exact sums over all markers.
Curvatures only steer the steps, so they are summed over a sample of the vertices; of the turns they need the
sums of ``m_k m_l^T``, which follow from 4x4 second moments of rest positions over each pair of joints that
share a marker: no matrix of markers times turns is ever built.
"""

from typing import NamedTuple

import numpy as np
import scipy.sparse
import torch
from jaxtyping import Float
from torch import Tensor, nn

from rhobin.body.joints import LEAF_PARENTS
from rhobin.body.model import N_BETAS, BodyModel
from rhobin.body.skinning import ConstantMatrix


class Posed(NamedTuple):
    """Markers of posed bodies and what moves them."""

    points: Tensor  # (B, N, 3)
    rest: Tensor  # (B, N, 4) homogeneous rest positions with blend shapes
    blended: Tensor  # (B, N, 3, 4) weighted joint transforms
    transforms: Tensor  # (B, J, 3, 4)
    rotations: Tensor  # (B, J, 3, 3)
    joints: Tensor  # (B, J, 3)


class Markers(nn.Module):
    """The vertices (if wanted), joints and leaves of one body model, in this order."""

    ancestors: Tensor
    first: Tensor
    second: Tensor
    sample: Tensor
    share: Tensor
    shapedirs: Tensor

    def __init__(self, body: BodyModel, with_verts: bool) -> None:
        super().__init__()
        self.body, self.with_verts = body, with_verts
        weights = self._weights()
        self.count, self.n_joints = weights.shape
        self.skin = ConstantMatrix(weights.toarray())
        self.gather = ConstantMatrix(weights.T.toarray())
        sample, share = self._sample(weights)
        few = weights[sample]
        pairs = (few.T @ few).tocoo()
        rows = [few[:, j].multiply(few[:, k]).T for j, k in zip(pairs.row, pairs.col, strict=True)]
        self.pairs = ConstantMatrix(scipy.sparse.vstack(rows).toarray())
        self.few_gather = ConstantMatrix(few.T.toarray())
        self.few_skin = ConstantMatrix(few.toarray())
        leaves = [body.leaf_shapedirs] if self._leaf_parents() else []
        verts = [body.shapedirs.view(-1, 3, N_BETAS)] if with_verts else []
        self._keep("shapedirs", torch.cat((*verts, body.joint_shapedirs, *leaves)))
        self._keep("ancestors", _ancestors(body.tree.parents.tolist()))
        self._keep("share", torch.from_numpy(share))
        for name, index in (("first", pairs.row), ("second", pairs.col), ("sample", sample)):
            self._keep(name, torch.from_numpy(index.astype(np.int64)))
        self.to(device=body.template.device, dtype=body.template.dtype)
        self.pairs.double()

    def _keep(self, name: str, value: Tensor) -> None:
        self.register_buffer(name, value, persistent=False)

    def _sample(self, weights: scipy.sparse.csr_matrix) -> tuple[np.ndarray, np.ndarray]:
        """Markers that stand for all in curvatures, and how many each stands for."""
        verts = self.body.n_verts if self.with_verts else 0
        owner = np.asarray(weights[:verts].argmax(axis=1)).ravel() if verts else np.zeros(0)
        chosen, share = [], []
        for joint in range(self.n_joints):
            own = np.flatnonzero(owner == joint)
            some = own[np.linspace(0, len(own) - 1, min(len(own), max(24, len(own) // 8))).astype(int)]
            chosen.append(some)
            share.append(np.full(len(some), len(own) / max(len(some), 1)))
        rest = np.arange(verts, self.count)
        return np.concatenate((*chosen, rest)), np.concatenate((*share, np.ones(len(rest))))

    def _leaf_parents(self) -> list[int]:
        if self.body.leaf_vertices is None:
            return []
        joints24 = self.body.joints24
        return [joints24[parent] for parent in LEAF_PARENTS]

    def _weights(self) -> scipy.sparse.csr_matrix:
        joints = np.eye(self.body.n_joints)
        parts = [joints, joints[self._leaf_parents()]]
        verts = [self.body.skin.matrix()] if self.with_verts else []
        return scipy.sparse.csr_matrix(scipy.sparse.vstack([*verts, *map(scipy.sparse.csr_matrix, parts)]))

    def pose(
        self, theta: Float[Tensor, "B J 3 3"], beta: Float[Tensor, "B 10"], trans: Float[Tensor, "B 3"]
    ) -> Posed:
        """Markers of posed bodies, metres."""
        body, batch = self.body, len(beta)
        rest_joints = body.rest_joints(beta)
        rotations, joints = body.tree(theta, rest_joints)
        joints = joints + trans[:, None]
        offset = joints[..., None] - rotations @ rest_joints[..., None]
        transforms = torch.cat((rotations, offset), dim=-1)
        rest = [body.rest_verts(theta, beta)] if self.with_verts else []
        rest += [rest_joints, *([body.rest_leaves(beta)] if self._leaf_parents() else [])]
        homogeneous = torch.nn.functional.pad(torch.cat(rest, dim=1), (0, 1), value=1.0)
        blended = _over_markers(self.skin, transforms.flatten(2)).view(batch, self.count, 3, 4)
        points = (blended @ homogeneous[..., None]).squeeze(-1)
        return Posed(points, homogeneous, blended, transforms, rotations, joints)

    def slopes(
        self, posed: Posed, pull: Float[Tensor, "B N 3"]
    ) -> tuple[Float[Tensor, "B J 3"], Float[Tensor, "B 13"]]:
        """Scalar products of weighted residuals with the markers' moves.

        Args:
            posed: the markers now.
            pull: weight times target minus marker, metres.

        Returns:
            For a turn of every joint about itself, taking along its descendants; for shape and translation.
        """
        outer = posed.rest[..., :, None] * pull[..., None, :]
        sums = _over_markers(self.gather, outer.flatten(2)).unflatten(-1, (4, 3))
        torque, force = _axial(posed.transforms @ sums), sums[..., 3, :]
        back = (posed.blended[..., :3].mT @ pull[..., None]).flatten(1)
        shape = back @ self.shapedirs.flatten(0, 1) + torch.einsum(
            "bjc,bjck->bk", force, self._joint_moves(posed)
        )
        below = self.ancestors @ force
        torque = self.ancestors @ torque - torch.linalg.cross(posed.joints, below)
        return torque, torch.cat((shape, pull.sum(1)), dim=1)

    def curvatures(
        self, posed: Posed, weight: Float[Tensor, "B N"]
    ) -> tuple[Float[Tensor, "B T T"], Float[Tensor, "B T 13"], Float[Tensor, "B 13 13"]]:
        """Gauss-Newton curvature among turns (T = 3 J), between turns and shape, and of the shape."""
        weight = weight[:, self.sample] * self.share
        few = posed._replace(rest=posed.rest[:, self.sample], blended=posed.blended[:, self.sample])
        moves = self._shape_moves(few)
        flat = moves.flatten(1, 2)
        shape = (flat * weight.repeat_interleave(3, dim=1)[..., None]).mT @ flat
        return self._among_turns(few, weight), self._turns_and_shape(few, weight, moves), shape

    def _among_turns(self, few: Posed, weight: Tensor) -> Tensor:
        """In double precision: the lever of a finger is a hundredth of its distance from the origin."""
        batch, J = len(weight), self.n_joints
        rest, ancestors = few.rest.double(), self.ancestors.double()
        outer = (weight[..., None] * rest)[..., :, None] * rest[..., None, :]
        moments = _over_markers(self.pairs, outer.flatten(2)).unflatten(-1, (4, 4))
        full, joints = _homogeneous(few.transforms.double()), few.joints.double()
        sums = rest.new_zeros(batch, J, J, 16)
        moments = full[:, self.first] @ moments @ full[:, self.second].mT
        sums[:, self.first, self.second] = moments.flatten(2)
        for _ in range(2):
            sums = (ancestors @ sums.flatten(2)).view(batch, J, J, 16).transpose(1, 2)
        sums = sums.unflatten(-1, (4, 4))
        moment = sums[..., :3, :] - joints[:, :, None, :, None] * sums[..., 3:, :]
        moment = moment[..., :3] - joints[:, None, :, None, :] * moment[..., 3:]
        trace = moment.diagonal(dim1=-2, dim2=-1).sum(-1)[..., None, None]
        identity = torch.eye(3, dtype=trace.dtype, device=trace.device)
        return (trace * identity - moment.mT).transpose(2, 3).reshape(batch, 3 * J, 3 * J)

    def _turns_and_shape(self, few: Posed, weight: Tensor, moves: Tensor) -> Tensor:
        heavy = weight[..., None] * few.rest
        outer = heavy[..., :, None] * moves.flatten(2)[..., None, :]
        sums = _over_markers(self.few_gather, outer.flatten(2)).unflatten(-1, (4, -1))
        sums = self.ancestors @ (_homogeneous(few.transforms) @ sums).flatten(2)
        sums = sums.unflatten(-1, (4, -1))
        sums = sums[..., :3, :] - few.joints[..., None] * sums[..., 3:, :]
        mixed = _axial(sums.unflatten(-1, (3, -1)).movedim(-1, 2))
        return mixed.movedim(2, 3).flatten(1, 2)

    def _joint_moves(self, posed: Posed) -> Tensor:
        """(B, J, 3, 10) of each joint's transform with the shape, at fixed global rotations."""
        own, parents = self.body.joint_shapedirs, self.body.tree.parents[1:]
        root = own[:1].expand(len(posed.joints), 1, 3, N_BETAS)
        bones = torch.cat((root, posed.rotations[:, parents] @ (own[1:] - own[parents])), dim=1)
        return (self.ancestors.T @ bones.flatten(2)).view_as(bones) - posed.rotations @ own

    def _shape_moves(self, posed: Posed) -> Tensor:
        """(B, n, 3, 13) of the sampled markers with shape and translation."""
        offset = _over_markers(self.few_skin, self._joint_moves(posed).flatten(2)).unflatten(-1, (3, -1))
        turned = posed.blended[..., :3] @ self.shapedirs[self.sample]
        still = torch.eye(3, dtype=turned.dtype, device=turned.device)
        return torch.cat((turned + offset, still.expand(*turned.shape[:2], 3, 3)), dim=-1)

    def part_rotations(
        self, points: Float[Tensor, "B N 3"], weight: Float[Tensor, "B N"]
    ) -> Float[Tensor, "B J 3 3"]:
        """Covariances between each joint's mean-shaped rest markers and their targets, for a rigid start."""
        rest = self.pose(*self._neutral()).rest[..., :3]
        pull = weight[..., None] * points
        sums = torch.cat(
            (pull[..., :, None] * rest[..., None, :], (weight[..., None] * rest)[..., None, :]), dim=-2
        )
        sums = torch.cat((sums.flatten(2), pull, weight[..., None]), dim=-1)
        cross, mean_rest, mean, mass = _over_markers(self.gather, sums).split((9, 3, 3, 1), dim=-1)
        centred = mean[..., :, None] * (mean_rest / mass.clamp_min(1e-9))[..., None, :]
        return cross.unflatten(-1, (3, 3)) - centred

    def _neutral(self) -> tuple[Tensor, Tensor, Tensor]:
        zero = self.shapedirs.new_zeros(1, N_BETAS)
        still = torch.eye(3, dtype=zero.dtype, device=zero.device).expand(1, self.n_joints, 3, 3)
        return still, zero, zero[:, :3]


def _over_markers(matrix: ConstantMatrix, x: Tensor) -> Tensor:
    """A constant matrix over the second axis of (B, N, K)."""
    batch, count, width = x.shape
    product = matrix(x.transpose(0, 1).reshape(count, batch * width))
    return product.view(-1, batch, width).transpose(0, 1)


def _axial(matrix: Tensor) -> Tensor:
    """The sum of ``a x b`` from the sum of ``a b^T``, over the last two axes."""
    m = matrix
    return torch.stack(
        (m[..., 1, 2] - m[..., 2, 1], m[..., 2, 0] - m[..., 0, 2], m[..., 0, 1] - m[..., 1, 0]), dim=-1
    )


def _homogeneous(transforms: Tensor) -> Tensor:
    last = torch.tensor([0.0, 0, 0, 1], dtype=transforms.dtype, device=transforms.device)
    return torch.cat((transforms, last.expand(*transforms.shape[:-2], 1, 4)), dim=-2)


def _ancestors(parents: list[int]) -> Tensor:
    """(J, J) with a one where the row's joint is the column's joint or above it."""
    above = torch.eye(len(parents), dtype=torch.float64)
    for joint in range(1, len(parents)):
        above[:, joint] += above[:, parents[joint]]
    return above
