"""Our scorers beside a plain implementation in the official style; every ratio comes from one run.

    pip install -e .[bench]
    python benchmarks/metrics.py [--sequences 90] [--frames 50] [--plain 6] [--workers 2] [--out FILE]

Ours scores all frames. The plain side (`metrics_plain.py`) scores a few sequences in between, and its time is
given a frame: it is a loop over frames, so that is what all would cost. Both first score one sequence at the
same points and must agree. The object has a symmetry group of 64.

The plain side runs on one thread, as the challenge's recorded times do; ours on `--workers`. The ratio is of
wall times. A busy machine is unfair to the side that could use two cores, so CPU time, which other programs
hardly change, is given as well.
"""

import argparse
import json
import os
import time
from collections.abc import Callable
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"  # before NumPy: one thread a call

import metrics_plain
import numpy as np
import torch
from scipy.spatial.transform import Rotation

from rhobin.behave.ref import RefTemplate, SequenceAnnotation
from rhobin.body.load import find, load_body
from rhobin.metrics.human_track import score_human
from rhobin.metrics.joint import draw_samples, frame_rng
from rhobin.metrics.joint_track import score_joint
from rhobin.metrics.object_track import object_points, score_object
from rhobin.metrics.protocol import OBJECT_MODES, SAMPLES
from rhobin.objects.load import load_templates

TARGETS = {"human": 20, "object": 10, "joint": 4}
REFERENCE = {"human": 8.27, "object": 10.96 * 64 / 31, "joint": 86.96}
"""Milliseconds a frame of the challenge's own code on one thread; object scaled from 31 symmetries."""


def make_sequences(count: int, frames: int) -> tuple[dict, dict]:
    """Random people and objects in the challenge's format, and predictions with moderate errors."""
    rng, truth, results = np.random.default_rng(0), {}, {}

    def normal(spread: float, *shape: int) -> np.ndarray:
        return rng.normal(0, spread, (frames, *shape))

    for index in range(count):
        poses, betas, trans = normal(0.2, 156), normal(1, 10), normal(0.1, 3) + np.array([0, 0, 2.5])
        turns, at = Rotation.random(frames, random_state=index), trans + normal(0.2, 3)
        names, off = [f"t{i:04d}.000" for i in range(frames)], Rotation.from_rotvec(normal(0.2, 3))
        people = {"frames": names, "gender": "male", "betas": betas, "trans": trans}
        truth[f"Date03_Sub04_stool_{index:02d}"] = people | {
            "poses": poses, "obj_rots": turns.as_rotvec(), "obj_trans": at, "occ_ratios": np.ones(frames)
        }  # fmt: skip
        results[f"Date03_Sub04_stool_{index:02d}"] = people | {
            "poses": poses + normal(0.05, 156), "obj_rots": (off * turns).as_matrix(),
            "obj_trans": at + normal(0.03, 3),
        }  # fmt: skip
    return truth, results


def plain_model() -> dict[str, np.ndarray]:
    """The stand-in body as dense double-precision arrays."""
    with np.load(find("male", None)) as archive:
        model = {key: np.asarray(archive[key]) for key in archive.files}
    kept = {k: v.astype(np.float64) if v.dtype.kind == "f" else v for k, v in model.items()}
    dense = kept["posedirs"].reshape(-1, kept["posedirs"].shape[-1])
    return kept | {"posedirs_rows": np.ascontiguousarray(dense.T)}


def timed(work: Callable[[], dict[str, float]]) -> tuple[float, float]:
    """A call's wall seconds and CPU seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def our_points(name: str, meshes: list[tuple[np.ndarray, np.ndarray]]) -> list[np.ndarray]:
    """The points that our joint scorer draws in a frame; prediction after truth."""
    rng, points = frame_rng(0, name), [np.empty(0)] * 4
    for at in (0, 2, 1, 3):
        verts, faces = meshes[at]
        points[at] = draw_samples(verts, faces, SAMPLES, rng).on(verts, faces)
    return points


def main() -> None:
    """Check that both sides agree, then time each track both ways."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--sequences", type=int, default=90)
    parser.add_argument("--frames", type=int, default=50, help="frames of each sequence")
    parser.add_argument("--plain", type=int, default=6, help="sequences of the plain side")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(1)  # ours has threads of its own
    truth, results = make_sequences(args.sequences, args.frames)
    annotations = {name: SequenceAnnotation(**record) for name, record in truth.items()}
    body, model, mesh = load_body("male", None, torch.float64), plain_model(), load_templates()["stool"]
    bodies = {"male": body, "female": body}
    turns = Rotation.from_rotvec(np.outer(2 * np.pi / 64 * np.arange(64), [0, 1, 0])).as_matrix()
    template = RefTemplate(
        np.asarray(mesh.verts, np.float64), np.asarray(mesh.faces), [(turn, np.zeros(3)) for turn in turns]
    )
    templates, plain_template = {"stool": template}, vars(template)

    def ours(track: str, names: list[str]) -> Callable[[], dict[str, float]]:
        some, found = ({name: part[name] for name in names} for part in (annotations, results))
        return {
            "human": lambda: score_human(some, found, bodies).metrics(),
            "object": lambda: score_object(some, templates, found, workers=args.workers).metrics(),
            "joint": lambda: score_joint(some, templates, found, bodies, workers=args.workers).metrics(),
        }[track]

    def plain(track: str, names: list[str], same: bool) -> Callable[[], dict[str, float]]:
        def thousands(name: str, meshes: list) -> list[np.ndarray]:
            if same:
                return [object_points(template, name, OBJECT_MODES["official"])]
            return metrics_plain.draw_points(name, meshes, 10_000)

        some = {name: truth[name] for name in names}
        joint_points: Callable = our_points if same else metrics_plain.draw_points
        return {
            "human": lambda: metrics_plain.human_scores(some, results, model),
            "object": lambda: metrics_plain.object_scores(some, results, plain_template, thousands),
            "joint": lambda: metrics_plain.joint_scores(some, results, model, plain_template, joint_points),
        }[track]

    rows, names = {}, list(truth)
    count = args.plain
    for track in TARGETS:
        a, b = ours(track, names[:1])(), plain(track, names[:1], same=True)()
        apart = max(abs(a[key] - b[key]) / max(abs(b[key]), 1e-9) for key in b)
        if apart > 1e-5:
            raise SystemExit(f"{track}: the two sides differ at the same points: {a} and {b}")
        spent = np.zeros(4)
        for block in np.array_split(names, count):
            spent[:2] += timed(ours(track, block.tolist()))
            spent[2:] += timed(plain(track, block[:1].tolist(), same=False))
        wall, cpu, plain_wall, plain_cpu = spent
        total, part = args.sequences * args.frames, count * args.frames
        rows[track] = {
            "frames": total, "plain_frames": part, "apart": apart,
            "ours_ms": 1000 * wall / total, "ours_cpu_ms": 1000 * cpu / total,
            "plain_ms": 1000 * plain_wall / part, "plain_cpu_ms": 1000 * plain_cpu / part,
            "ratio": plain_wall / part / (wall / total),
        }  # fmt: skip
        report(track, rows[track])
    if args.out:
        args.out.write_text(json.dumps({"workers": args.workers, "tracks": rows}, indent=2), encoding="utf-8")


def report(track: str, row: dict) -> None:
    """Print a track's figures."""
    print(
        f"{track:6} ours {row['ours_ms']:7.3f} ms a frame ({row['ours_cpu_ms']:.3f} CPU) on {row['frames']} "
        f"frames; plain {row['plain_ms']:7.2f} ms ({row['plain_cpu_ms']:.2f} CPU) on {row['plain_frames']}, "
        f"the challenge's own code {REFERENCE[track]:.1f} ms\n       {row['ratio']:.1f} times as fast "
        f"(wanted: {TARGETS[track]}), {row['plain_cpu_ms'] / row['ours_cpu_ms']:.1f} by CPU time; equal at "
        f"the same points to {row['apart']:.1e}",
        flush=True,
    )


if __name__ == "__main__":
    main()
