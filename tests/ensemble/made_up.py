"""Members with known errors, stored as runs are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from rhobin.behave.ref import read_ref
from rhobin.body.chosen import body_hash
from rhobin.ensemble.people import People
from rhobin.scoring.collect import TRUTH, Further
from rhobin.scoring.store import HELD_OUT, Provenance, write_results

SEQUENCES = tuple(f"Date10_Sub0{n}_stool_{n}" for n in (1, 2, 6, 7, 8))
BODY = ("stand-in", body_hash(None))
ORIGIN = Provenance("made", "Made up", "a1", "best.ckpt", "c" * 64, "cfg", "data", "official", *BODY)


def true_people(sequences=SEQUENCES, each: int = 4, seed: int = 0) -> People:
    """One row of people in `each` views of every sequence."""
    rng = np.random.default_rng(seed)
    count = len(sequences) * each
    poses = rng.normal(0, 0.2, (1, count, 156))
    poses[..., :3] += (np.pi, 0, 0)
    sequence = np.repeat(np.array(sequences), each)
    return People(
        sequence,
        np.array([f"t{i % each:04d}.000" for i in range(count)]),
        np.where(np.char.find(sequence, "Sub01") + np.char.find(sequence, "Sub02") > -2, "male", "female"),
        poses.astype(np.float32),
        rng.normal(0, 0.5, (1, count, 10)).astype(np.float32),
        (rng.normal(0, 0.2, (1, count, 3)) + np.array((0, 0, 2.5))).astype(np.float32),
    )


def noisy(truth: People, sigmas, seed: int = 1, parts: dict[int, np.ndarray] | None = None) -> People:
    """Members whose poses and places are off by independent noise of these sizes.

    Args:
        truth: one row of people.
        sigmas: radians of each member; the place is off by as many decimetres.
        seed: of the noise.
        parts: by joint, the sizes of the members' noise there instead.
    """
    rng = np.random.default_rng(seed)
    members, count = len(sigmas), len(truth)
    size = np.broadcast_to(np.asarray(sigmas, float)[:, None, None, None], (members, 1, 52, 1)).copy()
    for joint, own in (parts or {}).items():
        size[:, 0, joint, 0] = own
    turn = (size * rng.normal(size=(members, count, 52, 3))).reshape(members, count, 156)
    move = 0.1 * size[:, :, 0] * rng.normal(size=(members, count, 3))
    return replace(
        truth,
        poses=(truth.poses + turn).astype(np.float32),
        betas=np.repeat(truth.betas, members, 0),
        trans=(truth.trans + move).astype(np.float32),
    )


def results_of(people: People, member: int = 0) -> dict:
    """One member's people in the challenge's layout."""
    results = {}
    for sequence in np.unique(people.sequence):
        rows = np.flatnonzero(people.sequence == sequence)
        results[str(sequence)] = {
            "frames": people.frame[rows].tolist(),
            "gender": str(people.gender[rows[0]]),
            **{
                key: getattr(people, key)[member, rows].astype(np.float64)
                for key in ("poses", "betas", "trans")
            },
        }
    return results


def store(
    folder: Path, people: People, truth: People, member: int = 0, held_out: bool = True, **origin
) -> Path:
    """Store one member's predictions of validation views, or of test views."""
    arrays = {f"{TRUTH}{key}": getattr(truth, key)[0] for key in ("poses", "betas", "trans")}
    further = Further(truth.sequence, truth.frame, arrays if held_out else {})
    place = folder / HELD_OUT if held_out else folder
    place.mkdir(parents=True, exist_ok=True)
    provenance = replace(ORIGIN, **{"run": folder.name, **origin})
    write_results(place, results_of(people, member), provenance, further)
    return folder


def runs_of(folder: Path, people: People, truth: People) -> list[Path]:
    """Every member's validation predictions in a run folder of its own."""
    return [store(folder / f"run{m}", people, truth, m) for m in range(len(people.poses))]


def shown_in_test(root):
    """True people of a root's test frames."""
    annotations, _ = read_ref(root)
    (name, a), *_ = annotations.items()
    arrays = {key: getattr(a, key)[None].astype(np.float32) for key in ("poses", "betas", "trans")}
    count = len(a.frames)
    return People(np.full(count, name), np.array(a.frames), np.full(count, a.gender), **arrays)
