"""Build the stand-in bodies: SMPL-H-format models made from Anny, free of SMPL's licence.

Needs ``pip install rhobin[standin]``. Writes ``standin_{male,female,neutral}.npz`` and ``standin.json``.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from standin import hands, regressor
from standin.bodies import make_bodies
from standin.decimate import decimate_symmetric
from standin.people import sample_people
from standin.shape import fit_shape_space
from standin.skeleton import NAMES, joint_of_bone
from standin.source import Source, load_anny
from standin.store import write_model
from standin.tpose import Tips, find_tips

VERTICES = 6890
PEOPLE = 500
MODEL_ID = "rhobin-standin-1"
GENDERS = ("male", "female", "neutral")
ASSETS = Path(__file__).parents[1] / "src/rhobin/body/assets"


def joint_weights(source: Source) -> np.ndarray:
    """(V, 52) skinning weights: each bone's weight goes to the joint that moves it."""
    out = np.zeros((len(source.template), len(NAMES)))
    np.add.at(out.T, joint_of_bone(source.labels, source.parents), source.weights.T)
    return out


def build(source: Source, tips: Tips, gender: str, seed: int) -> dict[str, np.ndarray]:
    """The SMPL-H arrays of one gender."""
    rng = np.random.default_rng(seed)
    people = make_bodies(source, tips, sample_people(gender, PEOPLE, rng))
    space = fit_shape_space(people.verts, source.mirror)
    weights = joint_weights(source)
    betas = space.coefficients(people.verts)
    rows = regressor.fit_regressor(space, people.joints, weights, source.mirror, betas)
    error = np.linalg.norm(np.einsum("jv,nvc->njc", rows, people.verts) - people.joints, axis=-1)
    residual = np.linalg.norm(space.bodies(betas) - people.verts, axis=-1) * 1e3
    print(gender, space.explained, "res", residual.mean(), np.percentile(residual, 99), residual.max(),
          "reg", error.mean() * 1e3, error.max() * 1e3, np.abs(rows).sum(1).max())
    joints = rows @ space.template
    print(dict(zip(NAMES, (error.mean(0)*1e3).round(1))))
    return {
        "v_template": space.template,
        "shapedirs": space.directions.transpose(1, 2, 0),
        "posedirs": np.zeros((len(space.template), 3, 459)),
        "J_regressor": rows,
        "weights": weights,
        "f": source.faces,
        "hands_meanl": hands.mean_hand(joints, "left"),
        "hands_meanr": hands.mean_hand(joints, "right"),
        "leaf_vertices": hands.leaf_vertices(space.template, joints, source.mirror),
    }


def main() -> None:
    """Build and write all three models."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ASSETS, help="folder of the npz files")
    parser.add_argument("--cache", type=Path, default=Path("build/anny"), help="Anny's 0.7 GB cache")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    source = load_anny(args.cache.resolve())
    kept, faces = decimate_symmetric(source.template, source.faces, source.mirror, VERTICES)
    source = source.subset(kept, faces)
    tips = find_tips(source.template, source.heads, source.weights, source.labels)
    for gender in GENDERS:
        arrays = build(source, tips, gender, args.seed)
        write_model(args.out / f"standin_{gender}.npz", arrays, gender, f"{MODEL_ID}-{gender}")


if __name__ == "__main__":
    main()
