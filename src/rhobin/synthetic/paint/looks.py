"""What a person looks like: body landmarks, colours and clothes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rhobin.synthetic.paint.materials import hsv

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
