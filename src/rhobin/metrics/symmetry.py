"""Symmetry sets of objects as the BOP toolkit and the challenge describe them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation

Rotations = Float[np.ndarray, "S 3 3"]
Translations = Float[np.ndarray, "S 3"]


def symmetry_set(
    info: Mapping[str, Any], max_step: float, keep_identity: bool = True
) -> tuple[Rotations, Translations]:
    """Motions that leave an object unchanged, continuous ones in steps.

    Args:
        info: ``symmetries_discrete`` (4x4, row-major) and ``symmetries_continuous`` (``axis``, ``offset``)
            as in BOP's ``models_info.json``; either may be absent.
        max_step: largest step of a continuous symmetry as a fraction of the diameter.
        keep_identity: False leaves out unturned members of a continuous symmetry, as the challenge's copy
            of the function does.

    Returns:
        Rotations (S, 3, 3) and translations (S, 3) in the unit of `info`; identity first if it is kept.

    Raises:
        ValueError: an axis has no length.
    """
    discrete = [(np.eye(3), np.zeros(3))]
    for matrix in info.get("symmetries_discrete", ()):
        motion = np.asarray(matrix, dtype=np.float64).reshape(4, 4)
        discrete.append((motion[:3, :3], motion[:3, 3]))
    turns = [
        turn
        for symmetry in info.get("symmetries_continuous", ())
        for turn in _turns(symmetry, max_step, 0 if keep_identity else 1)
    ]
    if turns:
        discrete = [(R @ S, R @ s + t) for S, s in discrete for R, t in turns]
    return np.array([R for R, _ in discrete]), np.array([t for _, t in discrete])


def stack_symmetries(
    symmetries: Sequence[tuple[np.ndarray, np.ndarray]], with_identity: bool = False
) -> tuple[Rotations, Translations]:
    """Symmetries of a template as arrays.

    Args:
        symmetries: pairs of rotation (3, 3) and translation (3,); empty for an object without any.
        with_identity: add the identity where the list lacks it.

    Returns:
        Rotations (S, 3, 3) and translations (S, 3).
    """
    pairs = [
        (np.asarray(R, dtype=np.float64), np.asarray(t, dtype=np.float64).reshape(3)) for R, t in symmetries
    ]
    identity = (np.eye(3), np.zeros(3))
    has_identity = any(np.allclose(R, identity[0]) and np.allclose(t, 0.0) for R, t in pairs)
    if not pairs or (with_identity and not has_identity):
        pairs.insert(0, identity)
    return np.array([R for R, _ in pairs]), np.array([t for _, t in pairs])


def _turns(symmetry: Mapping[str, Any], max_step: float, first: int) -> list[tuple[np.ndarray, np.ndarray]]:
    axis = np.asarray(symmetry["axis"], dtype=np.float64)
    length = float(np.linalg.norm(axis))
    if not 0 < length < np.inf:
        raise ValueError(f"symmetries_continuous: key 'axis': expected a direction, found {axis.tolist()}")
    offset = np.asarray(symmetry["offset"], dtype=np.float64).reshape(3)
    count = int(np.ceil(np.pi / max_step))
    angles = 2.0 * np.pi / count * np.arange(first, count)
    turns = Rotation.from_rotvec(angles[:, None] * axis / length).as_matrix()
    return [(R, offset - R @ offset) for R in turns]
