"""The SMPL family as one torch module: rest joints, forward kinematics, skinned vertices."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from rhobin.body.joints import JOINTS24_OF, LEAF_PARENTS
from rhobin.body.skinning import ConstantMatrix, KinematicTree
from rhobin.geometry.precision import full_precision

N_BETAS = 10
CHUNK = 16  # bodies skinned at a time: their transforms still fit a CPU's cache


@dataclass(frozen=True)
class BodyArrays:
    """A body model as plain float64 arrays, checked; see `rhobin.body.arrays.read_arrays`.

    Attributes:
        gender: male, female or neutral.
        model_id: which body this is; results of different bodies must not be compared.
        template: (V, 3) rest vertices, metres, y up, left = +x.
        shapedirs: (V, 3, 10) metres per unit beta.
        posedirs: (V, 3, 9 (J - 1)) metres; last axis = entries of R_j - I, row by row, for joints 1..J-1.
        regressor: (J, V) joints from shaped rest vertices.
        weights: (V, J) skinning weights, rows sum to one.
        faces: (F, 3) triangles.
        parents: J parent indices, -1 for the root.
        hands_mean: (30, 3) mean rotation vectors of SMPL-H joints 22..51.
        leaf_vertices: vertex ids of the five leaves of the 29 joints; None where the file names none.
    """

    gender: str
    model_id: str
    template: np.ndarray
    shapedirs: np.ndarray
    posedirs: np.ndarray
    regressor: np.ndarray
    weights: np.ndarray
    faces: np.ndarray
    parents: tuple[int, ...]
    hands_mean: np.ndarray
    leaf_vertices: np.ndarray | None


@dataclass
class BodyOutput:
    """A posed body.

    Attributes:
        verts: (..., V, 3) vertices, metres; None from `kinematics`.
        joints: (..., J, 3) joints, metres.
        rotations: (..., J, 3, 3) global rotations.
    """

    verts: Tensor | None
    joints: Tensor
    rotations: Tensor


class BodyModel(nn.Module):
    """A gendered SMPL-H (or SMPL, or SMPL-X without expressions) body.

    The pose is absolute (no mean hands are added, as in BEHAVE). The root turns about the rest pelvis:
    ``verts = R (v - J0) + J0 + trans``. All buffers are non-persistent: checkpoints hold no body.

    Attributes:
        gender: male, female or neutral.
        model_id: which body this is.
        faces: (F, 3) triangles, int64.
        leaf_vertices: (5,) vertex ids, int64, or None.
        hands_mean: (30, 3) mean rotation vectors of the 30 finger joints, left hand first.
    """

    faces: Tensor
    hands_mean: Tensor
    leaf_vertices: Tensor | None
    template: Tensor
    shapedirs: Tensor
    joint_template: Tensor
    joint_shapedirs: Tensor
    leaf_template: Tensor
    leaf_shapedirs: Tensor

    def __init__(self, arrays: BodyArrays, dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        self.gender, self.model_id = arrays.gender, arrays.model_id
        self.n_joints, self.n_verts = len(arrays.parents), len(arrays.template)
        self.joints24 = JOINTS24_OF[self.n_joints]
        self.tree = KinematicTree(arrays.parents)

        def keep(name: str, array: np.ndarray) -> None:
            self.register_buffer(name, torch.from_numpy(np.ascontiguousarray(array)), persistent=False)

        keep("faces", arrays.faces.astype(np.int64))
        keep("hands_mean", arrays.hands_mean)
        keep("template", arrays.template.reshape(-1, 1))
        keep("shapedirs", arrays.shapedirs.reshape(-1, N_BETAS))
        keep("joint_template", arrays.regressor @ arrays.template)
        keep("joint_shapedirs", np.einsum("jv,vck->jck", arrays.regressor, arrays.shapedirs))
        self._keep_leaves(arrays, keep)
        self.pose_blend = ConstantMatrix(arrays.posedirs.reshape(3 * self.n_verts, -1))
        self.skin = ConstantMatrix(arrays.weights)
        self.to(dtype)

    def _keep_leaves(self, arrays: BodyArrays, keep) -> None:
        ids = arrays.leaf_vertices
        if ids is None:
            self.leaf_vertices = None
        else:
            keep("leaf_vertices", ids.astype(np.int64))
            keep("leaf_template", arrays.template[ids])
            keep("leaf_shapedirs", arrays.shapedirs[ids])

    @full_precision
    def rest_joints(self, beta: Float[Tensor, "*B 10"]) -> Float[Tensor, "*B J 3"]:
        """Rest joints of a shape, metres; joint 0 is the pelvis J0 that the root turns about."""
        return self.joint_template + torch.einsum("jck,...k->...jc", self.joint_shapedirs, beta)

    @full_precision
    def rest29(self, beta: Float[Tensor, "*B 10"]) -> Float[Tensor, "*B 29 3"]:
        """Rest positions of the 29 HybrIK joints: 24 joints, then five vertices of the shaped template.

        Raises:
            ValueError: the model file named no leaf vertices.
        """
        return torch.cat((self.rest_joints(beta)[..., self.joints24, :], self.rest_leaves(beta)), dim=-2)

    @full_precision
    def kinematics(
        self, theta: Float[Tensor, "*B J 3 3"], beta: Float[Tensor, "*B 10"], trans: Float[Tensor, "*B 3"]
    ) -> BodyOutput:
        """Joints and global rotations only: no work over vertices; arguments as in `forward`."""
        rotations, joints = self.tree(theta, self.rest_joints(beta))
        return BodyOutput(None, joints + trans[..., None, :], rotations)

    @full_precision
    def forward(
        self, theta: Float[Tensor, "*B J 3 3"], beta: Float[Tensor, "*B 10"], trans: Float[Tensor, "*B 3"]
    ) -> BodyOutput:
        """Vertices, joints and global rotations of posed bodies.

        Args:
            theta: local rotations; joint 0 is the orientation in the frame of the result.
            beta: shape coefficients.
            trans: SMPL translation, metres.

        Returns:
            The posed bodies. SMPL (Loper et al. 2015) eq. 2-10.
        """
        rest = self.rest_joints(beta)
        rotations, joints = self.tree(theta, rest)
        joints = joints + trans[..., None, :]
        offset = joints[..., None] - rotations @ rest[..., None]
        transforms = torch.cat((rotations, offset), dim=-1).reshape(-1, self.n_joints, 3, 4).split(CHUNK)
        shaped = self.rest_verts(theta, beta).split(CHUNK)
        verts = torch.cat([self._skin(v, t) for v, t in zip(shaped, transforms, strict=True)])
        return BodyOutput(verts.reshape(*trans.shape[:-1], -1, 3), joints, rotations)

    @full_precision
    def joints29(self, output: BodyOutput, beta: Float[Tensor, "*B 10"]) -> Float[Tensor, "*B 29 3"]:
        """The 29 HybrIK joints of a posed body, metres; leaves move rigidly with their parent joint.

        Rigid leaves make the joints consistent with inverse kinematics; skinned leaf vertices are not.
        """
        joints, rotations = output.joints[..., self.joints24, :], output.rotations[..., self.joints24, :, :]
        rest = self.rest_joints(beta)[..., self.joints24, :]
        return attach_leaves(joints, rotations, rest, self.rest_leaves(beta))

    def rest_leaves(self, beta: Float[Tensor, "*B 10"]) -> Float[Tensor, "*B 5 3"]:
        """The five leaves at rest, metres."""
        if self.leaf_vertices is None:
            raise ValueError(
                f"the {self.gender} body {self.model_id} has no leaf vertices, so its 29 joints are unknown; "
                "add the key leaf_vertices (head top, middle fingertips, big toes) to its file"
            )
        return self.leaf_template + torch.einsum("jck,...k->...jc", self.leaf_shapedirs, beta)

    def rest_verts(
        self, theta: Float[Tensor, "*B J 3 3"], beta: Float[Tensor, "*B 10"]
    ) -> Float[Tensor, "N V 3"]:
        """Rest vertices with shape and pose blend shapes, batch axes flattened, metres."""
        identity = torch.eye(3, dtype=theta.dtype, device=theta.device)
        feature = (theta[..., 1:, :, :] - identity).reshape(-1, 9 * (self.n_joints - 1))
        beta = beta.reshape(-1, N_BETAS)
        flat = torch.addmm(self.template, self.shapedirs, beta.T) + self.pose_blend(feature.T)
        return flat.T.reshape(-1, self.n_verts, 3)

    def _skin(self, verts: Tensor, transforms: Tensor) -> Tensor:
        """Linear blend skinning of rest vertices (B, V, 3) with joint transforms (B, J, 3, 4)."""
        columns = transforms.transpose(0, 1).reshape(self.n_joints, -1)
        blended = self.skin(columns).view(self.n_verts, -1, 3, 4)
        turned = (blended[..., :3] @ verts.transpose(0, 1)[..., None]).squeeze(-1)
        return (turned + blended[..., 3]).transpose(0, 1)


def attach_leaves(
    joints: Float[Tensor, "*B 24 3"],
    rotations: Float[Tensor, "*B 24 3 3"],
    rest: Float[Tensor, "*B 24 3"],
    rest_leaves: Float[Tensor, "*B 5 3"],
) -> Float[Tensor, "*B 29 3"]:
    """Posed joints followed by the leaves carried rigidly by their parents: ``X_p + G_p (leaf - J_p)``."""
    parents = list(LEAF_PARENTS)
    bones = rest_leaves - rest[..., parents, :]
    leaves = joints[..., parents, :] + (rotations[..., parents, :, :] @ bones[..., None]).squeeze(-1)
    return torch.cat((joints, leaves), dim=-2)
