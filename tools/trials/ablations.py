r"""Train G2DR without each of its parts, with several seeds and equal budgets, and say what each part brings.

    rhobin synth --out data/behave_synthetic_bench --size bench
    rhobin synth-objects --out data/renders_small --count 400 --size 128
    python tools/trials/ablations.py --root data/behave_synthetic_bench --renders data/renders_small \
        --out runs/ablations

Can be stopped at any moment and started again: finished runs are kept, the one under way goes on. `--table`
only prints what is there. About five minutes a run on two cores, 27 runs. "no_coordinates" also has no
discriminator, which would have nothing to judge; "pretrained" gives a fifth of its steps to renderings.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

import numpy as np

from rhobin.scoring.compare import compare, read_frame_scores

ROOT = Path(__file__).parents[2]
SCORES = ("AR_all", "MSSD_AR", "MSPD_AR", "RE_AR")
VARIANTS: dict[str, tuple[str, ...]] = {
    "full": (),
    "no_gan": ("model.gan=null",),
    "no_regions": ("model.weights.region=0",),
    "no_coordinates": ("model.weights.nocs=0", "model.gan=null"),
    "no_class": ("model.net.classes=0", "model.net.class_embedding=false", "model.net.class_output=false"),
    "no_class_output": ("model.net.class_output=false",),
    "separate_symmetry": ("model.symmetry=separate",),
    "no_symmetry": ("model.symmetry=none",),
}
PRETRAINED = "pretrained"


def command(name: str, seed: int, options: argparse.Namespace) -> list[str]:
    """The training of a variant."""
    steps, changes = options.steps, VARIANTS.get(name, ())
    if name == PRETRAINED:  # a fifth of the same number of steps goes to renderings
        first, steps = options.steps // 5, options.steps - options.steps // 5
        changes = (
            f"+stages.renders={{trainer: {{max_steps: {first}}}, data: {{root: {options.renders}, augment: "
            f"{{background_p: 1.0, background_from: {options.root}}}, validation: {{by: group}}}}, "
            "callbacks: {views: 0}}",
            "+stages.scenes={}",
        )
    return [
        "train.py", "experiment=g2dr/synthetic", f"data.root={options.root}", f"trainer.max_steps={steps}",
        f"run_dir={options.out / f'{name}_{seed}'}", f"seed={seed}", f"data.seed={seed}", "resume=auto",
        f"callbacks.evaluator.every_n_steps={steps}", "callbacks.views=32", *changes,
    ]  # fmt: skip


def run(name: str, seed: int, options: argparse.Namespace) -> None:
    """Train and score one variant with one seed, unless that is done."""
    folder = options.out / f"{name}_{seed}"
    if (folder / "scores.json").is_file():
        return
    log = options.out / f"{name}_{seed}.log"
    with log.open("a") as output:
        for arguments in (
            command(name, seed, options),
            ["eval.py", f"run={folder}", "checkpoint=last", "tracks=[object]"],
        ):
            print(" ".join(arguments), flush=True)
            done = subprocess.run(
                [sys.executable, *arguments], cwd=ROOT, stdout=output, stderr=output, check=False
            )
            if done.returncode:
                raise SystemExit(f"{name}, seed {seed}: ended with status {done.returncode}, see {log}")


def table(options: argparse.Namespace) -> str:
    """What is finished, as a table in Markdown."""
    rows = [
        f"| | seeds | {' | '.join(SCORES)} | AR_all against full | 95 % over sequences | minutes |",
        "|---" * 9 + "|",
    ]
    for name in (*VARIANTS, PRETRAINED):
        folders = [
            f for s in range(options.seeds) if (f := options.out / f"{name}_{s}" / "scores.json").is_file()
        ]
        if folders:
            rows.append(row(name, [folder.parent for folder in folders], options))
    return "\n".join(rows)


def row(name: str, folders: list[Path], options: argparse.Namespace) -> str:
    """One variant: mean and deviation over seeds, and the paired difference to the full method."""
    runs = [read_frame_scores(folder, "object") for folder in folders]
    values = {score: [compare((one,), 100).runs[0][score].value for one in runs] for score in SCORES}
    cells = [f"{np.mean(v):.3f} ± {np.std(v, ddof=1) if len(v) > 1 else 0:.3f}" for v in values.values()]
    minutes = np.mean([spent(folder) for folder in folders])
    gaps = []
    for folder, one in zip(folders, runs, strict=True):
        full = options.out / f"full_{folder.name.rpartition('_')[2]}"
        if name != "full" and (full / "scores.json").is_file():
            gaps.append(compare((read_frame_scores(full, "object"), one)).difference["AR_all"])
    gap = [np.mean([getattr(g, part) for g in gaps]) for part in ("value", "low", "high")] if gaps else None
    told = f"{gap[0]:+.3f} | {gap[1]:+.3f} to {gap[2]:+.3f}" if gap else " | "
    return f"| {name} | {len(folders)} | {' | '.join(cells)} | {told} | {minutes:.1f} |"


def spent(folder: Path) -> float:
    """Minutes that the last stage took, by its speed."""
    info = json.loads((folder / "run.json").read_text())
    return info["steps"] * 16 / info["images_per_second"] / 60


def main() -> None:
    """Read the command line; train what is missing, print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--root", type=Path, required=True, help="generated root of size bench")
    parser.add_argument("--renders", type=Path, help="renderings for the pre-trained variant; none without")
    parser.add_argument("--out", type=Path, required=True, help="folder of the runs")
    parser.add_argument("--steps", type=int, default=2000, help="of each run (default: 2000)")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--variants", nargs="*", default=[*VARIANTS, PRETRAINED])
    parser.add_argument("--table", action="store_true", help="only print what is finished")
    options = parser.parse_args()
    for name in ("root", "out", "renders"):
        path = getattr(options, name)
        setattr(options, name, path and path.resolve())
    options.out.mkdir(parents=True, exist_ok=True)
    wanted = [name for name in options.variants if name != PRETRAINED or options.renders]
    for seed in () if options.table else range(options.seeds):
        for name in wanted:
            run(name, seed, options)
    print(table(options))


if __name__ == "__main__":
    main()
