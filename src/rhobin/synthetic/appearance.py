"""Skin, hair and clothes of a person, painted on the body by position in the T-pose.

Clothes are shading only: they never move the surface, so masks follow the body model exactly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rhobin.synthetic.materials import cell_hash, hsv, noise

Color = tuple[float, float, float]

TOP_PATTERNS = ("plain", "plain", "stripes", "check", "print", "raglan", "jacket")
TROUSER_PATTERNS = ("plain", "denim", "denim", "sport")


@dataclass(frozen=True)
class Landmarks:
    """Where the parts of a T-posed body lie; metres, model frame (y up, z forward, x left)."""

    head: tuple[float, float]
    neck: float
    shoulder: float
    elbow: float
    wrist: float
    pelvis: float
    knee: float
    ankle: float
    sole: float


def landmarks(verts: np.ndarray, joints: np.ndarray) -> Landmarks:
    """Landmarks of a body in its T-pose.

    Args:
        verts: (V, 3) template vertices, metres.
        joints: (52, 3) SMPL-H joints of the same body.

    Returns:
        The landmarks.
    """
    return Landmarks(
        head=(float(joints[15, 1]), float(joints[15, 2])),
        neck=float(joints[12, 1]),
        shoulder=float(joints[16, 0]),
        elbow=float(joints[18, 0]),
        wrist=float(joints[20, 0]),
        pelvis=float(joints[0, 1]),
        knee=float(joints[4, 1]),
        ankle=float(joints[7, 1]),
        sole=float(verts[:, 1].min()),
    )


@dataclass(frozen=True)
class Look:
    """What a person looks like; colours are linear albedo.

    Attributes:
        skin: skin colour.
        hair: hair colour.
        beard: 0 for a shaved face to 1.
        long_hair: hair reaches the shoulders.
        top: main colour of the upper clothes.
        top_second: its second colour.
        top_pattern: one of `TOP_PATTERNS`.
        sleeve: where sleeves end, 0 at the shoulder, 1 at the elbow, 2 at the wrist.
        neckline: how far the collar lies below the neck, metres.
        trousers: their colour.
        trouser_pattern: one of `TROUSER_PATTERNS`.
        leg: where trousers end, 0 at the knee, 1 at the ankle.
        shoes: colour of the shoes.
        shoe_sole: colour of their soles.
    """

    skin: Color
    hair: Color
    beard: float
    long_hair: bool
    top: Color
    top_second: Color
    top_pattern: str
    sleeve: float
    neckline: float
    trousers: Color
    trouser_pattern: str
    leg: float
    shoes: Color
    shoe_sole: Color


def _cloth(rng: np.random.Generator) -> Color:
    if rng.uniform() < 0.3:
        return hsv(rng.uniform(), rng.uniform(0, 0.08), rng.choice([0.16, 0.3, 0.5, 0.72, 0.85]))
    return hsv(rng.uniform(), rng.uniform(0.2, 0.62), rng.uniform(0.22, 0.72))


def look_of(clothes_seed: int, gender: str, day: int) -> Look:
    """The look of a subject on a recording day: skin and hair stay, clothes change.

    Args:
        clothes_seed: the subject's seed.
        gender: "male", "female" or "neutral".
        day: number of the recording day.

    Returns:
        The look, the same for the same arguments.
    """
    person = np.random.default_rng([53, clothes_seed])
    tan = person.uniform() ** 1.5
    skin = hsv(0.045 + 0.025 * person.uniform(), 0.34 + 0.25 * tan, 0.84 - 0.42 * tan)
    lightness = (0.07 + 0.43 * person.uniform() ** 2) * (1 - 0.8 * tan)
    hair = hsv(0.07 + 0.03 * person.uniform(), person.uniform(0.15, 0.6), lightness)
    beard = person.choice([0.0, 0.0, 0.35, 0.8]) if gender == "male" else 0.0
    long_hair = bool(gender == "female" and person.uniform() < 0.75)
    rng = np.random.default_rng([54, clothes_seed, day])
    short = rng.uniform() < 0.5
    jeans = hsv(0.6, rng.uniform(0.25, 0.5), rng.uniform(0.2, 0.55))
    pattern = TROUSER_PATTERNS[int(rng.integers(len(TROUSER_PATTERNS)))]
    return Look(
        skin=skin,
        hair=hair,
        beard=float(beard),
        long_hair=long_hair,
        top=_cloth(rng),
        top_second=_cloth(rng),
        top_pattern=TOP_PATTERNS[int(rng.integers(len(TOP_PATTERNS)))],
        sleeve=float(rng.uniform(0.35, 0.8) if short else rng.uniform(1.75, 1.97)),
        neckline=float(rng.uniform(0.0, 0.05)),
        trousers=jeans
        if pattern == "denim"
        else hsv(rng.uniform(), rng.uniform(0, 0.35), rng.uniform(0.15, 0.6)),
        trouser_pattern=pattern,
        leg=float(0.1 if rng.uniform() < 0.18 else rng.uniform(0.9, 1.03)),
        shoes=_cloth(rng),
        shoe_sole=hsv(0.1, 0.05, rng.choice([0.2, 0.85, 0.9])),
    )


@dataclass(frozen=True)
class Paint:
    """Surface properties of N points.

    Attributes:
        albedo: (N, 3) linear RGB.
        bump: (N,) strength of wrinkles that tilt the normal.
        gloss: (N,) strength of the highlight.
    """

    albedo: np.ndarray
    bump: np.ndarray
    gloss: np.ndarray


def body_paint(look: Look, marks: Landmarks, points: np.ndarray) -> Paint:
    """Paint of a person's surface points.

    Args:
        look: what the person wears.
        marks: landmarks of the T-pose in which the points are given.
        points: (N, 3) T-pose positions, metres.

    Returns:
        Albedo, bump and gloss.
    """
    x, y, z = np.abs(points[:, 0]), points[:, 1], points[:, 2]
    side = points[:, 0]
    paint = Paint(
        np.tile(np.asarray(look.skin, np.float32), (len(points), 1)),
        np.full(len(points), 0.03, np.float32),
        np.full(len(points), 0.07, np.float32),
    )
    head = y > marks.neck + 0.03
    _paint_head(look, marks, np.flatnonzero(head & (x < 0.14)), x, y, z, paint)
    sleeve_end = _between(look.sleeve, (marks.shoulder, marks.elbow, marks.wrist))
    waist = marks.pelvis + 0.07
    collar = (
        marks.neck
        - look.neckline * np.clip((z - 0.02) / 0.08, 0, 1)
        - 0.005
        - 0.25 * np.clip(0.075 - x, -1, 0)
    )
    top = (y > waist) & (x < sleeve_end) & ((y < collar) | (x > 0.11))
    trousers = (y <= waist) & (y > marks.ankle + (1 - look.leg) * (marks.knee - marks.ankle)) & (x < 0.5)
    shoes = y < marks.ankle + 0.015 - 0.1 * (z - 0.02)
    _paint_top(look, marks, np.flatnonzero(top), side, y, z, paint)
    _paint_trousers(look, marks, np.flatnonzero(trousers & ~shoes), side, y, z, paint)
    _paint_shoes(look, marks, np.flatnonzero(shoes & (y < marks.knee)), y, z, paint)
    if look.long_hair:
        _paint_long_hair(look, marks, x, y, z, paint.albedo)
    return paint


def _between(position: float, stations: tuple[float, float, float]) -> float:
    return float(np.interp(position, (0.0, 1.0, 2.0), stations))


def _paint_head(
    look: Look,
    marks: Landmarks,
    at: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    z: np.ndarray,
    paint: Paint,
) -> None:
    """Hair above a tilted line, eyes, brows, lips, cheeks and beard."""
    if not len(at):
        return
    x, y, z = x[at], y[at] - marks.head[0], z[at] - marks.head[1]
    strand = noise(x * 2.5 + z, y * 0.5, 9.0)
    color = paint.albedo[at] * (1 + 0.05 * noise(x, y, 12.0)[:, None])
    front = z > 0.055
    blush = front & (np.hypot(x - 0.042, y - 0.005) < 0.022)
    color[blush] *= np.array([1.06, 0.9, 0.88], np.float32)
    lips = front & (x < 0.024) & (np.abs(y + 0.042) < 0.008 - 0.12 * x)
    color[lips] *= np.array([0.9, 0.6, 0.58], np.float32)
    if look.beard:
        jaw = (y < -0.02 - 0.25 * x) & (y > -0.13) & (z > 0.0) & ~lips | (
            front & (np.abs(y + 0.022) < 0.008) & (x < 0.03)
        )
        color[jaw] += look.beard * 0.8 * (np.asarray(look.hair, np.float32) - color[jaw])
    brows = front & (np.abs(x - 0.034) < 0.018) & (np.abs(y - 0.064) < 0.004)
    color[brows] = 0.5 * np.asarray(look.hair, np.float32) + 0.4 * np.asarray(look.skin, np.float32)
    eye = front & ((x - 0.032) ** 2 / 0.015**2 + (y - 0.043) ** 2 / 0.007**2 < 1)
    color[eye] = 0.5
    color[eye & (np.hypot(x - 0.032, y - 0.043) < 0.0055)] = 0.03
    hairline = 0.098 - 0.75 * np.clip(0.075 - z, 0, 0.16) - 0.02 * strand - 0.35 * np.clip(x - 0.055, 0, 1)
    hair = (y > hairline) & (y > -0.07)
    color[hair] = np.asarray(look.hair, np.float32) * (1 + 0.35 * strand[hair, None])
    paint.albedo[at] = color
    paint.bump[at[hair]], paint.gloss[at[hair]] = 0.3, 0.03


def _paint_long_hair(
    look: Look, marks: Landmarks, x: np.ndarray, y: np.ndarray, z: np.ndarray, albedo: np.ndarray
) -> None:
    """Hair that falls over the neck to the shoulder blades."""
    down = y - marks.neck
    behind = z < marks.head[1] - 0.02 + 0.05 * np.clip(down / 0.2, -1, 1)
    hair = (
        behind & (x < 0.085 + 0.03 * np.sin(y * 40)) & (down > -0.16 - 0.02 * np.sin(x * 90)) & (down < 0.2)
    )
    strand = noise(x * 3, y * 0.3, 9.0)
    albedo[hair] = np.asarray(look.hair, np.float32) * (1 + 0.35 * strand[hair, None])


def _paint_top(
    look: Look, marks: Landmarks, at: np.ndarray, side: np.ndarray, y: np.ndarray, z: np.ndarray, paint: Paint
) -> None:
    if not len(at):
        return
    side, y, z = side[at], y[at], z[at]
    x = np.abs(side)
    first, second = np.asarray(look.top, np.float32), np.asarray(look.top_second, np.float32)
    weight = np.zeros(len(at), np.float32)
    front = z > 0.06
    if look.top_pattern == "stripes":
        along = np.where(x > marks.shoulder, x, y)
        weight = (np.floor(along / 0.035) % 2 == 0).astype(np.float32)
    elif look.top_pattern == "check":
        weight = 0.5 * (np.floor(y / 0.03) % 2) + 0.5 * (np.floor(x / 0.03) % 2)
    elif look.top_pattern == "print":
        print_y = y - (marks.neck - 0.17)
        inside = front & (x < 0.10) & (np.abs(print_y) < 0.075)
        cells = cell_hash(np.floor(side / 0.022), np.floor(print_y / 0.03))
        weight = np.where(inside, cells > 0.4, 0).astype(np.float32)
    elif look.top_pattern == "raglan":
        weight = (x + 0.55 * (y - marks.neck) > marks.shoulder - 0.09).astype(np.float32)
    elif look.top_pattern == "jacket":
        weight = (front & (x < 0.055 + 0.12 * np.clip(y - marks.neck + 0.22, 0, 1))).astype(np.float32)
        first = np.where(
            ((x > 0.09) & (x < 0.1) & front & (y < marks.neck - 0.2))[:, None], first * 0.6, first
        )
    shade = 1 + 0.10 * noise(side * 1.2 + z, y, 3.0) + 0.05 * noise(side + z, y, 50.0)
    hem = (np.abs(y - marks.pelvis - 0.09) < 0.004) & (x < 0.3)
    paint.albedo[at] = (first + (second - first) * weight[:, None]) * (shade * (1 - 0.25 * hem))[:, None]
    paint.bump[at] = 0.22
    paint.gloss[at] = 0.02


def _paint_trousers(
    look: Look, marks: Landmarks, at: np.ndarray, side: np.ndarray, y: np.ndarray, z: np.ndarray, paint: Paint
) -> None:
    if not len(at):
        return
    side, y, z = side[at], y[at], z[at]
    x = np.abs(side)
    shade = 1 + 0.08 * noise(side + z, y, 2.5) + 0.06 * noise(side - z, y, 60.0)
    outer = (np.abs(z - 0.02) < 0.012) & (x > 0.14)
    color = np.tile(np.asarray(look.trousers, np.float32), (len(at), 1))
    if look.trouser_pattern == "denim":
        worn = np.clip(1 - np.abs(y - (marks.knee + 0.15)) / 0.3, 0, 1) * (z > 0.05)
        shade = shade * (1 + 0.35 * worn) * (1 - 0.3 * outer)
    elif look.trouser_pattern == "sport":
        color[(np.abs(z - 0.02) < 0.02) & (x > 0.13)] = 0.6
    pocket = (np.abs(y - (marks.pelvis + 0.0) + 0.6 * (x - 0.12)) < 0.004) & (z > 0.05) & (x > 0.07)
    belt = y > marks.pelvis + 0.042
    color = color * (shade * (1 - 0.35 * pocket))[:, None]
    color[belt] *= 0.45
    paint.albedo[at] = color
    paint.bump[at] = 0.2
    paint.gloss[at] = 0.03


def _paint_shoes(
    look: Look, marks: Landmarks, at: np.ndarray, y: np.ndarray, z: np.ndarray, paint: Paint
) -> None:
    if not len(at):
        return
    y, z = y[at] - marks.sole, z[at]
    color = np.tile(np.asarray(look.shoes, np.float32), (len(at), 1))
    laces = (z > 0.06) & (z < 0.15) & (y > 0.06) & (np.floor(z / 0.011) % 2 == 0)
    color[laces] = 0.6
    color[(z > 0.19) & (y > 0.022)] *= 0.75
    color[y < 0.022] = np.asarray(look.shoe_sole, np.float32)
    paint.albedo[at] = color
    paint.bump[at] = 0.05
    paint.gloss[at] = 0.12
