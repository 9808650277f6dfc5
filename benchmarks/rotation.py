"""Compares our rotations with roma's: exactness by angle, gradients, speed; every figure comes from one run.

    python benchmarks/rotation.py [--threads 1] [--count 4096]

Errors are the largest of 200 rotations, float32, against scipy in float64 and the angle asked for.
"""

import argparse
import math
import time
from collections.abc import Callable

import numpy as np
import roma
import torch
from rich.console import Console
from rich.table import Table
from scipy.spatial.transform import Rotation
from torch import Tensor

from rhobin.geometry import rotation as ours

ANGLES = {"1e-4": 1e-4, "1": 1.0, "pi - 1e-2": math.pi - 1e-2, "pi - 1e-4": math.pi - 1e-4, "pi": math.pi}
PAIRS: dict[str, tuple[Callable[..., Tensor], Callable[..., Tensor]]] = {
    "vector to matrix": (ours.rotvec_to_rotmat, roma.rotvec_to_rotmat),
    "matrix to vector": (ours.rotmat_to_rotvec, roma.rotmat_to_rotvec),
    "matrix to quaternion": (ours.rotmat_to_quat, roma.rotmat_to_unitquat),
    "angle between": (ours.geodesic_angle, roma.rotmat_geodesic_distance),
    "nearest rotation": (ours.project_to_so3, roma.special_procrustes),
}


def main() -> None:
    """Print the three tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--count", type=int, default=4096)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    _print("largest error, float32", ["function", *ANGLES], _errors())
    _print("largest gradient of the angle between, float32", ["", *ANGLES], _gradients())
    _print(f"microseconds for {args.count} rotations", ["function", "ours", "roma"], _times(args.count))


def _turns(angle: float, count: int = 200) -> Tensor:
    return angle * torch.nn.functional.normalize(torch.randn(count, 3, dtype=torch.float64), dim=-1)


def _matrices(rotvec: Tensor) -> Tensor:
    return torch.from_numpy(Rotation.from_rotvec(rotvec.numpy()).as_matrix())


def _errors() -> list[list[str]]:
    rows = []
    for pick, side in enumerate(("ours", "roma")):
        to_matrix, to_vector, _, between, _ = (pair[pick] for pair in PAIRS.values())
        forth, back, angles = [], [], []
        for angle in ANGLES.values():
            rotvec = _turns(angle)
            exact = _matrices(rotvec)
            forth.append((to_matrix(rotvec.float()).double() - exact).abs().max())
            back.append((_matrices(to_vector(exact.float()).double()) - exact).abs().max())
            start = torch.eye(3).expand(len(exact), 3, 3)
            angles.append((between(start, exact.float()).double() - angle).abs().max())
        for name, found in (
            ("vector to matrix", forth),
            ("matrix to vector", back),
            ("angle between", angles),
        ):
            rows.append([f"{name}, {side}", *(f"{error:.1e}" for error in found)])
    return sorted(rows)


def _gradients() -> list[list[str]]:
    rows = []
    for side, between in zip(("ours", "roma"), PAIRS["angle between"], strict=True):
        found = []
        for angle in ANGLES.values():
            matrix = _matrices(_turns(angle)).float().requires_grad_()
            angles = between(torch.eye(3).expand(len(matrix), 3, 3), matrix)
            (gradient,) = torch.autograd.grad(angles.sum(), matrix)
            found.append(gradient.abs().max())
        rows.append([side, *(f"{gradient:.3g}" for gradient in found)])
    return rows


def _times(count: int) -> list[list[str]]:
    rotvec = torch.randn(count, 3)
    matrix = ours.rotvec_to_rotmat(rotvec)
    inputs = {
        "vector to matrix": (rotvec,),
        "angle between": (matrix, matrix.flip(0)),
        "nearest rotation": (matrix + 0.1,),
    }
    return [
        [name, *(f"{_best(function, inputs.get(name, (matrix,))):.0f}" for function in pair)]
        for name, pair in PAIRS.items()
    ]


def _best(function: Callable[..., Tensor], inputs: tuple[Tensor, ...], repeats: int = 50) -> float:
    """Least microseconds of one call, after a first one that is not counted."""
    function(*inputs)
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        function(*inputs)
        seconds.append(time.perf_counter() - start)
    return 1e6 * float(np.min(seconds))


def _print(title: str, heads: list[str], rows: list[list[str]]) -> None:
    table = Table(title=title, title_justify="left")
    for head in heads:
        table.add_column(head, justify="right" if head and head != "function" else "left")
    for row in rows:
        table.add_row(*row)
    Console().print(table)


if __name__ == "__main__":
    main()
