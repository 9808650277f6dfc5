"""HybrIK's solver with the reference's own conventions, joint by joint.

For comparing with published numbers and weights only; `rhobin.body.ik` is exact where this one is not. It
keeps the small constant added to every length (so rotations are orthogonal to 1e-3 at long swings only), the
identity for a swing by half a turn, and the reference's gradients: the wanted joints reach the rotations only
through the adaptive aim, never through the pelvis or the naive bones.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from rhobin.body.joints import CHILD29, SMPL_PARENTS
from rhobin.body.root import root_rotation
from rhobin.geometry.rotation import skew

ADDED = 1e-8  # to lengths and products of lengths
GUARD = 0.015  # metres


def reference_rotations(
    joints: Float[Tensor, "B N 3"],
    rest: Float[Tensor, "B N 3"],
    twist: Float[Tensor, "B 23 2"],
    ends: Float[Tensor, "B 5 3 3"] | None = None,
    adaptive: bool = False,
) -> Float[Tensor, "B 24 3 3"]:
    """Local rotations as the reference computes them; arguments as in `rhobin.body.ik.hybrik24`."""
    still = joints.detach()
    twist = twist / (twist.norm(dim=-1, keepdim=True) + ADDED)
    root = root_rotation(still, rest) if adaptive else _spine_then_hips(still, rest)
    chain, local, place = [root], [root], [joints[:, 0]]
    for joint in range(1, 24):
        parent, child = SMPL_PARENTS[joint], CHILD29[joint]
        offset = rest[:, joint] - rest[:, parent]
        place.append(place[parent] + _turn(chain[parent], offset))
        if child >= rest.shape[1]:
            assert ends is not None  # noqa: S101 - 24 joints come with their ends
            rotation = ends[:, (10, 11, 15, 22, 23).index(joint)]
        else:
            bone = rest[:, child] - rest[:, joint]
            wanted = still[:, child] - still[:, joint]
            if adaptive:
                wanted = _aim(joints[:, child] - place[joint], wanted, bone)
            swing = _swing(bone, _turn(chain[parent].mT, wanted))
            rotation = swing @ _about(bone, twist[:, joint - 1], 0.0 if adaptive else ADDED)
        chain.append(chain[parent] @ rotation)
        local.append(rotation)
    return torch.stack(local, dim=1)


def _aim(bone: Tensor, naive: Tensor, rest: Tensor) -> Tensor:
    naive = naive * rest.norm(dim=-1, keepdim=True) / naive.norm(dim=-1, keepdim=True)
    return torch.where((bone - naive).norm(dim=-1, keepdim=True) > GUARD, naive, bone)


def _spine_then_hips(joints: Tensor, rest: Tensor) -> Tensor:
    bones, rest = (x[:, 1:4] - x[:, :1] for x in (joints, rest))
    spine = bones[:, 2] / (bones[:, 2].norm(dim=-1, keepdim=True) + ADDED)
    swing = _swing(rest[:, 2], bones[:, 2])
    hips, rest_hips = bones[:, :2].mean(1), _turn(swing, rest[:, :2].mean(1))
    across = [x - (x * spine).sum(-1, keepdim=True) * spine for x in (rest_hips, hips)]
    return _swing(*across) @ swing


def _swing(rest: Tensor, wanted: Tensor) -> Tensor:
    product = rest.norm(dim=-1, keepdim=True) * wanted.norm(dim=-1, keepdim=True) + ADDED
    axis = torch.linalg.cross(rest, wanted)
    length = axis.norm(dim=-1, keepdim=True)
    cos, sin = (rest * wanted).sum(-1, keepdim=True) / product, length / product
    return _rodrigues(axis / (length + ADDED), cos, sin)


def _about(bone: Tensor, twist: Tensor, added: float) -> Tensor:
    return _rodrigues(bone / (bone.norm(dim=-1, keepdim=True) + added), twist[:, :1], twist[:, 1:])


def _rodrigues(axis: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    K = skew(axis)
    identity = torch.eye(3, dtype=axis.dtype, device=axis.device)
    return identity + sin[..., None] * K + (1 - cos[..., None]) * (K @ K)


def _turn(rotation: Tensor, vector: Tensor) -> Tensor:
    return (rotation @ vector[..., None]).squeeze(-1)
