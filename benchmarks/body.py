"""Times the body kernel beside what one would use instead; every ratio comes from one run.

    python benchmarks/body.py [--threads 2] [--repeats 15] [--batches 1 16 64 256] [--out FILE.json]
                              [--memory-batch 64, or 0 for none]

- forward kinematics and skinning of 6,890 vertices against smplx;
- inverse kinematics, alone and with skinning, against a joint-by-joint loop in the reference's style (our own
  `rhobin.body.compatible`, which reproduces HybrIK's solver);
- fitting vertices against smplfitter at equal error, where it is installed (`pip install -e .[bench]`).

Blocks of runs of the two sides alternate, and the best of each side counts, as in `timeit`: what else the
machine does can only add. Memory is the growth of the peak of a fresh process, at one batch size.
"""

import argparse
import ctypes
import json
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

warnings.filterwarnings("ignore")

from rhobin.body.arrays import read_arrays  # noqa: E402
from rhobin.body.compatible import reference_rotations  # noqa: E402
from rhobin.body.fit import BodyFitter  # noqa: E402
from rhobin.body.ik import hybrik, hybrik24  # noqa: E402
from rhobin.body.load import find, load_body  # noqa: E402
from rhobin.body.twist import twist_targets  # noqa: E402
from rhobin.geometry.rotation import rotmat_to_rotvec, rotvec_to_rotmat  # noqa: E402

Pair = tuple[Callable[[], object], Callable[[], object]]


def main() -> None:
    """Print the table and write it as JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 16, 64, 256])
    parser.add_argument("--memory-batch", type=int, default=64)
    parser.add_argument("--fit-batch", type=int, default=32)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--memory-of", nargs=3, metavar=("ROW", "SIDE", "BATCH"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    with torch.no_grad():
        if args.memory_of:
            row, side, batch = args.memory_of
            print(_growth(_pairs(int(batch))[row][int(side)]))
            return
        rows = [row for batch in args.batches for row in _table(batch, args.repeats, args.memory_batch)]
        rows += _fits(args.fit_batch, max(3, args.repeats // 5))
    if args.out:
        args.out.write_text(json.dumps({"threads": args.threads, "rows": rows}, indent=2), encoding="utf-8")


def _table(batch: int, repeats: int, memory_batch: int) -> list[dict]:
    rows = []
    for name, (ours, other) in _pairs(batch).items():
        mine, theirs = _alternate(ours, other, repeats)
        memory = [_memory(name, side, batch) for side in (0, 1)] if batch == memory_batch else None
        first, second = (1000 * float(side.min()) for side in (mine, theirs))
        ratio = second / first
        rows.append(
            {"what": name, "batch": batch, "ours_ms": first, "other_ms": second, "ratio": ratio}
            | ({"peak_mb": memory} if memory else {})
        )
        peak = f"; peak +{memory[0]:.0f} and +{memory[1]:.0f} MB" if memory else ""
        print(f"{name:<37} batch {batch:<4}{first:9.2f} ms, other{second:9.2f} ms, {ratio:5.2f} times{peak}")
        sys.stdout.flush()
    return rows


def _pairs(batch: int) -> dict[str, Pair]:
    """Ours and the other side of every comparison but the fits."""
    body = load_body("male")
    theta = rotvec_to_rotmat(0.4 * torch.randn(batch, 52, 3))
    beta, trans = torch.randn(batch, 10), torch.randn(batch, 3)
    rest = body.rest29(beta)
    joints = body.joints29(body.kinematics(theta, beta, trans), beta)
    joints = joints + 0.003 * torch.randn_like(joints)
    twist = twist_targets(theta, rest)[0]
    hands = theta[:, 22:]
    theirs = _smplx(batch)
    rotvec = rotmat_to_rotvec(theta).flatten(1)

    def skinned(rotations: torch.Tensor) -> object:
        return theirs_body(torch.cat((rotations[:, :22], hands), dim=1))

    def theirs_body(rotations: torch.Tensor) -> object:
        vectors = rotmat_to_rotvec(rotations).flatten(1)
        return theirs(vectors, beta, trans)

    return {
        "vertices | smplx": (lambda: body(theta, beta, trans), lambda: theirs(rotvec, beta, trans)),
        "joints only | smplx": (
            lambda: body.kinematics(theta, beta, trans),
            lambda: theirs(rotvec, beta, trans, return_verts=False),
        ),
        "naive IK | loop": (
            lambda: hybrik24(joints, rest, twist, root="spine"),
            lambda: reference_rotations(joints, rest, twist),
        ),
        "naive IK, root by fit | loop": (
            lambda: hybrik24(joints, rest, twist),
            lambda: reference_rotations(joints, rest, twist),
        ),
        "adaptive IK | loop": (
            lambda: hybrik24(joints, rest, twist, adaptive=True),
            lambda: reference_rotations(joints, rest, twist, adaptive=True),
        ),
        "adaptive IK + vertices | loop + smplx": (
            lambda: body(hybrik(joints, rest, twist, hands, adaptive=True), beta, trans),
            lambda: skinned(reference_rotations(joints, rest, twist, adaptive=True)),
        ),
        "naive IK + vertices | loop + smplx": (
            lambda: body(hybrik(joints, rest, twist, hands, root="spine"), beta, trans),
            lambda: skinned(reference_rotations(joints, rest, twist)),
        ),
    }


def _smplx(batch: int) -> Callable[..., object]:
    import smplx
    from smplx.utils import Struct

    with np.load(find("male", None)) as archive:
        data = {key: archive[key] for key in archive.files}
    for key, value in data.items():
        if value.dtype.kind in "fiu":
            data[key] = value.astype(np.float32 if value.dtype.kind == "f" else np.int64)
    ids = dict.fromkeys(smplx.vertex_ids.vertex_ids["smplh"], 0)
    model = smplx.SMPLH("", data_struct=Struct(**data), gender="male", use_pca=False, flat_hand_mean=True,
                        batch_size=batch, vertex_ids=ids)  # fmt: skip

    def run(rotvec: torch.Tensor, beta: torch.Tensor, trans: torch.Tensor, **options: bool) -> object:
        return model(betas=beta, global_orient=rotvec[:, :3], body_pose=rotvec[:, 3:66],
                     left_hand_pose=rotvec[:, 66:111], right_hand_pose=rotvec[:, 111:], transl=trans,
                     **options)  # fmt: skip

    return run


def _fits(batch: int, repeats: int) -> list[dict]:
    """Milliseconds a body and mean vertex error for every number of steps of both fitters."""
    body = load_body("male")
    theta = rotvec_to_rotmat(0.3 * torch.randn(batch, 52, 3))
    beta, trans = torch.randn(batch, 10), torch.randn(batch, 3)
    verts = body(theta, beta, trans).verts
    fitter = BodyFitter(body)
    runs = {("rhobin", steps): _ours(fitter, steps) for steps in (1, 2, 3, 4, 6)}
    try:
        runs.update({("smplfitter", steps): run for steps, run in _smplfitter().items()})
    except ImportError:
        print("smplfitter: not installed (pip install smplfitter)")
    rows = []
    for noise in (0.0, 0.01):
        target = verts + noise * torch.randn_like(verts)
        times: dict[tuple[str, int], list[float]] = {key: [] for key in runs}
        for _ in range(repeats):
            for key, run in runs.items():
                start = time.perf_counter()
                run(target)
                times[key].append(time.perf_counter() - start)
        for (name, steps), run in runs.items():
            error = 1000 * (run(target) - verts).norm(dim=-1).mean().item()
            ms = 1000 * min(times[name, steps]) / batch
            rows.append({"what": f"fit {name}", "steps": steps, "noise_mm": 1000 * noise, "ms_a_body": ms,
                         "error_mm": error})  # fmt: skip
            print(f"fit {name:<11} steps {steps}, noise {1000 * noise:2.0f} mm: {ms:7.2f} ms a body, "
                  f"error {error:6.3f} mm", flush=True)  # fmt: skip
    return rows


def _ours(fitter: BodyFitter, steps: int) -> Callable[[torch.Tensor], torch.Tensor]:
    def run(target: torch.Tensor) -> torch.Tensor:
        fit = fitter.verts(target, steps=steps)
        return fitter.body(fit.theta, fit.beta, fit.trans).verts

    return run


def _smplfitter() -> dict[int, Callable[[torch.Tensor], torch.Tensor]]:
    from smplfitter.pt import BodyFitter as Fitter
    from smplfitter.pt import BodyModel

    arrays = read_arrays(find("male", None), "male")
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "male"
        place.mkdir()
        table = np.array([[2**32 - 1, *arrays.parents[1:]], range(52)], dtype=np.int64)
        np.savez(place / "model.npz", v_template=arrays.template, shapedirs=arrays.shapedirs,
                 posedirs=arrays.posedirs, J_regressor=arrays.regressor, weights=arrays.weights,
                 f=arrays.faces, kintree_table=table)  # fmt: skip
        np.save(Path(folder) / "kid_template.npy", np.zeros_like(arrays.template))
        model = BodyModel("smplh16", "male", model_root=folder)
    fitter = Fitter(model)

    def runner(steps: int) -> Callable[[torch.Tensor], torch.Tensor]:
        def run(target: torch.Tensor) -> torch.Tensor:
            fit = fitter.fit(target, num_iter=steps, beta_regularizer=0.01)
            keys = ("pose_rotvecs", "shape_betas", "trans")
            return model(**{key: fit[key] for key in keys})["vertices"]

        return run

    return {steps: runner(steps) for steps in (1, 2, 3, 4)}


def _alternate(ours: Callable, other: Callable, repeats: int) -> tuple[np.ndarray, np.ndarray]:
    """Seconds a call of either side, in blocks of calls that take 5 ms or more, block by block in turn."""
    counts = [max(1, int(0.005 / _block(run, 3))) for run in (ours, other)]
    times = [[_block(run, n) for run, n in zip((ours, other), counts, strict=True)] for _ in range(repeats)]
    return tuple(np.array(times).T)


def _block(run: Callable, calls: int) -> float:
    start = time.perf_counter()
    for _ in range(calls):
        run()
    return (time.perf_counter() - start) / calls


def _memory(row: str, side: int, batch: int) -> float:
    command = [sys.executable, "-W", "ignore", __file__, "--memory-of", row, str(side), str(batch)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[-1])


def _growth(run: Callable[[], object]) -> float:
    """Megabytes that one call adds to the process at its peak (Linux)."""
    status = Path("/proc/self/status")

    def kilobytes(name: str) -> int:
        return next(
            int(line.split()[1])
            for line in status.read_text(encoding="utf-8").splitlines()
            if line.startswith(name)
        )

    run()
    ctypes.CDLL(None).malloc_trim(0)  # gives back what the first call left
    Path("/proc/self/clear_refs").write_bytes(b"5")  # forgets the peak of loading
    before = kilobytes("VmRSS")
    run()
    return (kilobytes("VmHWM") - before) / 1024


if __name__ == "__main__":
    main()
