"""smplx's own forward pass on licensed body model files, read without running what their pickles hold."""

import contextlib
import io
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from smplx import SMPL, SMPLH, SMPLX
from smplx.utils import Struct
from torch import Tensor

from rhobin.body.arrays import KINDS, plain_arrays, read_arrays
from rhobin.body.model import N_BETAS, BodyModel
from rhobin.geometry.rotation import rotvec_to_rotmat

PARTS = {  # columns of a pose by smplx's names
    "smpl": {"global_orient": 3, "body_pose": 69},
    "smplh": {"global_orient": 3, "body_pose": 63, "left_hand_pose": 45, "right_hand_pose": 45},
    "smplx": {
        "global_orient": 3,
        "body_pose": 63,
        "jaw_pose": 3,
        "leye_pose": 3,
        "reye_pose": 3,
        "left_hand_pose": 45,
        "right_hand_pose": 45,
    },
}
CHUNK = 32  # bodies at a time
HANDS = {
    "hands_meanl": (45,),
    "hands_meanr": (45,),
    "hands_componentsl": (45, 45),
    "hands_componentsr": (45, 45),
}


def smplx_vertices(
    path: Path,
    kind: str,
    gender: str,
    poses: Float[Tensor, "B P"],
    betas: Float[Tensor, "B S"],
    trans: Float[Tensor, "B 3"],
    expression: Float[Tensor, "B E"] | None = None,
) -> Float[Tensor, "B V 3"]:
    """Vertices of posed bodies by the smplx package.

    Args:
        path: the licensed file, .npz or .pkl.
        kind: smpl, smplh or smplx.
        gender: the gender the file must hold.
        poses: absolute rotation vectors of all joints in the model's order (72, 156 or 165 numbers); mean
            hands are not added.
        betas: shape coefficients; those that the file does not have are left out.
        trans: translation, metres.
        expression: expression coefficients of SMPL-X; None for a neutral face.

    Returns:
        Vertices, float64, metres.

    Raises:
        BodyFileError: the file does not hold such a body.
    """
    with contextlib.redirect_stdout(io.StringIO()):  # smplx prints a warning for every small shape space
        layer = _layer(path, kind, gender, betas.shape[1])
    given = dict(zip(PARTS[kind], poses.double().split(list(PARTS[kind].values()), dim=1), strict=True))
    given |= {"betas": betas.double()[:, : layer.num_betas], "transl": trans.double()}
    if kind == "smplx":
        face = torch.zeros(len(poses), layer.num_expression_coeffs, dtype=torch.float64)
        if expression is not None:
            count = min(face.shape[1], expression.shape[1])
            face[:, :count] = expression[:, :count]
        given["expression"] = face
    with torch.no_grad():
        chunks = (slice(start, start + CHUNK) for start in range(0, len(poses), CHUNK))
        return torch.cat(
            [layer(**{name: value[c] for name, value in given.items()}).vertices for c in chunks]
        )


def distance_mm(path: Path, kind: str, gender: str) -> float:
    """The largest distance between our vertices and smplx's of one file, at four random poses and shapes.

    Args:
        path: the licensed file, .npz or .pkl.
        kind: smpl, smplh or smplx.
        gender: the gender the file must hold.

    Returns:
        Millimetres.

    Raises:
        BodyFileError: the file does not hold such a body.
    """
    random = torch.Generator().manual_seed(0)
    poses, betas, trans = (
        spread * torch.randn(4, count, generator=random, dtype=torch.float64)
        for spread, count in ((0.4, 3 * KINDS[kind]), (1.0, N_BETAS), (1.0, 3))
    )
    ours = BodyModel(read_arrays(path, gender), torch.float64)
    verts = ours(rotvec_to_rotmat(poses.unflatten(1, (-1, 3))), betas, trans).verts
    theirs = smplx_vertices(path, kind, gender, poses, betas, trans)
    return 1000 * float((verts - theirs).norm(dim=-1).max())


def _layer(path: Path, kind: str, gender: str, betas: int) -> Any:
    content = plain_arrays(path, gender)
    if kind != "smpl":
        content = {**{key: np.zeros(shape) for key, shape in HANDS.items()}, **content}
    common = {"gender": gender, "num_betas": betas, "dtype": torch.float64}
    if kind == "smpl":
        return SMPL("", data_struct=Struct(**content), **common)
    common |= {"use_pca": False, "flat_hand_mean": True}
    if kind == "smplh":
        return SMPLH("", data_struct=Struct(**content), **common)
    with tempfile.TemporaryDirectory() as folder:  # smplx.SMPLX takes nothing but a file, and unpickles it
        plain = Path(folder) / "model.npz"
        np.savez(plain, **content)  # type: ignore[arg-type]
        return SMPLX(str(plain), use_face_contour=False, num_expression_coeffs=100, **common)
