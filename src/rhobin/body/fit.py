"""From vertices or joints to body parameters: a rigid start for every joint, then Gauss-Newton steps."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from rhobin.body.ik import hybrik, hybrik24
from rhobin.body.markers import Markers, Posed
from rhobin.body.model import N_BETAS, BodyModel
from rhobin.geometry.precision import full_precision
from rhobin.geometry.rotation import project_to_so3, rotvec_to_rotmat

DAMPING = 1e-4  # share of each unknown's own curvature


@dataclass(frozen=True)
class BodyFit:
    """Parameters of fitted bodies.

    Attributes:
        theta: (B, J, 3, 3) local rotations.
        beta: (B, 10) shape coefficients; one row repeated where the shape was shared.
        trans: (B, 3) SMPL translation, metres.
        error: (B,) weighted mean distance between the body and its targets, metres.
    """

    theta: Tensor
    beta: Tensor
    trans: Tensor
    error: Tensor


class BodyFitter(nn.Module):
    """Fits one body model; build it once, it keeps sums over the model's vertices.

    Every step solves shape, translation and all turns together, by regularised least squares.
    """

    def __init__(self, body: BodyModel) -> None:
        super().__init__()
        self.body = body
        self.surface, self.skeleton = Markers(body, with_verts=True), Markers(body, with_verts=False)

    @full_precision
    @torch.no_grad()
    def verts(
        self,
        verts: Float[Tensor, "B V 3"],
        weight: Float[Tensor, "*b V"] | None = None,
        joints: Float[Tensor, "B J 3"] | None = None,
        joints_weight: Float[Tensor, "*b J"] | None = None,
        *,
        steps: int = 4,
        shape_sigma: float = 0.003,
        shared_shape: bool = False,
    ) -> BodyFit:
        """Parameters of a body with these vertices.

        Args:
            verts: target vertices of the model's topology, metres.
            weight: non-negative weights of the vertices, one row for all or one per body; None for ones.
            joints: target joints of the model, metres; None where only the surface is known.
            joints_weight: weights of the joints, in units of a vertex; None weighs every joint like 20.
            steps: Gauss-Newton steps after the rigid start.
            shape_sigma: metres by which a target is off when the shape is; a larger one holds beta nearer to
                zero.
            shared_shape: one beta for all bodies, as in a sequence of one person.

        Returns:
            The fit. Joints without weight keep their rigid start, or their parent's turn.
        """
        markers = self.surface
        target, u = self._targets(markers, verts, weight, joints, joints_weight)
        covariance = markers.part_rotations(target, u)
        theta = self._local(_rotations(covariance, self.body.tree.parents.tolist()))
        beta = target.new_zeros(len(target), N_BETAS)
        share = (u / u.sum(1, keepdim=True).clamp_min(torch.finfo(u.dtype).tiny))[..., None]
        trans = (share * (target - markers.pose(theta, beta, beta[:, :3]).points)).sum(1)
        return self._refine(markers, target, u, theta, beta, trans, steps, shape_sigma, shared_shape)

    @full_precision
    @torch.no_grad()
    def joints29(
        self,
        joints: Float[Tensor, "B 29 3"],
        weight: Float[Tensor, "*b 29"] | None = None,
        twist: Float[Tensor, "B 23 2"] | None = None,
        hands: Float[Tensor, "*H 30 3 3"] | None = None,
        *,
        steps: int = 4,
        shape_sigma: float = 0.01,
        shared_shape: bool = False,
    ) -> BodyFit:
        """Parameters of a body with these 29 joints.

        Args:
            joints: target joints, metres.
            weight: non-negative weights, one row for all or one per body; None for ones.
            twist: (cos, sin) of joints 1..23, which joints alone do not tell; None for none.
            hands: local rotations of joints 22..51 of SMPL-H; None for flat hands.
            steps: Gauss-Newton steps after inverse kinematics.
            shape_sigma: as for `verts`; few points tell little about shape.
            shared_shape: one beta for all bodies.

        Returns:
            The fit.
        """
        markers, batch = self.skeleton, len(joints)
        twist = joints.new_zeros(batch, 23, 2) if twist is None else twist
        beta = joints.new_zeros(batch, N_BETAS)
        rest = self.body.rest29(beta)
        if self.body.n_joints > 24:
            theta = hybrik(joints, rest, twist, hands, adaptive=True)
        else:
            theta = hybrik24(joints, rest, twist, adaptive=True)
        index = [*self.body.joints24, *range(self.body.n_joints, self.body.n_joints + 5)]
        target, u = (joints.new_zeros(batch, markers.count, n) for n in (3, 1))
        target[:, index] = joints
        u[:, index, 0] = 1.0 if weight is None else weight
        trans = joints[:, 0] - rest[:, 0]
        return self._refine(markers, target, u[..., 0], theta, beta, trans, steps, shape_sigma, shared_shape)

    def _targets(
        self,
        markers: Markers,
        verts: Tensor,
        weight: Tensor | None,
        joints: Tensor | None,
        joints_weight: Tensor | None,
    ) -> tuple[Tensor, Tensor]:
        batch, count = verts.shape[:2]
        if count != self.body.n_verts:
            raise ValueError(f"expected {self.body.n_verts} vertices of the body's topology, found {count}")
        target, u = verts.new_zeros(batch, markers.count, 3), verts.new_zeros(batch, markers.count)
        target[:, :count] = verts
        u[:, :count] = 1.0 if weight is None else weight
        if joints is not None:
            own = slice(count, count + self.body.n_joints)
            target[:, own] = joints
            u[:, own] = 20.0 if joints_weight is None else joints_weight
        return target, u

    def _refine(
        self,
        markers: Markers,
        target: Tensor,
        weight: Tensor,
        theta: Tensor,
        beta: Tensor,
        trans: Tensor,
        steps: int,
        sigma: float,
        shared: bool,
    ) -> BodyFit:
        for _ in range(steps):
            posed = markers.pose(theta, beta, trans)
            turn, shape = _step(markers, posed, target - posed.points, weight, beta, sigma, shared)
            theta = self._local(rotvec_to_rotmat(markers.ancestors.T @ turn) @ posed.rotations)
            beta, trans = beta + shape[:, :N_BETAS], trans + shape[:, N_BETAS:]
        points = markers.pose(theta, beta, trans).points
        share = weight / weight.sum(1, keepdim=True).clamp_min(torch.finfo(weight.dtype).tiny)
        return BodyFit(theta, beta, trans, ((points - target).norm(dim=-1) * share).sum(1))

    def _local(self, rotations: Tensor) -> Tensor:
        """Local rotations, with the rounding removed that would otherwise double in every step."""
        parents = self.body.tree.parents
        local = torch.cat((rotations[:, :1], rotations[:, parents[1:]].mT @ rotations[:, 1:]), dim=1)
        return 1.5 * local - 0.5 * local @ (local.mT @ local)


def _rotations(covariance: Tensor, parents: list[int]) -> Tensor:
    """Rotations of all joints; one whose markers carry no information turns with its parent."""
    size = torch.linalg.matrix_norm(covariance, keepdim=True)
    known = size > 1e-12
    found = project_to_so3(covariance / size.clamp_min(torch.finfo(size.dtype).tiny))
    rotations: list[Tensor] = []
    for joint, parent in enumerate(parents):
        above = rotations[parent] if joint else torch.eye(3, dtype=found.dtype, device=found.device)
        rotations.append(torch.where(known[:, joint], found[:, joint], above))
    return torch.stack(rotations, dim=1)


def _step(
    markers: Markers,
    posed: Posed,
    residual: Tensor,
    weight: Tensor,
    beta: Tensor,
    sigma: float,
    shared: bool,
) -> tuple[Tensor, Tensor]:
    """Turns (B, J, 3) and changes of shape and translation (B, 13) of one Gauss-Newton step.

    Turns and translation are eliminated first, so that bodies of one shape can add up what remains.
    """
    g_turn, g_shape = markers.slopes(posed, residual * weight[..., None])
    turns, mixed, shape = markers.curvatures(posed, weight)
    mixed, shape = mixed.double(), shape.double()
    H = torch.cat((torch.cat((turns, mixed), 2), torch.cat((mixed.mT, shape), 2)), 1)
    g = torch.cat((g_turn.flatten(1), g_shape), dim=1).double()
    order = torch.arange(H.shape[-1], device=H.device).roll(3 + N_BETAS)
    order = torch.cat((order[N_BETAS:], order[:N_BETAS]))  # translation, turns, shape
    H, g = H[:, order][:, :, order], g[:, order]
    free = H.shape[-1] - N_BETAS
    solved = _solve(H[:, :free, :free], torch.cat((g[:, :free, None], H[:, :free, free:]), dim=-1))
    A = H[:, free:, free:] - H[:, free:, :free] @ solved[..., 1:]
    b = g[:, free:, None] - H[:, free:, :free] @ solved[..., :1]
    if shared:
        A, b = A.sum(0, keepdim=True), b.sum(0, keepdim=True)
    prior = sigma**2 * torch.eye(N_BETAS, dtype=A.dtype, device=A.device)
    beta_now = beta[: len(b), :, None].double()
    dbeta = torch.linalg.solve(A + prior, b - sigma**2 * beta_now)
    rest = (solved[..., :1] - solved[..., 1:] @ dbeta).squeeze(-1)
    dbeta = dbeta.squeeze(-1).expand(len(g), N_BETAS)
    turn, moved = rest[:, 3:].unflatten(1, (-1, 3)), torch.cat((dbeta, rest[:, :3]), dim=1)
    return turn.to(beta.dtype), moved.to(beta.dtype)


def _solve(H: Tensor, g: Tensor) -> Tensor:
    """Scaled to a unit diagonal and damped: unknowns without data stay, and single precision is enough."""
    diagonal = H.diagonal(dim1=-2, dim2=-1)
    floor = 1e-9 * diagonal.amax(-1, keepdim=True) + torch.finfo(H.dtype).tiny
    scale = diagonal.clamp_min(floor).rsqrt()[..., None]
    damping = DAMPING * torch.eye(H.shape[-1], dtype=H.dtype, device=H.device)
    factor, _ = torch.linalg.cholesky_ex(H * scale * scale.mT + damping)
    return scale * torch.cholesky_solve(scale * g, factor)
