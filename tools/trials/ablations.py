r"""Train a method without each of its parts, with several seeds and equal budgets, and print the table.

    rhobin synth --out data/behave_synthetic_bench --size bench
    rhobin synth-objects --out data/renders_small --count 400 --size 128
    python tools/trials/ablations.py g2dr --root data/behave_synthetic_bench --renders data/renders_small \
        --out runs/ablations_g2dr
    rhobin synth --out data/behave_synthetic_occluded --size bench_occluded
    python tools/trials/ablations.py bev_hybrik --root data/behave_synthetic_bench \
        --occluded data/behave_synthetic_occluded --out runs/ablations_bev

Can be stopped at any moment and started again: finished runs are kept, the one under way goes on. `--table`
only prints what is there; `--variants` with `--threads 1` lets two processes share the work and a folder.
`--occluded` scores every run on a second root as well, in OUT/occluded, and adds a table of that.
About five minutes a run on two cores. G2DR's "no_coordinates" also has no discriminator, which would have
nothing to judge; its "pretrained" gives a fifth of its steps to renderings. "base" of BEV-HybrIK is Table 3's
first row, "augment" its second; the third is `rhobin ensemble` of finished runs, whose validation views are
predicted as well. Its "stages" gives a sixth of its steps to each of the two stages before the whole task.
KHOR's "fused" and "finest" have a small HRNet in place of the pyramid and take longer for the same steps.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rhobin.scoring.compare import compare, read_frame_scores
from rhobin.scoring.sequence_means import Spread
from rhobin.scoring.store import HELD_OUT

ROOT = Path(__file__).parents[2]
PRETRAINED, STAGED, OCCLUDED = "pretrained", "stages", "occluded"
COMPARED = 2  # scores of a track that are compared with the reference's


@dataclass(frozen=True)
class Study:
    """What is compared.

    Attributes:
        scores: names of those in the tables, by track; the first are compared with the reference's.
        digits: printed of them.
        variants: overrides by name; the first is the reference.
        always: overrides of every variant, which its own may take back.
    """

    scores: dict[str, tuple[str, ...]]
    digits: int
    variants: dict[str, tuple[str, ...]]
    always: tuple[str, ...] = ()


ONE_LOOK = "model.testing.mirrored=false"
PLAIN = ("data.augment.mirror_p=0", ONE_LOOK)
AVERAGED = "callbacks.ema={_target_: rhobin.engine.ema.WeightAverage, decay: 0.995}"
OCCLUDERS = ("data.augment.occluder.p=0.5",)
BINS = ("model.net.head.depth_bins=16", "+model.net.head.shrink=2")
BACKGROUNDS = ("data.augment.background_p=0.5",)
HRNET = (
    "backbone@model.net.backbone=hrnet_w48",
    "model.net.backbone.variant=hrnet_w18_small",
    "model.net.backbone.weights=null",
    "model.net.backbone.out_channels=64",
)
STUDIES = {
    "g2dr": Study(
        {"object": ("AR_all", "MSSD_AR", "MSPD_AR", "RE_AR")},
        3,
        {
            "full": (),
            "no_gan": ("model.gan=null",),
            "no_regions": ("model.weights.region=0",),
            "no_coordinates": ("model.weights.nocs=0", "model.gan=null"),
            "no_class": (
                "model.net.classes=0",
                "model.net.class_embedding=false",
                "model.net.class_output=false",
            ),
            "no_class_output": ("model.net.class_output=false",),
            "separate_symmetry": ("model.symmetry=separate",),
            "no_symmetry": ("model.symmetry=none",),
            PRETRAINED: (),
        },
    ),
    "bev_hybrik": Study(
        {"human": ("MPJPE_PA", "MPJPE", "PCK", "AUC", "MPJAE", "MPJAE_PA")},
        2,
        {
            "base": PLAIN,
            "augment": OCCLUDERS,
            "mirror": (ONE_LOOK,),
            "occluders": (*PLAIN, *OCCLUDERS),
            "ray": (*PLAIN, "data.view.ray=turn"),
            "sizes": (*PLAIN, "data.view.sizes=[96,128,160]"),
            "looks": (PLAIN[0], "model.testing.scales=[0.85,1.0,1.15]"),
            "no_posing": (*PLAIN, "model.posing=1"),
            "own_place": (*PLAIN, "model.taught=[0,0]"),
            "averaged": (*PLAIN, AVERAGED),
            STAGED: PLAIN,
        },
    ),
    "khor": Study(
        {"joint": ("SMPL", "Object"), "human": ("MPJPE_PA", "MPJPE"), "object": ("AR_all", "RE_AR")},
        2,
        {
            "base": (),
            "mirror": ("data.augment.mirror_p=0.5",),
            "minimum": ("model.symmetry=minimum",),
            "canonical": ("data.targets.canonical_symmetry=true",),
            "class": ("model.net.object_classes=20",),
            "no_laplace": ("model.weights.joints_laplace=0", "model.weights.kpts_laplace=0"),
            "depth_2.2": ("model.depth_range=2.2",),
            "depth_map": ("head@model.net.head=depth_map",),
            "volumetric": ("head@model.net.head=volumetric", *BINS),
            "window": ("model.reads.crop=window",),
            "no_background": ("data.view.background=zero",),
            "g2dr_augment": ("data.augment.colour_set=g2dr", "data.augment.shift=0.25", *BACKGROUNDS),
            "bev_augment": OCCLUDERS,
            "human_only": ("model.reads.parts=[human]", "callbacks.evaluator.monitor.name=val/MPJPE_PA"),
            "object_only": ("model.reads.parts=[object]", "callbacks.evaluator.monitor.name=val/MSSD"),
            "fused": HRNET,
            "finest": (*HRNET, "model.net.backbone.branches=finest"),
        },
        always=("data.augment.mirror_p=0",),
    ),
}


def command(name: str, seed: int, options: argparse.Namespace) -> list[str]:
    """The training of a variant."""
    steps, study = options.steps, STUDIES[options.method]
    changes = (*study.always, *study.variants[name])
    if name in (PRETRAINED, STAGED):  # earlier stages take their part of the same number of steps
        first = options.steps // (5 if name == PRETRAINED else 6)
        earlier = renderings(first, options) if name == PRETRAINED else parts_of_the_body(first)
        steps, changes = options.steps - first * len(earlier), (*changes, *earlier, "+stages.last={}")
    return [
        "train.py", f"experiment={options.method}/synthetic", f"data.root={options.root}",
        f"trainer.max_steps={steps}", f"run_dir={options.out / f'{name}_{seed}'}", f"seed={seed}",
        f"data.seed={seed}", "resume=auto", f"threads={options.threads or 'null'}",
        f"callbacks.evaluator.every_n_steps={steps}", "callbacks.views=32", *changes, *options.overrides,
    ]  # fmt: skip


def renderings(steps: int, options: argparse.Namespace) -> tuple[str, ...]:
    """A stage of rendered objects on other backgrounds."""
    return (
        f"+stages.renders={{trainer: {{max_steps: {steps}}}, data: {{root: {options.renders}, augment: "
        f"{{background_p: 1.0, background_from: {options.root}}}, validation: {{by: group}}}}, "
        "callbacks: {views: 0}}",
    )


def parts_of_the_body(steps: int) -> tuple[str, ...]:
    """The first two stages of `bev_hybrik/paper_base`: the image plane alone, then all but the posed body."""
    rest = ("bird", "volume", "offset", "depths", "joints_laplace", "beta", "twist")
    weights = ", ".join(f"{name}: 0.0" for name in rest)
    start = f"{{trainer: {{max_steps: {steps}}}, callbacks: {{views: 0}}, model: {{posing: 1.0"
    return (f"+stages.planar={start}, weights: {{{weights}}}}}}}", f"+stages.spatial={start}}}}}")


def run(name: str, seed: int, options: argparse.Namespace) -> None:
    """Train and score one variant with one seed, as far as that is not done."""
    log = options.out / f"{name}_{seed}.log"
    with log.open("a", encoding="utf-8") as output:
        for arguments in missing(name, seed, options):
            print(" ".join(arguments), flush=True)
            done = subprocess.run(
                [sys.executable, *arguments], cwd=ROOT, stdout=output, stderr=output, check=False
            )
            if done.returncode:
                raise SystemExit(f"{name}, seed {seed}: ended with status {done.returncode}, see {log}")


def missing(name: str, seed: int, options: argparse.Namespace) -> list[list[str]]:
    """The commands of one variant with one seed whose results are not there yet."""
    folder, tracks = options.out / f"{name}_{seed}", [*STUDIES[options.method].scores]
    only = [f"tracks=[{tracks[0]}]"] if len(tracks) == 1 else []
    score, commands = ["eval.py", f"run={folder}", "checkpoint=last", *only], []
    if not (folder / "scores.json").is_file():
        held_out = (
            [[*score[:3], "views=val", f"out={folder / HELD_OUT}"]] if tracks == ["human"] else []
        )  # for ensembles
        commands += [command(name, seed, options), *held_out, [*score, f"out={folder}"]]
    occluded = options.out / OCCLUDED / folder.name
    if options.occluded and not (occluded / "scores.json").is_file():
        commands += [[*score, f"data.root={options.occluded}", f"out={occluded}"]]
    return commands


def tables(options: argparse.Namespace) -> str:
    """What is finished, as tables in Markdown: one a track, then those of `--occluded`."""
    tracks = STUDIES[options.method].scores
    told = [table(options, options.out, track) for track in tracks]
    if options.occluded:
        told += [f"{options.occluded.name}:"]
        told += [table(options, options.out / OCCLUDED, track) for track in tracks]
    return "\n\n".join(told)


def table(options: argparse.Namespace, scored: Path, track: str) -> str:
    """What is finished, by a track's scores in the folders of `scored`."""
    study = STUDIES[options.method]
    reference, scores = next(iter(study.variants)), study.scores[track]
    heads = [name + (f" | against {reference}" if i < COMPARED else "") for i, name in enumerate(scores)]
    rows = [
        f"| {track} | seeds | {' | '.join(heads)} | minutes |",
        "|---" * (3 + len(scores) + COMPARED) + "|",
    ]
    for name in study.variants:
        folders = [scored / f"{name}_{seed}" for seed in range(options.seeds)]
        folders = [folder for folder in folders if scores_of(folder, track)]
        if folders:
            minutes = np.mean([spent(options.out / folder.name) for folder in folders])
            rows.append(f"{row(name, folders, reference, study, track)} {minutes:.1f} |")
    return "\n".join(rows)


def scores_of(folder: Path, track: str) -> bool:
    """Whether a finished run has scores of a track: a part alone has none of the joint one."""
    file = folder / "scores.json"
    return file.is_file() and track in json.loads(file.read_bytes())["tracks"]


def row(name: str, folders: list[Path], reference: str, study: Study, track: str) -> str:
    """One variant: mean and deviation over seeds, differences to the reference with the same seeds."""
    digits, scores = study.digits, study.scores[track]
    runs = [read_frame_scores(folder, track) for folder in folders]
    alone = [compare((one,)).runs[0] for one in runs]
    others = [folder.parent / f"{reference}_{folder.name.rpartition('_')[2]}" for folder in folders]
    gaps = [
        compare((read_frame_scores(other, track), one)).difference
        for other, one in zip(others, runs, strict=True)
        if name != reference and scores_of(other, track)
    ]
    cells = []
    for place, score in enumerate(scores):
        values = [one[score].value for one in alone]
        deviation = np.std(values, ddof=1) if len(values) > 1 else 0
        cells.append(f"{np.mean(values):.{digits}f} ± {deviation:.{digits}f}")
        if place < COMPARED:
            cells.append(difference([gap[score] for gap in gaps], digits))
    return f"| {name} | {len(folders)} | {' | '.join(cells)} |"


def difference(gaps: list[Spread], digits: int) -> str:
    """Mean over seeds of the differences to the reference, and of the ends of their intervals."""
    if not gaps:
        return ""
    value, low, high = (np.mean([getattr(gap, part) for gap in gaps]) for part in ("value", "low", "high"))
    return f"{value:+.{digits}f} ({low:+.{digits}f} to {high:+.{digits}f})"


def spent(folder: Path) -> float:
    """Minutes that the last stage took, by its speed."""
    info = json.loads((folder / "run.json").read_bytes())
    return info["steps"] * 16 / info["images_per_second"] / 60


def main() -> None:
    """Read the command line; train what is missing, print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("method", choices=STUDIES)
    parser.add_argument("--root", type=Path, required=True, help="generated root of size bench")
    parser.add_argument("--occluded", type=Path, help="generated root of size bench_occluded; none without")
    parser.add_argument("--renders", type=Path, help="renderings for the pre-trained variant; none without")
    parser.add_argument("--out", type=Path, required=True, help="folder of the runs")
    parser.add_argument("--steps", type=int, default=2000, help="of each run (default: 2000)")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, help="of each run (default: as many as there are cores)")
    parser.add_argument("--variants", nargs="*", help="default: all")
    parser.add_argument("--table", action="store_true", help="only print what is finished")
    parser.add_argument("--overrides", nargs="*", default=[], help="of every training, such as optim=adamw")
    options = parser.parse_args()
    for name in ("root", "occluded", "out", "renders"):
        path = getattr(options, name)
        setattr(options, name, path and path.resolve())
    options.out.mkdir(parents=True, exist_ok=True)
    wanted = options.variants or list(STUDIES[options.method].variants)
    unknown = sorted({*wanted} - STUDIES[options.method].variants.keys())
    if unknown:
        parser.error(f"{unknown[0]} is no variant; expected some of {list(STUDIES[options.method].variants)}")
    if not options.renders:
        wanted = [name for name in wanted if name != PRETRAINED]
    for seed in () if options.table else range(options.seeds):
        for name in wanted:
            run(name, seed, options)
    print(tables(options))


if __name__ == "__main__":
    main()
