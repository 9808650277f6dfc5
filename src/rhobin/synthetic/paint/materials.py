"""Procedural colours of room surfaces: linear albedo as a function of position."""

from __future__ import annotations

import colorsys
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rhobin.synthetic.paint.noise import cell_hash, noise


@dataclass(frozen=True)
class Material:
    """What a surface looks like.

    Attributes:
        kind: name of a texture in `TEXTURES`.
        color: linear RGB albedo.
        second: linear RGB of seams, stripes or patches.
        scale: size of the texture's element, metres.
        emission: radiance added to the reflected light, relative to `color`.
    """

    kind: str
    color: tuple[float, float, float]
    second: tuple[float, float, float] = (0.05, 0.05, 0.05)
    scale: float = 0.1
    emission: float = 0.0


def srgb_to_linear(color: np.ndarray) -> np.ndarray:
    """Linear values of sRGB values in [0, 1]."""
    color = np.asarray(color, dtype=np.float32)
    return np.where(color <= 0.04045, color / 12.92, ((color + 0.055) / 1.055) ** 2.4).astype(np.float32)


def hsv(hue: float, saturation: float, value: float) -> tuple[float, float, float]:
    """Linear RGB of an sRGB colour given as hue, saturation and value in [0, 1]."""
    r, g, b = srgb_to_linear(np.array(colorsys.hsv_to_rgb(hue % 1.0, saturation, value)))
    return float(r), float(g), float(b)


Texture = Callable[[Material, np.ndarray, np.ndarray], np.ndarray]


def _tint(material: Material, factor: np.ndarray) -> np.ndarray:
    return np.asarray(material.color, np.float32) * factor[:, None]


def _mix(material: Material, weight: np.ndarray, factor: np.ndarray) -> np.ndarray:
    first, second = np.asarray(material.color, np.float32), np.asarray(material.second, np.float32)
    return (first + (second - first) * weight[:, None]) * factor[:, None]


def _plain(m: Material, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return _tint(m, 1 + 0.05 * noise(u, v, 1.3) + 0.02 * noise(u, v, 17.0))


def _planks(m: Material, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    row = np.floor(u / m.scale)
    along = v / (m.scale * 9) + cell_hash(row, row * 0 + 7)
    plank = cell_hash(row, np.floor(along))
    grain = noise(u + plank * 3, v * 0.12, 6.0)
    seam = (np.abs(u / m.scale - row - 0.5) > 0.485) | (np.abs(along - np.floor(along) - 0.5) > 0.4985)
    return _mix(m, 0.75 * seam, 0.86 + 0.26 * plank + 0.10 * grain)


def _tiles(m: Material, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    i, j = np.floor(u / m.scale), np.floor(v / m.scale)
    edge = np.maximum(np.abs(u / m.scale - i - 0.5), np.abs(v / m.scale - j - 0.5))
    return _mix(
        m, 1.0 * (edge > 0.5 - 0.006 / m.scale), 0.93 + 0.14 * cell_hash(i, j) + 0.05 * noise(u, v, 3.0)
    )


def _checker(m: Material, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    odd = (np.floor(u / m.scale) + np.floor(v / m.scale)) % 2
    return _mix(m, odd, 1 + 0.06 * noise(u, v, 4.0))


def _carpet(m: Material, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    fleck = noise(u, v, 60.0)
    return _mix(m, np.clip(0.35 * fleck - 0.1, 0, 1), 1 + 0.22 * fleck + 0.07 * noise(u, v, 1.0))


def _grain(m: Material, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return _tint(m, 1 + 0.20 * noise(u * 0.15, v, 4.0) + 0.06 * noise(u * 0.1, v, 30.0))


def _books(m: Material, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    book = np.floor(u / m.scale + 0.3 * np.sin(u * 9))
    shelf = np.floor(v / 0.33)
    a, b, c = (cell_hash(book + 31 * k, shelf) for k in range(3))
    hue = np.stack([a, 0.55 * b + 0.25 * a, 0.7 * c], axis=1) ** 1.6
    gap = (cell_hash(book, shelf + 5) < 0.12) | (v / 0.33 - shelf > 0.66 + 0.25 * b)
    label = (np.abs(v / 0.33 - shelf - 0.45) < 0.05) & (c > 0.4)
    color = 0.04 + 0.55 * hue + 0.3 * label[:, None]
    return np.where(gap[:, None], 0.03, color).astype(np.float32)


def _poster(m: Material, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    i, j = np.floor(u / m.scale), np.floor(v / (m.scale * 0.7))
    picture = cell_hash(np.floor(i / 2), np.floor(j / 3)) < 0.55
    text = (j % 2 == 0) & (cell_hash(i * 3 + 1, j) < 0.75)
    blob = noise(u + 3.3 * m.scale, v, 0.9 / m.scale)
    weight = np.where(picture, 0.5 + 0.5 * blob, 0.8 * text)
    return _mix(m, np.clip(weight, 0, 1), np.ones_like(u))


def _picture(m: Material, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """A framed landscape, `scale` wide to each side of the middle; the colours choose its hills."""
    x, y = u / m.scale, v / m.scale
    first, second = np.asarray(m.color, np.float32), np.asarray(m.second, np.float32)
    wave = 7.0 * m.color[0] + 3.0 * m.second[1]
    hills = 0.16 * np.sin(2.3 * x + 9 * wave) + 0.09 * np.sin(6.1 * x + 17 * wave) - 0.1
    sky = np.clip(0.5 + 0.6 * y, 0, 1)[:, None]
    color = first * sky + (0.75 - 0.35 * first) * (1 - sky)
    far, near = y < hills + 0.12 * np.cos(4 * x + wave), y < hills - 0.22
    color[far] = 0.6 * second + 0.15
    color[near] = second * (0.7 + 0.3 * noise(u, v, 12.0)[near, None])
    color[np.hypot(x - 0.5 * np.cos(wave), y - 0.33) < 0.13] = np.array([0.9, 0.75, 0.5], np.float32)
    color[(np.abs(x) > 0.86) | (np.abs(y) > 0.6)] = 0.85
    return color.astype(np.float32)


def _stripes(m: Material, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return _mix(m, 0.5 + 0.5 * np.sin(2 * np.pi * u / m.scale), 1 + 0.05 * noise(u, v, 5.0))


def _leaves(m: Material, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    patch = noise(u + v, v - u, 9.0)
    return _mix(m, np.clip(0.5 + 0.6 * patch, 0, 1), 1 + 0.25 * patch)


def _bricks(m: Material, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    j = np.floor(v / (m.scale * 0.32))
    along = u / m.scale + 0.5 * (j % 2)
    i = np.floor(along)
    seam = (np.abs(along - i - 0.5) > 0.475) | (np.abs(v / (m.scale * 0.32) - j - 0.5) > 0.43)
    return _mix(m, 1.0 * seam, 0.82 + 0.36 * cell_hash(i, j) + 0.1 * noise(u, v, 8.0))


TEXTURES: dict[str, Texture] = {
    "plain": _plain,
    "planks": _planks,
    "tiles": _tiles,
    "checker": _checker,
    "carpet": _carpet,
    "grain": _grain,
    "books": _books,
    "poster": _poster,
    "picture": _picture,
    "stripes": _stripes,
    "leaves": _leaves,
    "bricks": _bricks,
}


def albedo(material: Material, points: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """Colour of surface points, textured along the two axes that the surface faces least.

    Args:
        material: what the surface is made of.
        points: (N, 3) metres in the surface's own frame.
        normals: (N, 3) in the same frame.

    Returns:
        (N, 3) linear RGB albedo.
    """
    axis = np.abs(normals).argmax(axis=1)
    u = np.where(axis == 0, points[:, 2], points[:, 0])
    v = np.where(axis == 1, points[:, 2], points[:, 1])
    return np.clip(TEXTURES[material.kind](material, u, v), 0.0, 1.0).astype(np.float32)
