"""What a device computes in float32 beside what the CPU computes in float64, for `gpu_check.py`."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rhobin.body.from_joints import pose_body
from rhobin.body.load import load_bodies
from rhobin.geometry.align import rigid_align
from rhobin.geometry.backend import nearest_distances, rasterise
from rhobin.geometry.camera import project, solve_translation
from rhobin.geometry.rotation import rotmat_to_rotvec, rotvec_to_rotmat
from rhobin.nets.heatmap import soft_argmax
from rhobin.objects.load import load_templates
from rhobin.types import required

COUNT = 16
CLOSE = 2e-5
"""Metres, radians or cells: a hundred times float32's rounding of numbers near 2 (assumed)."""
FAR = 20
"""Depth from pixels is so many times less sure than points are, by their distance and extent (assumed)."""
PIXELS = 1e-3
"""Pixels, of images a thousand wide (assumed)."""
EDGES = 0.005
"""Share of pixels on outlines, where two ways of drawing may see another triangle (assumed)."""


@dataclass(frozen=True)
class Row:
    """One finding.

    Attributes:
        what: was looked at.
        found: in words and numbers.
        expected: in words and numbers; empty where nothing is.
        state: "ok", "differs", "failed", "measured" or "not run".
    """

    what: str
    found: str
    expected: str
    state: str


def below(what: str, error: float, limit: float, unit: str) -> Row:
    """A row for an error and its limit; an error that is no number differs."""
    state = "ok" if error <= limit else "differs"
    return Row(what, f"{error:.2g} {unit}", f"at most {limit:.0e} {unit}", state)


def agreement(device: torch.device) -> list[Row]:
    """Every kernel on random input."""
    random = torch.Generator().manual_seed(0)

    def drawn(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=random, dtype=torch.float64)

    points, turns, place = drawn(COUNT, 29, 3), drawn(COUNT, 3), drawn(COUNT, 3) + torch.tensor([0, 0, 6.0])
    K = torch.tensor([[980.0, 0, 512], [0, 980.0, 384], [0, 0, 1]], dtype=torch.float64).expand(COUNT, 3, 3)
    moved = points @ rotvec_to_rotmat(turns).mT + place[:, None] + 0.01 * drawn(COUNT, 29, 3)
    pixels = project(0.3 * points + place[:, None], K)
    cases: list[tuple[str, float, str, Callable[..., Any], tuple[Any, ...]]] = [
        ("rotation vectors to matrices", CLOSE, "", rotvec_to_rotmat, (turns,)),
        ("and back", CLOSE, "rad", lambda v: rotmat_to_rotvec(rotvec_to_rotmat(v)), (turns,)),
        ("rigid alignment", CLOSE, "", lambda a, b: rigid_align(a, b)[0], (points, moved)),
        ("projection", PIXELS, "px", project, (0.3 * points + place[:, None], K)),
        ("translation from pixels", FAR * CLOSE, "m", solve_translation, (0.3 * points, pixels, K)),
        ("soft-argmax", 32 * CLOSE, "cells", soft_argmax, (3 * drawn(COUNT, 29, 32, 32),)),
    ]
    rows = [below(what, off(device, run, *given), limit, unit) for what, limit, unit, run, given in cases]
    return [*rows, *bodies(device, drawn), *drawings()]


def off(device: torch.device, run: Callable[..., Tensor], *given: Tensor) -> float:
    """Largest difference between the device in float32 and the CPU in float64."""
    return apart(run(*(value.to(device, torch.float32) for value in given)), run(*given))


def apart(ours: Tensor, theirs: Tensor) -> float:
    """Largest difference."""
    return (ours.detach().cpu().double() - theirs.double()).abs().max().item()


def bodies(device: torch.device, drawn: Callable[..., Tensor]) -> list[Row]:
    """Skinning, and inverse kinematics of a body's own joints."""
    beta, trans, theta = drawn(COUNT, 10), drawn(COUNT, 3), rotvec_to_rotmat(0.3 * drawn(COUNT, 52, 3))
    twist, gender = drawn(COUNT, 23, 2), torch.arange(COUNT) % 2
    skins, joints = [], []
    for where, dtype in ((device, torch.float32), (torch.device("cpu"), torch.float64)):
        people, g = load_bodies(dtype=dtype).to(where), gender.to(where)
        b, x, turns, twists = (value.to(where, dtype) for value in (beta, trans, theta, twist))
        skins.append(required(people(turns, b, x, g).verts, "vertices"))
        leaves = torch.eye(3, dtype=dtype, device=where).expand(COUNT, 5, 3, 3)
        posed = people.tree29(torch.cat((turns[:, :24], leaves), dim=1), people.rest29(b, g))[1]
        joints.append(pose_body(posed + x[:, None], b, twists, g, people)[1])
    return [
        below("skinning, vertices", apart(*skins), CLOSE, "m"),
        below("inverse kinematics, joints", apart(*joints), CLOSE, "m"),
    ]


def drawings() -> list[Row]:
    """Nearest neighbours and drawn meshes of pytorch3d beside those of the CPU."""
    if importlib.util.find_spec("pytorch3d") is None:
        told = "pytorch3d is not installed; pip install 'rhobin[p3d]'"
        return [Row("rasteriser and nearest neighbours", told, "", "not run")]
    template = load_templates()["stool"]
    verts = np.asarray(template.verts) + np.array([0, 0, 2.5])
    other = verts + np.random.default_rng(0).normal(0, 0.02, verts.shape)
    near = [nearest_distances(verts, other, using=name) for name in ("pytorch3d", "cpu")]
    K = np.array([[300.0, 0, 160], [0, 300.0, 120], [0, 0, 1]])
    ours, theirs = (rasterise([(verts, template.faces)], K, 320, 240, using=n) for n in ("pytorch3d", "cpu"))
    both = (ours.geom_id >= 0) & (theirs.geom_id >= 0)
    outline = float(np.mean((ours.geom_id >= 0) != (theirs.geom_id >= 0)))
    depth = float(np.quantile(np.abs(ours.distance[both] - theirs.distance[both]), 1 - EDGES))
    return [
        below("nearest neighbours", float(np.abs(near[0] - near[1]).max()), CLOSE, "m"),
        below("rasteriser, pixels seen by one alone", outline, EDGES, ""),
        below(f"rasteriser, depth of the best {1 - EDGES:.1%} of pixels", depth, FAR * CLOSE, "m"),
    ]
