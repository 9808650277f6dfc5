"""Surface finish of the objects: cardboard, wood, rubber, cloth, plastic, by position on the template."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from rhobin.objects.catalogue import DESIGNS, built_in, surface_colors
from rhobin.objects.template import Template
from rhobin.synthetic.paint.looks import Paint
from rhobin.synthetic.paint.materials import srgb_to_linear
from rhobin.synthetic.paint.noise import cell_hash, noise

Finish = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def _facing(points: np.ndarray, normals: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The two template coordinates across the axis that a point faces most."""
    axis = np.abs(normals).argmax(axis=1)
    u = np.where(axis == 0, points[:, 2], points[:, 0])
    v = np.where(axis == 1, points[:, 2], points[:, 1])
    return u, v


def _cardboard(points: np.ndarray, normals: np.ndarray, color: np.ndarray) -> np.ndarray:
    u, v = _facing(points, normals)
    printed = (cell_hash(np.floor(u / 0.008), np.floor(v / 0.012)) < 0.4) & (color.min(axis=1) > 0.7)
    color[printed] = 0.1
    return color * (1 + 0.10 * noise(u, v, 4.0) + 0.05 * noise(u * 0.2, v, 40.0))[:, None]


def _wood(points: np.ndarray, normals: np.ndarray, color: np.ndarray) -> np.ndarray:
    u, v = _facing(points, normals)
    return color * (1 + 0.22 * noise(u * 0.12, v, 5.0) + 0.08 * noise(u * 0.1, v, 40.0))[:, None]


def _cloth(points: np.ndarray, normals: np.ndarray, color: np.ndarray) -> np.ndarray:
    u, v = _facing(points, normals)
    return color * (1 + 0.10 * noise(u, v, 5.0) + 0.10 * noise(u, v, 70.0))[:, None]


def _smooth(points: np.ndarray, normals: np.ndarray, color: np.ndarray) -> np.ndarray:
    u, v = _facing(points, normals)
    return color * (1 + 0.04 * noise(u, v, 4.0))[:, None]


def _basketball(points: np.ndarray, normals: np.ndarray, color: np.ndarray) -> np.ndarray:
    x, y, z = (points / np.linalg.norm(points, axis=1, keepdims=True)).T
    seam = (np.abs(x) < 0.035) | (np.abs(y) < 0.035) | (np.abs(np.abs(x) - 0.32 - 0.45 * y * y) < 0.04)
    dark = color.max(axis=1) < 0.05
    color[dark] = np.array([0.62, 0.14, 0.03], np.float32)
    pebble = 1 + 0.12 * noise(x + y, z - y, 30.0)
    return np.where(seam[:, None], np.float32(0.02), color * pebble[:, None])


def _yogaball(points: np.ndarray, normals: np.ndarray, color: np.ndarray) -> np.ndarray:
    height = points[:, 1] / np.linalg.norm(points, axis=1)
    ring = np.abs(((height + 1) * 9) % 1.0 - 0.5) < 0.10
    return color * np.where(ring & (np.abs(height) < 0.8), 0.82, 1.0)[:, None]


def _keys(points: np.ndarray, normals: np.ndarray, color: np.ndarray) -> np.ndarray:
    u, v = points[:, 0] / 0.0195, points[:, 2] / 0.0195
    gap = np.maximum(np.abs(u - np.floor(u) - 0.5), np.abs(v - np.floor(v) - 0.5)) > 0.41
    top = (normals[:, 1] > 0.7)[:, None]
    return np.where(top & gap[:, None], color * 0.35, np.where(top, color * 1.25, color))


def _ribs(points: np.ndarray, normals: np.ndarray, color: np.ndarray) -> np.ndarray:
    u, _ = _facing(points, normals)
    rib = (u / 0.045) % 1.0 < 0.16
    flat = np.abs(normals).max(axis=1) > 0.8
    return color * np.where(rib & flat & (np.abs(normals[:, 1]) < 0.5), 0.6, 1.0)[:, None]


def _mat(points: np.ndarray, normals: np.ndarray, color: np.ndarray) -> np.ndarray:
    long = int(np.ptp(points, axis=0).argmax()) if len(points) else 0
    rest = np.delete(points, long, axis=1)
    radius = np.hypot(rest[:, 0], rest[:, 1])
    turn = np.arctan2(rest[:, 0], rest[:, 1]) / (2 * np.pi)
    spiral = ((radius / 0.009 + turn) % 1.0 < 0.35) & (np.abs(normals[:, long]) > 0.7)
    return color * (np.where(spiral, 0.45, 1.0) * (1 + 0.08 * noise(turn, points[:, long], 25.0)))[:, None]


_FINISHES: dict[str, tuple[Finish, float, float]] = {
    "backpack": (_cloth, 0.14, 0.03),
    "basketball": (_basketball, 0.02, 0.12),
    "boxlarge": (_cardboard, 0.03, 0.03),
    "boxlong": (_cardboard, 0.03, 0.03),
    "boxmedium": (_cardboard, 0.03, 0.03),
    "boxsmall": (_cardboard, 0.03, 0.03),
    "boxtiny": (_cardboard, 0.03, 0.03),
    "chairblack": (_cloth, 0.03, 0.10),
    "chairwood": (_wood, 0.02, 0.15),
    "keyboard": (_keys, 0.0, 0.10),
    "monitor": (_smooth, 0.0, 0.45),
    "plasticcontainer": (_smooth, 0.02, 0.40),
    "stool": (_wood, 0.02, 0.15),
    "suitcase": (_ribs, 0.02, 0.35),
    "tablesmall": (_wood, 0.02, 0.15),
    "tablesquare": (_wood, 0.02, 0.20),
    "toolbox": (_smooth, 0.02, 0.30),
    "trashbin": (_smooth, 0.02, 0.25),
    "yogaball": (_yogaball, 0.01, 0.35),
    "yogamat": (_mat, 0.03, 0.03),
}
"""Per object: texture, strength of dents, strength of the highlight."""


def _base_color(template: Template, points: np.ndarray, prim_id: np.ndarray) -> np.ndarray:
    """Colours of the design where the template is a built-in one, else of its triangles."""
    if template.name in DESIGNS and built_in(template.name) is template:
        return srgb_to_linear(surface_colors(template.name, prim_id, points) / 255.0)
    return srgb_to_linear(template.colors[prim_id] / 255.0)


def object_paint(template: Template, points: np.ndarray, normals: np.ndarray, prim_id: np.ndarray) -> Paint:
    """Paint of an object's surface points.

    Args:
        template: the object; its face colours are the base.
        points: (N, 3) in the template frame, metres.
        normals: (N, 3) in the template frame.
        prim_id: (N,) triangles the points lie on.

    Returns:
        Albedo, bump and gloss.
    """
    finish, bump, gloss = _FINISHES.get(template.name, (_smooth, 0.02, 0.1))
    color = finish(points, normals, _base_color(template, points, prim_id))
    count = len(points)
    return Paint(
        np.clip(color, 0.0, 0.95).astype(np.float32),
        np.full(count, bump, np.float32),
        np.full(count, gloss, np.float32),
    )
